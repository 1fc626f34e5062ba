"""Moments about the centroid from runs: along a run, powers of a place have a closed form."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["central"]


@njit(cache=True, nogil=True)
def central(
    runs: NDArray[np.int32],
    starts: NDArray[np.int64],
    height: int,
    centres: NDArray[np.float64],
    aspect: NDArray[np.float64],
    exponents: NDArray[np.int64],
    out: NDArray[np.float64],
    first: int,
    past: int,
) -> None:
    """Sums over the pixels of the regions ``first:past`` of products of their distances from `centres`: (regions, exponents).

    `exponents` are the powers of z, y and x, each at most 3; `aspect` is the length of a step along each.
    """
    z, y, x = np.ones(4), np.ones(4), np.ones(4)
    for k in range(first, past):
        for i in range(starts[k], starts[k + 1]):
            n = float(runs[2, i] - runs[1, i])
            dz = (runs[0, i] // height - centres[k, 0]) * aspect[0]
            dy = (runs[0, i] % height - centres[k, 1]) * aspect[1]
            dx = ((runs[1, i] + runs[2, i] - 1) / 2 - centres[k, 2]) * aspect[2]
            spread = n * (n * n - 1) / 12 * aspect[2] * aspect[2]  # second moment of the run about its middle
            for power in range(1, 4):
                z[power] = z[power - 1] * dz
                y[power] = y[power - 1] * dy
            x[0], x[1], x[2], x[3] = n, n * dx, n * dx * dx + spread, n * dx * dx * dx + 3 * dx * spread
            for e in range(exponents.shape[0]):
                out[k, e] += z[exponents[e, 0]] * y[exponents[e, 1]] * x[exponents[e, 2]]
