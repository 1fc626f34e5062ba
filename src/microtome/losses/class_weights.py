"""Weights that make rare classes count as much as common ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from microtome.core.errors import InputError

__all__ = ["balanced", "median_frequency"]


def balanced(counts: ArrayLike) -> NDArray[np.float64]:
    """``N / (C n_c)``: all classes together weigh the same; 0 for a class without pixels.

    Parameters
    ----------
    counts : numbers, (C,)
        The pixels of each class.

    Raises
    ------
    InputError
        If a count is negative, or there is no class.

    Examples
    --------
    >>> balanced([90, 10]).round(6).tolist()
    [0.555556, 5.0]
    """
    pixels = _counts(counts)
    return _one_over(pixels) * pixels.sum() / len(pixels)


def median_frequency(counts: ArrayLike, totals: ArrayLike | None = None) -> NDArray[np.float64]:
    """``median(f) / f_c``, f_c how frequent class c is where it occurs; 0 for a class without pixels.

    Parameters
    ----------
    counts : numbers, (C,)
        The pixels of each class.
    totals : numbers, (C,), optional
        The pixels of all images that hold the class; by default every image holds every class.

    Raises
    ------
    InputError
        If a count is negative, there is no class, or a class has more pixels than its images.

    References
    ----------
    D. Eigen and R. Fergus, ICCV 2015, section 6.3.2, arXiv:1411.4734.

    Examples
    --------
    >>> median_frequency([90, 10]).round(6).tolist()
    [0.555556, 5.0]
    """
    pixels = _counts(counts)
    images = np.full(len(pixels), pixels.sum()) if totals is None else _counts(totals)
    if len(images) != len(pixels) or (images < pixels).any():
        raise InputError(f"class weights: totals {_short(totals)} do not fit the counts {_short(counts)}: one a class, none smaller")
    frequency = pixels * _one_over(images)
    present = frequency[pixels > 0]
    return _one_over(frequency) * (np.median(present) if len(present) else 0.0)


def _counts(counts: ArrayLike) -> NDArray[np.float64]:
    pixels = np.asarray(counts, np.float64)
    if pixels.ndim != 1 or not len(pixels) or not (pixels >= 0).all():
        raise InputError(f"class weights: counts {_short(counts)}; expected one number of pixels a class, none below 0")
    return pixels


def _one_over(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(1.0, values, out=np.zeros(len(values)), where=values > 0)


def _short(values: Sequence[Any] | ArrayLike | None) -> str:
    return str(np.asarray(values).tolist())[:80]
