"""How far counts of objects are from the true counts, for each image and over a set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from microtome.core.errors import InputError

__all__ = ["CountErrors", "count_errors"]


@dataclass(frozen=True, eq=False)
class CountErrors:
    """The errors of each image, and what they come to over the set.

    Attributes
    ----------
    error : ndarray of int64
        Predicted less true objects, one an image: above 0 where too many were found.
    absolute : ndarray of int64
        The same without its sign.
    relative : ndarray of float64
        `absolute` as a share of the true count; nan for an image that has no object in truth.
    """

    error: NDArray[np.int64]
    absolute: NDArray[np.int64]
    relative: NDArray[np.float64]

    @property
    def bias(self) -> float:
        """The mean error: above 0 where too many objects are found on average."""
        return float(self.error.mean())

    @property
    def mae(self) -> float:
        """The mean absolute error, in objects an image."""
        return float(self.absolute.mean())

    @property
    def mape(self) -> float:
        """The mean of `relative` as a share (0.1 is 10 %), over the images with objects; nan where no image has any."""
        there = ~np.isnan(self.relative)
        return float(self.relative[there].mean()) if there.any() else float("nan")

    @property
    def left_out(self) -> int:
        """How many images `mape` leaves out, since they have no object in truth."""
        return int(np.isnan(self.relative).sum())


def count_errors(pred: Sequence[int] | ArrayLike, truth: Sequence[int] | ArrayLike) -> CountErrors:
    """Compare counts of objects, one an image.

    Parameters
    ----------
    pred, truth : sequence of int
        Of the same images in the same order.

    Raises
    ------
    InputError
        If there is no image, the lengths differ, or a count is below 0 or no whole number.

    Examples
    --------
    >>> found = count_errors([6, 0, 3], [5, 0, 4])
    >>> found.bias, round(found.mae, 6), round(found.mape, 6), found.left_out
    (0.0, 0.666667, 0.225, 1)
    """
    p, t = _counts(pred, "predicted"), _counts(truth, "true")
    if p.shape != t.shape:
        raise InputError(f"{len(p)} predicted counts for {len(t)} true ones: give one of each for every image")
    error = p - t
    absolute = np.abs(error)
    relative = np.divide(absolute, t, out=np.full(len(t), np.nan), where=t > 0)
    return CountErrors(error, absolute, relative)


def _counts(values: Any, side: str) -> NDArray[np.int64]:
    counts = np.asarray(values)
    if counts.ndim != 1 or not counts.size or counts.dtype.kind not in "buif":
        raise InputError(f"the {side} counts are {counts.dtype} of shape {counts.shape}: one number an image is expected")
    bad = np.flatnonzero(~((counts >= 0) & (counts < 1 << 53) & (counts == np.floor(counts))))
    if len(bad):
        raise InputError(f"the {side} count of image {bad[0]} is {counts[bad[0]]}: a whole number from 0 up is expected")
    return counts.astype(np.int64)
