"""ONNX Runtime: in the base install, on every processor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError, RecipeError
from microtome.core.kernels.bands import threads
from microtome.run.engines.answer import channels_last

__all__ = ["Network", "open_network"]


def open_network(data: bytes, place: str, precision: str = "float32") -> Network:
    """Load a network.

    Parameters
    ----------
    data : bytes
        An ONNX model with one input (N, C, *window).
    place : str
        What to call it in errors.
    precision : "float32" or "int8"
        The latter is in the model itself (``microtome bundle export --int8``).

    Raises
    ------
    InputError
        If it is no such model.
    RecipeError
        If another precision is asked for.
    """
    if precision == "bfloat16":
        raise RecipeError(f"{place}: the engine onnxruntime computes in float32, not in bfloat16: choose another engine, or leave it out")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads()
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - the runtime raises classes of its own that share no other parent
        raise InputError(f"{place}: not a network that ONNX Runtime can load: {error}") from None
    if len(session.get_inputs()) != 1:
        raise InputError(f"{place}: a network has one input, found {len(session.get_inputs())}")
    name = session.get_inputs()[0].name
    outputs = [output.name for output in session.get_outputs()]
    shape = tuple(side if isinstance(side, int) else None for side in session.get_inputs()[0].shape)
    return Network(place, session, name, tuple(outputs), shape)


@dataclass(frozen=True, eq=False)
class Network:
    """A loaded network. Call it with windows (N, *window, C); it gives its outputs by name, (N, *window, L).

    Attributes
    ----------
    place : str
        What to call it in errors.
    shape : tuple of int or None
        That its input (N, C, *window) must have; None: any number. Empty where the model does not say.
    """

    place: str
    session: Any
    input: str
    outputs: tuple[str, ...]
    shape: tuple[int | None, ...]

    def __call__(self, windows: NDArray[np.float32]) -> Mapping[str, NDArray[np.float32]]:
        first = np.ascontiguousarray(np.moveaxis(windows, -1, 1))
        if self.shape[:1] != (1,) or len(first) == 1:
            return self._answers(first)
        single = [self._answers(window[None]) for window in first]  # exported for one window at a time
        return {output: np.concatenate([one[output] for one in single]) for output in self.outputs}

    def _answers(self, first: NDArray[np.float32]) -> Mapping[str, NDArray[np.float32]]:
        try:
            found: list[Any] = self.session.run(list(self.outputs), {self.input: first})
        except Exception as error:  # noqa: BLE001 - as above
            raise InputError(f"{self.place}: cannot be run on windows of shape {first.shape}: {error}") from None
        return channels_last(self.outputs, found, first.shape, self.place)
