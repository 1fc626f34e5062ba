"""Kernels that count a region's parts and holes from its runs, as closed squares and cubes: touching at a corner connects.

Two runs in neighbouring rows meet in one closed interval or not at all, so the Euler number of a plane is the number of
runs less that of meetings. In a volume the lines between four rows come in as well.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["of_planes", "of_volumes"]


@njit(cache=True, nogil=True)
def of_planes(runs: NDArray[np.int32], starts: NDArray[np.int64], out: NDArray[np.int64], first: int, past: int) -> None:
    """Euler number and number of holes of the regions ``first:past``, (regions, 2)."""
    for k in range(first, past):
        begin, end = starts[k], starts[k + 1]
        parents = np.arange(end - begin)
        meetings = joined = 0
        above = begin
        for i in range(begin, end):
            above = _first_meeting(runs, above, i, runs[0, i] - 1)
            j = above
            while j < i and runs[0, j] == runs[0, i] - 1 and runs[1, j] <= runs[2, i]:
                meetings += 1
                one, other = _root(parents, i - begin), _root(parents, j - begin)
                if one != other:
                    parents[one] = other
                    joined += 1
                j += 1
        out[k, 0] = end - begin - meetings
        out[k, 1] = meetings - joined  # parts are runs less joined; holes are parts less the Euler number


@njit(cache=True, nogil=True)
def _first_meeting(runs: NDArray[np.int32], j: int, i: int, row: int) -> int:
    """The first run from `j` on that lies in `row` or later and does not end before run `i` begins."""
    while j < i and (runs[0, j] < row or (runs[0, j] == row and runs[2, j] < runs[1, i])):
        j += 1
    return j


@njit(cache=True, nogil=True)
def _root(parents: NDArray[np.int64], i: int) -> int:
    while parents[i] != i:
        parents[i] = parents[parents[i]]
        i = parents[i]
    return i


@njit(cache=True, nogil=True)
def of_volumes(runs: NDArray[np.int32], starts: NDArray[np.int64], height: int, out: NDArray[np.int64], first: int, past: int) -> None:
    """Euler number of the regions ``first:past`` of a volume, (regions, 2); the second stays as it is.

    Cut along x, a body is rows, faces between two of them, and lines between four. Each holds as many intervals as the
    rows around it cover together; rows and lines add, faces take off.
    """
    stride = np.int64(height) + 2  # a row of nothing on either side of a plane
    around = np.empty((4, 2), np.int64)
    for k in range(first, past):
        keys, firsts = _rows(runs, starts[k], starts[k + 1], height, stride)
        euler = starts[k + 1] - starts[k]
        for row in range(keys.size):
            for step in (np.int64(1), stride):  # a row's two faces, less what it shares with the next row's
                euler -= 2 * (firsts[row + 1] - firsts[row]) - _meetings(runs, keys, firsts, row, keys[row] + step)
            for corner in range(4):
                mine = 3 - corner  # this row's place among the four around its corner
                lowest = keys[row] - (mine // 2) * stride - mine % 2
                fresh = True
                for place in range(4):
                    key = lowest + (place // 2) * stride + place % 2
                    at = np.searchsorted(keys, key)
                    there = at < keys.size and keys[at] == key
                    around[place, 0] = firsts[at] if there else 0
                    around[place, 1] = firsts[at + 1] if there else 0
                    fresh = fresh and not (there and place < mine)  # else a row before this one has counted the line
                if fresh:
                    euler += _covered(runs, around)
        out[k, 0] = euler


@njit(cache=True, nogil=True)
def _rows(runs: NDArray[np.int32], begin: int, end: int, height: int, stride: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows that have runs, and where each one's begin."""
    keys, firsts = np.empty(end - begin, np.int64), np.empty(end - begin + 1, np.int64)
    count = 0
    for i in range(begin, end):
        if i == begin or runs[0, i] != runs[0, i - 1]:
            keys[count] = (runs[0, i] // height) * stride + runs[0, i] % height + 1
            firsts[count] = i
            count += 1
    firsts[count] = end
    return keys[:count], firsts[: count + 1]


@njit(cache=True, nogil=True)
def _meetings(runs: NDArray[np.int32], keys: NDArray[np.int64], firsts: NDArray[np.int64], row: int, key: int) -> int:
    """How many runs of a row meet runs of the row called `key`, pair by pair."""
    at = np.searchsorted(keys, key)
    if at == keys.size or keys[at] != key:
        return 0
    count = 0
    i, j = firsts[row], firsts[at]
    while i < firsts[row + 1] and j < firsts[at + 1]:
        if runs[1, i] <= runs[2, j] and runs[1, j] <= runs[2, i]:
            count += 1
        if runs[2, i] < runs[2, j]:
            i += 1
        else:
            j += 1
    return count


@njit(cache=True, nogil=True)
def _covered(runs: NDArray[np.int32], around: NDArray[np.int64]) -> int:
    """How many closed intervals four rows cover together."""
    place = around[:, 0].copy()
    count = 0
    reach = np.int64(-1)
    while True:
        nearest = -1
        for row in range(4):
            if place[row] < around[row, 1] and (nearest < 0 or runs[1, place[row]] < runs[1, place[nearest]]):
                nearest = row
        if nearest < 0:
            return count
        count += runs[1, place[nearest]] > reach
        reach = max(reach, np.int64(runs[2, place[nearest]]))
        place[nearest] += 1
