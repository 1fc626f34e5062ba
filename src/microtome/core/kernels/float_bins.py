"""Count floats between edges."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["count_between"]


@njit(cache=True, nogil=True)
def count_between(values: NDArray[Any], edges: NDArray[Any]) -> NDArray[np.int64]:
    """Count the values from each edge (included) to the next (excluded; the last edge is included).

    The edges are evenly spaced up to rounding: arithmetic guesses the bin and the edges themselves settle it, so the
    counts do not depend on how the guess was rounded.

    Parameters
    ----------
    values : ndarray, shape (N,), float32 or float64
        Between the first edge and the last.
    edges : ndarray, shape (bins + 1,), of the same type
        Ascending.

    Returns
    -------
    ndarray of int64, shape (bins,)
    """
    bins = edges.size - 1
    counts = np.zeros((2, bins), np.int64)  # two in turn: neighbours alike need not wait for each other
    low = np.float64(edges[0])
    scale: float = bins / (np.float64(edges[bins]) - low)
    if scale == np.inf:  # a range so small that only the edges can tell
        scale = 0.0
    for i in range(values.size):
        value = values[i]
        b = min(int((np.float64(value) - low) * scale), bins - 1)
        while b > 0 and value < edges[b]:
            b -= 1
        while b < bins - 1 and value >= edges[b + 1]:
            b += 1
        counts[i & 1, b] += 1
    return counts[0] + counts[1]
