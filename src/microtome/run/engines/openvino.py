"""OpenVINO: the fastest on most Intel and AMD processors; in the extra ``fast``."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError, MissingExtra
from microtome.core.kernels.bands import threads
from microtome.run.engines.answer import channels_last

__all__ = ["Network", "open_network"]

_HINTS = {"float32": "f32", "bfloat16": "bf16", "int8": "f32"}  # what is not in 8 bits stays as it is
_SHAPES = 8  # that stay compiled: each takes tens of megabytes


def open_network(data: bytes, place: str, precision: str = "float32") -> Network:
    """Load a network; it is compiled when the first window shows its size.

    Parameters
    ----------
    data : bytes
        An ONNX model with one input (N, C, *window).
    place : str
        What to call it in errors.
    precision : "float32", "bfloat16" or "int8"
        What convolutions compute in. A processor without bfloat16 computes that in float32; int8 is in the model itself.

    Raises
    ------
    MissingExtra
        If OpenVINO is not installed.
    InputError
        If it is no such model.
    """
    try:
        with _without_telemetry():
            import openvino
    except ModuleNotFoundError:
        raise MissingExtra("the engine openvino needs OpenVINO: pip install 'microtome[fast]'") from None
    core = openvino.Core()
    try:
        model = core.read_model(io.BytesIO(data))
    except RuntimeError as error:
        raise InputError(f"{place}: not a network that OpenVINO can load: {str(error).strip().splitlines()[-1]}") from None
    if len(model.inputs) != 1:
        raise InputError(f"{place}: a network has one input, found {len(model.inputs)}")
    told = model.input(0).get_partial_shape()
    shape = () if told.rank.is_dynamic else tuple(side.get_length() if side.is_static else None for side in told)
    outputs = tuple(output.get_any_name() for output in model.outputs)
    return Network(place, core, data, _HINTS[precision], outputs, shape)


@contextmanager
def _without_telemetry() -> Iterator[None]:
    """OpenVINO imports what its converter reports usage with, and does without where it is missing: nothing leaves the machine."""
    hidden = "openvino_telemetry" not in sys.modules
    if hidden:
        sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if hidden:
            del sys.modules["openvino_telemetry"]


@dataclass(frozen=True, eq=False)
class Network:
    """A loaded network. Call it with windows (N, *window, C); it gives its outputs by name, (N, *window, L).

    Windows go in one at a time, each on all threads: that is as quick as several at once, and one does not depend on the others.

    Attributes
    ----------
    place : str
        What to call it in errors.
    shape : tuple of int or None
        That its input (N, C, *window) must have; None: any number. Empty where the model does not say.
    """

    place: str
    core: Any
    data: bytes
    hint: str
    outputs: tuple[str, ...]
    shape: tuple[int | None, ...]
    requests: dict[tuple[int, ...], Any] = field(default_factory=dict)

    def __call__(self, windows: NDArray[np.float32]) -> Mapping[str, NDArray[np.float32]]:
        first = np.ascontiguousarray(np.moveaxis(windows, -1, 1), np.float32)
        request = self._request(first.shape[1:])
        found: list[list[NDArray[np.float32]]] = []
        for window in first:
            request.infer({0: window[None]}, share_inputs=True)
            found.append([request.get_output_tensor(k).data.copy() for k in range(len(self.outputs))])
        single = [channels_last(self.outputs, answers, (1, *first.shape[1:]), self.place) for answers in found]
        return {output: np.concatenate([one[output] for one in single]) for output in self.outputs}

    def _request(self, shape: tuple[int, ...]) -> Any:
        """Compiled for windows of this shape: a known shape is quicker than an open one."""
        found = self.requests.pop(shape, None)
        if found is None:
            while len(self.requests) >= _SHAPES:
                del self.requests[next(iter(self.requests))]  # that was used longest ago
            model = self.core.read_model(io.BytesIO(self.data))
            model.reshape([1, *shape])
            options = {"INFERENCE_PRECISION_HINT": self.hint, "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1",
                       "INFERENCE_NUM_THREADS": threads(), "ENABLE_CPU_PINNING": False}  # fmt: skip
            found = self.core.compile_model(model, "CPU", options).create_infer_request()
        self.requests[shape] = found
        return found
