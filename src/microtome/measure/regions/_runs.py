"""Kernels over runs: a row's neighbouring pixels of one value are one run, and the mask is searched for them once.

Objects are a few long runs a row, so whatever has a closed form over a run (counts, moments, boxes) costs a step a run
and not a step a pixel, and everything after the search reads a few percent of what the mask holds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["COUNT", "FIRST", "LOW", "PAST", "SECOND",
           "add_up", "combine", "exits", "find_runs", "group", "intensities", "scatter", "segment_medians"]  # fmt: skip

COUNT = 0
FIRST = slice(1, 4)  # sums of z, y, x
SECOND = slice(4, 10)  # sums of zz, yy, xx, zy, zx, yx
LOW = slice(10, 13)  # least z, y, x
PAST = slice(13, 16)  # one past the greatest z, y, x
_NO_PIXEL = np.iinfo(np.int32).max


@njit(cache=True, nogil=True)
def find_runs(mask: NDArray[Any], first: int, past: int, skip: int, out: NDArray[np.int32]) -> int:
    """Write value, row, first and past column of each run in rows ``first:past`` to `out` (4, room); return how many."""
    width = mask.shape[1]
    changes = np.zeros((width + 8) // 8 * 8, np.uint8)  # looked through eight at a time: most hold no change
    eights = changes.view(np.uint64)
    count = 0
    for y in range(first, past):
        row = mask[y]
        for x in range(1, width):
            changes[x] = row[x] != row[x - 1]
        changes[width] = 1
        start = 0
        for k in range(eights.size):
            if eights[k] == 0:
                continue
            for x in range(8 * k, 8 * k + 8):
                if changes[x]:
                    if row[start] != skip:
                        out[0, count] = row[start]
                        out[1, count] = y
                        out[2, count] = start
                        out[3, count] = x
                        count += 1
                    start = x
    return count


@njit(cache=True, nogil=True)
def add_up(runs: NDArray[np.int32], slots: NDArray[np.int32], height: int, regions: int) -> NDArray[np.int64]:
    """Count, first and second moments and box of every region: (regions, 16) whole numbers, exact in any order."""
    sums = np.zeros((regions, 16), np.int64)
    sums[:, 10:13] = _NO_PIXEL
    for i in range(slots.size):
        z, y = divmod(np.int64(runs[1, i]), height)
        x, past = np.int64(runs[2, i]), np.int64(runs[3, i])
        n = past - x
        along = (x + past - 1) * n // 2
        s = sums[slots[i]]
        s[0] += n
        s[1] += n * z
        s[2] += n * y
        s[3] += along
        s[4] += n * z * z
        s[5] += n * y * y
        s[6] += n * x * x + x * n * (n - 1) + (n - 1) * n * (2 * n - 1) // 6
        s[7] += n * z * y
        s[8] += z * along
        s[9] += y * along
        s[10] = min(s[10], z)
        s[11] = min(s[11], y)
        s[12] = min(s[12], x)
        s[13] = max(s[13], z + 1)
        s[14] = max(s[14], y + 1)
        s[15] = max(s[15], past)
    return sums


@njit(cache=True, nogil=True)
def group(runs: NDArray[np.int32], slots: NDArray[np.int32], regions: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Row, first and past column of the runs (3, runs), region after region, and where each region's begin: (regions + 1).

    Within a region the runs stay in their order, from the top down and from left to right.
    """
    starts = np.zeros(regions + 1, np.int64)
    for i in range(slots.size):
        starts[slots[i] + 1] += 1
    for k in range(regions):
        starts[k + 1] += starts[k]
    place = starts[:-1].copy()
    out = np.empty((3, slots.size), np.int32)
    for i in range(slots.size):
        to = place[slots[i]]
        place[slots[i]] += 1
        for part in range(3):
            out[part, to] = runs[part + 1, i]
    return out, starts


