"""A prediction and its truth, as arrays of whole numbers over the same pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from microtome.core.errors import InputError

__all__ = ["same_pixels", "whole_numbers"]


def same_pixels(pred: ArrayLike, truth: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    """Both as arrays of one shape, of bool or integers.

    Raises
    ------
    InputError
        If the shapes differ, or one side holds anything but whole numbers.
    """
    pred, truth = np.asarray(pred), np.asarray(truth)
    if pred.shape != truth.shape:
        raise InputError(f"the prediction has shape {pred.shape} and the truth {truth.shape}: both must cover the same pixels")
    return whole_numbers(pred, "prediction"), whole_numbers(truth, "truth")


def whole_numbers(pixels: NDArray[Any], what: str) -> NDArray[Any]:
    """The pixels as bool or integers; floats are taken where every one of them is whole.

    Raises
    ------
    InputError
        If a pixel holds anything else, such as a NaN.
    """
    if pixels.dtype.kind in "bui":
        return pixels
    if pixels.dtype.kind != "f":
        raise InputError(f"the {what} holds {pixels.dtype}: labels are whole numbers")
    odd = ~((np.abs(pixels) < 1 << 53) & (pixels == np.floor(pixels)))
    if odd.any():
        place = tuple(int(k) for k in np.argwhere(odd)[0])
        raise InputError(f"the {what} holds {np.count_nonzero(odd)} values that are no labels, the first {pixels[place]} at {place}: "
                         "whole numbers are expected; scores need a threshold first")  # fmt: skip
    return pixels.astype(np.int64)
