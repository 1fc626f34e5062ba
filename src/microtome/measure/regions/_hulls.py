"""Convex hulls in whole numbers: every coordinate is doubled, so that the middles of pixels' sides lie on the grid.

A pixel is represented by the middles of its four sides, a voxel by those of its six faces. In a plane the hull is two
chains over rows (Andrew 1979), since only a row's first and last pixel can be on it.
Source: A. M. Andrew, Information Processing Letters 9 (1979) 216-219, doi:10.1016/0020-0190(79)90072-3.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["calipers", "diameters", "hulls", "planes_of", "room", "voxels_within"]


def room(starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each group's corners may begin: two chains of at most two corners a run and one more."""
    return 4 * starts + 2 * np.arange(len(starts))


@njit(cache=True, nogil=True)
def _turns_in(chain: NDArray[np.int32], size: int, row: int, column: int, side: int) -> bool:
    """Whether the last corner of a chain lies inside (or on) the line from the one before it to a new point."""
    y0, x0 = np.int64(chain[size - 2, 0]), np.int64(chain[size - 2, 1])
    y1, x1 = np.int64(chain[size - 1, 0]), np.int64(chain[size - 1, 1])
    return bool(((x1 - x0) * (row - y0) - (column - x0) * (y1 - y0)) * side >= 0)


@njit(cache=True, nogil=True)
def _push(chain: NDArray[np.int32], size: int, row: int, column: int, side: int) -> int:
    """Lengthen a chain by the point (row, column); `side` is 1 for the left chain and -1 for the right one."""
    while size > 1 and _turns_in(chain, size, row, column, side):
        size -= 1
    chain[size, 0] = row
    chain[size, 1] = column
    return size + 1


@njit(cache=True, nogil=True)
def _columns_between(left: NDArray[np.int32], lefts: int, right: NDArray[np.int32], rights: int) -> int:
    """How many pixel centres lie between two chains, borders included."""
    count = 0
    i = j = 0
    first = left[0, 0] + (left[0, 0] & 1)
    for row in range(first, left[lefts - 1, 0] + 1, 2):
        while i < lefts - 2 and left[i + 1, 0] < row:
            i += 1
        while j < rights - 2 and right[j + 1, 0] < row:
            j += 1
        low = _at(left, i, lefts, row, True)
        high = _at(right, j, rights, row, False)
        count += max(high - low + 1, 0)
    return count