@njit(cache=True, nogil=True)
def exits(
    mask: NDArray[Any], height: int, runs: NDArray[np.int32], steps: NDArray[np.int64], out: NDArray[np.int32], first: int, past: int
) -> None:
    """How often runs ``first:past`` are left by each step (dz, dy, dx): a pixel whose neighbour there has another value, or is none.

    `out` is (steps, runs).
    """
    rows, width = mask.shape
    for i in range(first, past):
        value, row, start, end = runs[0, i], runs[1, i], runs[2, i], runs[3, i]
        y = row % height
        for d in range(steps.shape[0]):
            dz, dy, dx = steps[d]
            if dz == 0 and dy == 0:
                out[d, i] = 1
                continue
            target = row + dz * height + dy
            if not 0 <= y + dy < height or not 0 <= target < rows:
                out[d, i] = end - start
                continue
            left, right = max(start + dx, 0), min(end + dx, width)
            same = 0
            neighbours = mask[target, left:right]
            for k in range(neighbours.size):
                same += neighbours[k] == value
            out[d, i] = end - start - same


@njit(cache=True, nogil=True)
def intensities(
    image: NDArray[Any], channel: int, zero: Any, runs: NDArray[np.int32], out: NDArray[np.float64], first: int, past: int
) -> None:
    """Sum, least, greatest and summed squared deviation of the pixels in runs ``first:past`` to `out` (4, runs).

    `image` is (rows, width, channels); `zero` is an int64 or a float64 nought, the type that sums are kept in.
    """
    for i in range(first, past):
        row, start, end = runs[1, i], runs[2, i], runs[3, i]
        values = image[row, start:end, channel]
        shift = zero + values[0]  # deviations from a value of the run itself: squares stay small
        low = high = values[0]
        total = zero
        squares = zero
        for k in range(values.size):
            v = values[k]
            d = v - shift
            total += d
            squares += d * d
            low = min(low, v)
            high = max(high, v)
        n = values.size
        out[0, i] = float(shift) * n + total
        out[1, i] = low
        out[2, i] = high
        out[3, i] = float(squares) - float(total) * float(total) / n


@njit(cache=True, nogil=True)
def combine(stats: NDArray[np.float64], runs: NDArray[np.int32], slots: NDArray[np.int32], whole: NDArray[np.float64]) -> None:
    """Add runs, in their order, to regions: `whole` is (regions, 5) of count, sum, least, greatest, summed squared deviation.

    Deviations merge as Chan, Golub and LeVeque do (1979), so that a large mean costs no digits.
    """
    for i in range(slots.size):
        n = float(runs[3, i] - runs[2, i])
        w = whole[slots[i]]
        if w[0] > 0:
            apart = stats[0, i] / n - w[1] / w[0]
            w[4] += apart * apart * w[0] * n / (w[0] + n)
        w[4] += stats[3, i]
        w[0] += n
        w[1] += stats[0, i]
        w[2] = min(w[2], stats[1, i])
        w[3] = max(w[3], stats[2, i])


@njit(cache=True, nogil=True)
def scatter(
    image: NDArray[Any], channel: int, runs: NDArray[np.int32], slots: NDArray[np.int32], starts: NDArray[np.int64]
) -> NDArray[Any]:
    """All pixels of the regions, region after region; region k begins at ``starts[k]``."""
    place = starts.copy()
    out = np.empty(starts[-1], image.dtype)
    for i in range(slots.size):
        for x in range(runs[2, i], runs[3, i]):
            out[place[slots[i]]] = image[runs[1, i], x, channel]
            place[slots[i]] += 1
    return out


@njit(cache=True, nogil=True)
def segment_medians(values: NDArray[Any], starts: NDArray[np.int64], out: NDArray[np.float64], first: int, past: int) -> None:
    """The median of each of the segments ``first:past``."""
    for k in range(first, past):
        out[k] = np.median(values[starts[k] : starts[k + 1]])
