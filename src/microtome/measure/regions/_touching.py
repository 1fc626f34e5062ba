"""Kernels that go along neighbouring runs and count the sides where two regions touch."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["contacts"]


@njit(cache=True, nogil=True)
def contacts(
    runs: NDArray[np.int32],
    slots: NDArray[np.int32],
    rows: NDArray[np.int64],
    height: int,
    flat: bool,
    within: NDArray[np.int64],
    pairs: NDArray[np.int32],
) -> int:
    """Count sides shared within regions to `within` (regions, 3 axes), and write those between two of them to `pairs`.

    `rows` is where each row's runs begin. A row of `pairs` is two regions, the axis across the sides, and their number;
    past its end nothing is written. Returned is how many there are.
    """
    count = 0
    for row in range(rows.size - 1):
        for i in range(rows[row] + 1, rows[row + 1]):
            if runs[2, i] == runs[3, i - 1]:
                count = _write(pairs, count, slots[i - 1], slots[i], 2, 1)
        if (row + 1) % height:
            count = _between(runs, slots, rows, row, row + 1, 1, within, pairs, count)
        if not flat and row + height < rows.size - 1:
            count = _between(runs, slots, rows, row, row + height, 0, within, pairs, count)
    return count


@njit(cache=True, nogil=True)
def _between(
    runs: NDArray[np.int32],
    slots: NDArray[np.int32],
    rows: NDArray[np.int64],
    row: int,
    other: int,
    axis: int,
    within: NDArray[np.int64],
    pairs: NDArray[np.int32],
    count: int,
) -> int:
    """The sides two rows share."""
    i, j = rows[row], rows[other]
    while i < rows[row + 1] and j < rows[other + 1]:
        shared = min(runs[3, i], runs[3, j]) - max(runs[2, i], runs[2, j])
        if shared > 0:
            if slots[i] == slots[j]:
                within[slots[i], axis] += shared
            else:
                count = _write(pairs, count, slots[i], slots[j], axis, shared)
        if runs[3, i] < runs[3, j]:
            i += 1
        else:
            j += 1
    return count


@njit(cache=True, nogil=True)
def _write(pairs: NDArray[np.int32], count: int, one: int, other: int, axis: int, sides: int) -> int:
    if count < len(pairs):
        pairs[count, 0], pairs[count, 1], pairs[count, 2], pairs[count, 3] = one, other, axis, sides
    return count + 1
