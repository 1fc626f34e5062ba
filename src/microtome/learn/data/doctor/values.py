"""Which values a mask holds, and how they lie: in areas, or only along the borders between others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from microtome.learn.data.doctor.colours import as_numbers

__all__ = ["MOST", "Values", "colours_of", "values_of"]

MOST = 4096
"""So many values are kept, the commonest; a mask of ids with more is rare, and a picture shows itself with fewer."""


@dataclass(frozen=True, eq=False)
class Values:
    """One row a value, ascending.

    Attributes
    ----------
    value, counts : ndarray of int64
    solid : ndarray of int64
        How many of its pixels have the same value all around (3 x 3).
    between : ndarray of int64
        How many of its pixels have both a lower and a higher value beside them.
    first : ndarray of int64, shape (n, ndim)
        The first of its pixels; of those with the same value all around, where there are any and they were looked for.
    distinct : int
        How many values there are in the file; more than the rows where only the commonest are kept.
    """

    value: NDArray[np.int64]
    counts: NDArray[np.int64]
    solid: NDArray[np.int64]
    between: NDArray[np.int64]
    first: NDArray[np.int64]
    distinct: int

    def __len__(self) -> int:
        return len(self.value)

    @property
    def pixels(self) -> int:
        """How many pixels the rows stand for."""
        return int(self.counts.sum())

    def share(self, value: int) -> float:
        """The share of the pixels that have a value."""
        return float(self.counts[self.value == value].sum() / max(self.pixels, 1))

    def place(self, value: int) -> tuple[int, ...]:
        """A pixel of a value."""
        row = int(np.searchsorted(self.value, value))
        return tuple(self.first[row].tolist())

    def keep(self, most: int = MOST) -> Values:
        """The commonest values only."""
        if len(self) <= most:
            return self
        rows = np.sort(np.argsort(-self.counts, kind="stable")[:most])
        return Values(self.value[rows], self.counts[rows], self.solid[rows], self.between[rows], self.first[rows], self.distinct)


def values_of(pixels: NDArray[Any], *, around: bool = True, places: bool = True) -> Values:
    """Count the values of a mask.

    Parameters
    ----------
    pixels : ndarray of integers (or whole numbers), shape (H, W) or (D, H, W)
    around : bool
        Look at each pixel's neighbours for `solid` and `between`; both are zeros otherwise, and all values are kept.
    places : bool
        Find each value's first pixel.

    Examples
    --------
    >>> found = values_of(np.array([[0, 4, 9], [0, 4, 9], [0, 4, 9]]))
    >>> found.value.tolist(), found.counts.tolist(), found.between.tolist()
    ([0, 4, 9], [3, 3, 3], [0, 3, 0])
    """
    value, ranks = _ranks(pixels)
    counts = np.bincount(ranks.ravel(), minlength=len(value))
    first = _first(ranks, len(value)) if places else np.zeros((len(value), pixels.ndim), np.int64)
    zeros = np.zeros(len(value), np.int64)
    if not around:
        return Values(value, counts, zeros, zeros, first, len(value))
    solid, between, within = _around(ranks, len(value))
    if places and pixels.ndim == 2:
        inside = np.stack(np.unravel_index(np.maximum(within, 0), ranks.shape), axis=1)
        first = np.where((within >= 0)[:, None], inside, first)
    return Values(value, counts, solid, between, first, len(value)).keep()


def colours_of(pixels: NDArray[Any]) -> Values:
    """Count the colours of a picture; a colour is the number 65536 red + 256 green + blue (of the upper 8 bits).

    >>> [f"{value:06x}" for value in colours_of(np.array([[[255, 0, 128]]], np.uint8)).value]
    ['ff0080']
    """
    return values_of(as_numbers(pixels))


def _ranks(pixels: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """The values in order, and each pixel's place among them; by table where the range is small, else by sorting."""
    if not pixels.size:
        return np.zeros(0, np.int64), np.zeros(pixels.shape, np.intp)
    low, high = int(pixels.min()), int(pixels.max())
    if high - low > 1 << 24:
        value, ranks = np.unique(pixels, return_inverse=True)
        return value.astype(np.int64), ranks.reshape(pixels.shape)
    moved = pixels.astype(np.intp) - low
    there = np.zeros(high - low + 1, bool)
    there[moved.ravel()] = True
    table = np.cumsum(there) - 1
    return np.flatnonzero(there) + low, table[moved]


def _first(ranks: NDArray[np.intp], count: int) -> NDArray[np.int64]:
    flat = ranks.ravel()
    first = np.zeros(count, np.int64)
    first[flat[::-1]] = np.arange(flat.size - 1, -1, -1)  # the last to write is the first to come
    return np.stack(np.unravel_index(first, ranks.shape), axis=1)


def _around(ranks: NDArray[np.intp], count: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Count, by rank, pixels whose 3 x 3 neighbours all are like them, and those with both lower and higher ones.

    Also the first of the former in the last plane, as an index into it; -1 where there is none.
    """
    kind = np.uint8 if count <= 256 else np.uint16 if count <= 65536 else np.float32
    solid, between = np.zeros(count, np.int64), np.zeros(count, np.int64)
    within = np.full(count, -1, np.int64)
    window = np.ones((3, 3), np.uint8)
    for plane in ranks.reshape(-1, *ranks.shape[-2:]):
        small = plane.astype(kind)
        lowest, highest = cv2.erode(small, window), cv2.dilate(small, window)
        inside = np.flatnonzero(lowest == highest)
        of = plane.ravel()[inside]
        solid += np.bincount(of, minlength=count)
        within[of[::-1]] = inside[::-1]
        between += np.bincount(plane[(lowest < small) & (small < highest)], minlength=count)
    return solid, between, within
