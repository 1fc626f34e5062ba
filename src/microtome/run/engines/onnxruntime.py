"""ONNX Runtime: in the base install, on every processor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.kernels.bands import threads

__all__ = ["Network", "open_network"]


def open_network(data: bytes, place: str) -> Network:
    """Load a network.

    Parameters
    ----------
    data : bytes
        An ONNX model with one input (N, C, *window).
    place : str
        What to call it in errors.

    Raises
    ------
    InputError
        If it is no such model.
    """
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
    channels = session.get_inputs()[0].shape[1]
    return Network(session, name, tuple(outputs), channels if isinstance(channels, int) else None)


@dataclass(frozen=True, eq=False)
class Network:
    """A loaded network. Call it with windows (N, *window, C); it gives its outputs by name, (N, *window, L).

    Attributes
    ----------
    channels : int or None
        That its images must have; None: any number.
    """

    session: Any
    input: str
    outputs: tuple[str, ...]
    channels: int | None

    def __call__(self, windows: NDArray[np.float32]) -> Mapping[str, NDArray[np.float32]]:
        first = np.ascontiguousarray(np.moveaxis(windows, -1, 1))
        found: list[Any] = self.session.run(list(self.outputs), {self.input: first})
        return {output: np.moveaxis(values, 1, -1) for output, values in zip(self.outputs, found, strict=True)}
