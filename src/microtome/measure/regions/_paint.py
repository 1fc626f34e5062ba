"""Kernels between runs and pictures of whole numbers with a border of nothing around them."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["greatest", "paint"]


@njit(cache=True, nogil=True)
def paint(runs: NDArray[np.int32], slots: NDArray[np.int32], height: int, lead: int, canvas: NDArray[np.int32]) -> None:
    """Number the regions' pixels from 1 on a canvas (z, y, x) one pixel larger on every side; `lead` is 1 if that holds for z."""
    for i in range(slots.size):
        z, y = runs[1, i] // height + lead, runs[1, i] % height + 1
        canvas[z, y, runs[2, i] + 1 : runs[3, i] + 1] = slots[i] + 1


@njit(cache=True, nogil=True)
def greatest(
    runs: NDArray[np.int32],
    starts: NDArray[np.int64],
    height: int,
    lead: int,
    canvas: NDArray[np.generic],
    out: NDArray[np.float64],
    first: int,
    past: int,
) -> None:
    """The greatest value on the canvas within each of the regions ``first:past``."""
    for k in range(first, past):
        for i in range(starts[k], starts[k + 1]):
            z, y = runs[0, i] // height + lead, runs[0, i] % height + 1
            for x in range(runs[1, i] + 1, runs[2, i] + 1):
                out[k] = max(out[k], canvas[z, y, x])
