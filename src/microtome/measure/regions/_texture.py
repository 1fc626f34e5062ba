"""Kernels for grey levels that lie side by side, taken run against run: only pairs within one region are ever looked at."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["CONTRAST", "CORRELATION", "ENERGY", "ENTROPY", "HOMOGENEITY", "SECOND_MOMENT", "features", "levels"]

CONTRAST, CORRELATION, SECOND_MOMENT, ENERGY, HOMOGENEITY, ENTROPY = range(6)


@njit(cache=True, nogil=True)
def levels(image: NDArray[Any], channel: int, low: float, high: float, count: int, out: NDArray[np.uint8], first: int, past: int) -> None:
    """The grey level of each pixel in rows ``first:past``: `count` equal steps from `low` to `high`; a NaN is in none."""
    span = high - low
    for y in range(first, past):
        for x in range(image.shape[1]):
            value = float(image[y, x, channel])
            level = (value - low) * count / span if span > 0 else 0.0
            out[y, x] = count - 1 if level >= count else int(level) if level > 0 else 0


@njit(cache=True, nogil=True)
def features(
    grey: NDArray[np.uint8],
    count: int,
    runs: NDArray[np.int32],
    starts: NDArray[np.int64],
    height: int,
    steps: NDArray[np.int64],
    out: NDArray[np.float64],
    first: int,
    past: int,
) -> None:
    """The means over all directions that have pairs of the features of each region: (regions, 6); NaN where none has."""
    pairs = np.zeros((count, count), np.int64)  # the lower level first
    seen = np.empty((count * count, 2), np.uint8)
    sums = np.empty(6)
    for k in range(first, past):
        sums[:] = 0
        used = 0
        for d in range(len(steps)):
            kinds, number = _count(grey, runs, starts[k], starts[k + 1], height, steps[d], pairs, seen)
            if number:
                _add_features(pairs, seen[:kinds], number, sums)
                used += 1
            for i in range(kinds):
                pairs[seen[i, 0], seen[i, 1]] = 0
        for f in range(6):
            out[k, f] = sums[f] / used if used else np.nan


@njit(cache=True, nogil=True)
def _count(
    grey: NDArray[np.uint8],
    runs: NDArray[np.int32],
    begin: int,
    end: int,
    height: int,
    step: NDArray[np.int64],
    pairs: NDArray[np.int64],
    seen: NDArray[np.uint8],
) -> tuple[int, int]:
    """Count the levels of pixels one step apart; which kinds of pair there are, is noted in `seen`."""
    dz, dy, dx = step
    kinds = number = 0
    j = begin
    for i in range(begin, end):
        row = runs[0, i]
        target = row + dz * height + dy
        if not 0 <= row % height + dy < height:
            continue
        left, right = runs[1, i] + dx, runs[2, i] + dx
        while j < end and (runs[0, j] < target or (runs[0, j] == target and runs[2, j] <= left)):
            j += 1
        other = j
        while other < end and runs[0, other] == target and runs[1, other] < right:
            for x in range(max(left, runs[1, other]), min(right, runs[2, other])):
                one, two = grey[row, x - dx], grey[target, x]
                low, high = min(one, two), max(one, two)
                if pairs[low, high] == 0:
                    seen[kinds, 0], seen[kinds, 1] = low, high
                    kinds += 1
                pairs[low, high] += 1
                number += 1
            other += 1
    return kinds, number


@njit(cache=True, nogil=True)
def _add_features(pairs: NDArray[np.int64], seen: NDArray[np.uint8], number: int, sums: NDArray[np.float64]) -> None:
    """Add one direction's features; a pair of two levels counts half each way round."""
    mean = 0.0
    for i in range(len(seen)):
        mean += pairs[seen[i, 0], seen[i, 1]] * (float(seen[i, 0]) + float(seen[i, 1])) / 2
    mean /= number
    contrast = second = homogeneity = entropy = variance = covariance = 0.0
    for i in range(len(seen)):
        low, high = float(seen[i, 0]), float(seen[i, 1])
        share = pairs[seen[i, 0], seen[i, 1]] / number
        each = share if low == high else share / 2
        contrast += share * (high - low) ** 2
        homogeneity += share / (1 + (high - low) ** 2)
        second += share * each
        entropy -= share * np.log(each)
        variance += share * ((low - mean) ** 2 + (high - mean) ** 2) / 2
        covariance += share * (low - mean) * (high - mean)
    sums[CONTRAST] += contrast
    sums[CORRELATION] += covariance / variance if variance > 0 else 1.0
    sums[SECOND_MOMENT] += second
    sums[ENERGY] += np.sqrt(second)
    sums[HOMOGENEITY] += homogeneity
    sums[ENTROPY] += entropy
