"""What an engine computed of windows, brought to the form that all engines answer in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError

__all__ = ["channels_last"]


def channels_last(outputs: Sequence[str], found: Sequence[Any], shape: Sequence[int], place: str) -> Mapping[str, NDArray[Any]]:
    """The outputs by name, (N, *window, L).

    Parameters
    ----------
    outputs : sequence of str
    found : sequence
        What came of each, which should be an array (N, L, *window).
    shape : sequence of int
        Of the windows (N, C, *window).
    place : str
        What to call the network in errors.

    Raises
    ------
    InputError
        If an output is something else: a network may declare no shape of it, so only its answer shows.

    Examples
    --------
    >>> channels_last(["classes"], [np.zeros((2, 3, 8, 8))], (2, 1, 8, 8), "a.onnx")["classes"].shape
    (2, 8, 8, 3)
    """
    for output, values in zip(outputs, found, strict=True):
        if not isinstance(values, np.ndarray) or values.ndim != len(shape) or len(values) != shape[0]:
            what = f"has shape {values.shape}" if isinstance(values, np.ndarray) else f"is a {type(values).__name__}"
            sides = "y, x" if len(shape) == 4 else "z, y, x"
            raise InputError(f"{place}: its output {output} {what} for {shape[0]} windows, expected ({shape[0]}, layers, {sides}): only "
                             "numbers for every pixel become a mask")  # fmt: skip
    return {output: np.moveaxis(values, 1, -1) for output, values in zip(outputs, found, strict=True)}
