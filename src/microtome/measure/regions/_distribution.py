"""Kernels over the intensities of regions, region after region."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["deviations", "powers", "weights"]


@njit(cache=True, nogil=True)
def powers(
    image: NDArray[Any],
    channel: int,
    runs: NDArray[np.int32],
    starts: NDArray[np.int64],
    means: NDArray[np.float64],
    out: NDArray[np.float64],
    first: int,
    past: int,
) -> None:
    """Sums of the second, third and fourth power of deviations from the mean in the regions ``first:past``: (regions, 3)."""
    for k in range(first, past):
        second = third = fourth = 0.0
        for i in range(starts[k], starts[k + 1]):
            for x in range(runs[1, i], runs[2, i]):
                apart = image[runs[0, i], x, channel] - means[k]
                square = apart * apart
                second += square
                third += square * apart
                fourth += square * square
        out[k, 0], out[k, 1], out[k, 2] = second, third, fourth


@njit(cache=True, nogil=True)
def weights(
    image: NDArray[Any],
    channel: int,
    runs: NDArray[np.int32],
    starts: NDArray[np.int64],
    height: int,
    low: NDArray[np.int64],
    out: NDArray[np.float64],
    first: int,
    past: int,
) -> None:
    """Sums of the intensity, and of it times the place (z, y, x) seen from `low`, in the regions ``first:past``: (regions, 4)."""
    for k in range(first, past):
        for i in range(starts[k], starts[k + 1]):
            z, y = runs[0, i] // height, runs[0, i] % height
            along = total = 0.0
            for x in range(runs[1, i], runs[2, i]):
                value = float(image[runs[0, i], x, channel])
                total += value
                along += value * (x - low[k, 2])
            out[k, 0] += total
            out[k, 1] += total * (z - low[k, 0])
            out[k, 2] += total * (y - low[k, 1])
            out[k, 3] += along


@njit(cache=True, nogil=True)
def deviations(
    values: NDArray[Any], starts: NDArray[np.int64], medians: NDArray[np.float64], out: NDArray[np.float64], first: int, past: int
) -> None:
    """The median distance from `medians` in each of the segments ``first:past``."""
    for k in range(first, past):
        out[k] = np.median(np.abs(values[starts[k] : starts[k + 1]] - medians[k]))