@njit(cache=True, nogil=True)
def _at(chain: NDArray[np.int32], k: int, size: int, row: int, up: bool) -> int:
    """The first pixel right of a chain in a row (`up`), or the last one left of it."""
    y0, x0 = np.int64(chain[k, 0]), np.int64(chain[k, 1])
    if size == 1:
        return int((x0 + 1) // 2 if up else x0 // 2)
    rise, run = np.int64(chain[k + 1, 0]) - y0, np.int64(chain[k + 1, 1]) - x0
    above = x0 * rise + run * (row - y0)
    return int(-((-above) // (2 * rise)) if up else above // (2 * rise))


@njit(cache=True, nogil=True)
def hulls(
    runs: NDArray[np.int32],
    starts: NDArray[np.int64],
    height: int,
    reach: int,
    offsets: NDArray[np.int64],
    corners: NDArray[np.int32],
    sizes: NDArray[np.int64],
    pixels: NDArray[np.int64],
    first: int,
    past: int,
) -> None:
    """The hulls of the groups ``first:past`` of runs, each in one plane, its runs from the top down.

    ``corners[offsets[k]:offsets[k] + sizes[k]]`` are twice (row, column) of the corners of group k, around it; `pixels`
    how many pixel centres lie in it. `reach` 1 takes the middles of a pixel's sides, 0 its centre.
    """
    longest = np.int64(0)
    for k in range(first, past):
        longest = max(longest, offsets[k + 1] - offsets[k])
    right = np.empty((longest, 2), np.int32)
    for k in range(first, past):
        begin, end = starts[k], starts[k + 1]
        left = corners[offsets[k] : offsets[k + 1]]
        lefts = rights = 0
        waiting, low_waiting, high_waiting = np.int64(-9), np.int64(0), np.int64(0)  # the row between the last pixels and the next
        i = begin
        while i < end:
            row = runs[0, i]
            low, high = 2 * np.int64(runs[1, i]), np.int64(0)
            while i < end and runs[0, i] == row:
                high = 2 * (np.int64(runs[2, i]) - 1)
                i += 1
            y = 2 * np.int64(row % height)
            if reach:
                if waiting == y - 1:
                    low_waiting, high_waiting = min(low_waiting, low), max(high_waiting, high)
                else:
                    if waiting >= -1:
                        lefts = _push(left, lefts, waiting, low_waiting, 1)
                        rights = _push(right, rights, waiting, high_waiting, -1)
                    low_waiting, high_waiting = low, high
                lefts = _push(left, lefts, y - 1, low_waiting, 1)
                rights = _push(right, rights, y - 1, high_waiting, -1)
                waiting, low_waiting, high_waiting = y + 1, low, high
            lefts = _push(left, lefts, y, low - reach, 1)
            rights = _push(right, rights, y, high + reach, -1)
        if reach:
            lefts = _push(left, lefts, waiting, low_waiting, 1)
            rights = _push(right, rights, waiting, high_waiting, -1)
        pixels[k] = _columns_between(left, lefts, right, rights)
        size = lefts
        for j in range(rights - 1, -1, -1):  # around: down the left, up the right; where they meet, once
            at_end = (j == rights - 1 and right[j, 1] == left[lefts - 1, 1]) or (j == 0 and right[j, 1] == left[0, 1])
            if not at_end:
                left[size] = right[j]
                size += 1
        sizes[k] = size


@njit(cache=True, nogil=True)
def calipers(
    corners: NDArray[np.int32],
    offsets: NDArray[np.int64],
    sizes: NDArray[np.int64],
    aspect: NDArray[np.float64],
    out: NDArray[np.float64],
    first: int,
    past: int,
) -> None:
    """Greatest and least width of each hull, and the angle of the greatest from rows towards columns: (hulls, 3).

    Of several greatest widths the one with the least angle counts.
    """
    for k in range(first, past):
        hull = corners[offsets[k] : offsets[k] + sizes[k]]
        n = sizes[k]
        longest, angle, narrowest = -1.0, 0.0, np.inf
        for i in range(n):
            after = (i + 1) % n
            edge_y, edge_x = (hull[after, 0] - hull[i, 0]) * aspect[0], (hull[after, 1] - hull[i, 1]) * aspect[1]
            widest = 0.0
            for j in range(n):
                dy, dx = (hull[j, 0] - hull[i, 0]) * aspect[0], (hull[j, 1] - hull[i, 1]) * aspect[1]
                widest = max(widest, abs(edge_y * dx - edge_x * dy))
                far = dy * dy + dx * dx
                if j > i and far >= longest:
                    if dy < 0 or (dy == 0 and dx < 0):
                        dy, dx = -dy, -dx
                    turn = np.arctan2(dx, dy)
                    angle = turn if far > longest else min(angle, turn)
                    longest = far
            narrowest = min(narrowest, widest / np.sqrt(edge_y * edge_y + edge_x * edge_x))
        out[k, 0], out[k, 1], out[k, 2] = np.sqrt(longest) / 2, narrowest / 2, angle


@njit(cache=True, nogil=True)
def planes_of(runs: NDArray[np.int32], starts: NDArray[np.int64], height: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where the runs of each region's planes begin, and where each region's planes begin among these."""
    begins = np.empty(runs.shape[1] + 1, np.int64)
    regions = np.empty(starts.size, np.int64)
    count = 0
    for k in range(starts.size - 1):
        regions[k] = count
        for i in range(starts[k], starts[k + 1]):
            if i == starts[k] or runs[0, i] // height != runs[0, i - 1] // height:
                begins[count] = i
                count += 1
    begins[count] = runs.shape[1]
    regions[-1] = count
    return begins[: count + 1], regions


@njit(cache=True, nogil=True)
def diameters(
    corners: NDArray[np.int32],
    offsets: NDArray[np.int64],
    sizes: NDArray[np.int64],
    aspect: NDArray[np.float64],
    out: NDArray[np.float64],
    first: int,
    past: int,
) -> None:
    """The greatest distance between two corners of each hull, whatever its dimensions."""
    for k in range(first, past):
        hull = corners[offsets[k] : offsets[k] + sizes[k]]
        longest = 0.0
        for i in range(sizes[k]):
            for j in range(i):
                far = 0.0
                for axis in range(aspect.size):
                    far += ((hull[i, axis] - hull[j, axis]) * aspect[axis]) ** 2
                longest = max(longest, far)
        out[k] = np.sqrt(longest) / 2


@njit(cache=True, nogil=True)
def voxels_within(normals: NDArray[np.int64], limits: NDArray[np.int64], sides: NDArray[np.int64]) -> int:
    """How many points with even coordinates from 0 to `sides` satisfy ``normals @ point <= limits``, all of them."""
    count = 0
    for z in range(0, sides[0] + 1, 2):
        for y in range(0, sides[1] + 1, 2):
            low, high = np.int64(0), sides[2]
            for i in range(limits.size):
                left = limits[i] - normals[i, 0] * z - normals[i, 1] * y
                across = normals[i, 2]
                if across > 0:
                    high = min(high, left // across)
                elif across < 0:
                    low = max(low, -(left // -across))
                elif left < 0:
                    high = np.int64(-1)
                if low > high:
                    break
            if low <= high:
                count += high // 2 - (low + 1) // 2 + 1
    return count
