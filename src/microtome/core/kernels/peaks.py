"""The peaks of a surface: where it is highest for some way around."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from microtome.core.kernels.bands import in_bands

__all__ = ["peaks"]


def peaks(heights: NDArray[np.int32], regions: NDArray[np.int32], reach: tuple[int, ...]) -> NDArray[np.int64]:
    """Find the pixels that no other pixel of their region, in the box around them, exceeds.

    Parameters
    ----------
    heights : ndarray of int32, axes yx or zyx, C order
        The surface.
    regions : ndarray of int32, same shape
        0 is the outside. Regions do not see each other: each has a peak, its highest pixel.
    reach : tuple of int
        Half the box along each axis, at least 1: the box goes from ``-reach`` to ``+reach``.

    Returns
    -------
    ndarray of int64
        Flat places, ascending. Of equals nearer than `reach` the first in raster order stands for all, so a plateau
        has one peak, or, where it is wider than the box, a few.

    Notes
    -----
    Two peaks are at least `reach` apart along some axis. That a higher peak hides the lower ones around it makes this
    the same as taking peaks from the highest down. The frame hides nothing.
    """
    planes = (1, *heights.shape) if heights.ndim == 2 else heights.shape
    reach = (1, *reach) if heights.ndim == 2 else reach
    surface, inside = heights.reshape(planes), regions.reshape(planes)
    box = np.array(reach, np.int64)
    found = in_bands(lambda first, past: _candidates(surface, inside, box, first, past), planes[0] * planes[1], 128)
    candidates = np.concatenate(found)
    return candidates[_apart(candidates, surface, inside, box)]


@njit(cache=True, nogil=True)
def _candidates(
    heights: NDArray[np.int32], regions: NDArray[np.int32], reach: NDArray[np.int64], first: int, past: int
) -> NDArray[np.int64]:
    """The pixels of some rows, counted through all planes, that nothing in their box exceeds."""
    _, rows, columns = heights.shape
    found = np.empty(64, np.int64)
    count = 0
    for line in range(first, past):
        z, y = line // rows, line % rows
        here, inside = heights[z, y], regions[z, y]
        for x in range(columns):
            region = inside[x]
            # Most pixels are out after a look to the left and right.
            if region == 0:
                continue
            height = here[x]
            if x > 0 and inside[x - 1] == region and here[x - 1] > height:
                continue
            if x + 1 < columns and inside[x + 1] == region and here[x + 1] > height:
                continue
            if _exceeded(heights, regions, z, y, x, reach // reach) or _exceeded(heights, regions, z, y, x, reach):
                continue
            if count == len(found):
                found = np.concatenate((found, np.empty(count, np.int64)))
            found[count] = (z * rows + y) * columns + x
            count += 1
    return found[:count]


@njit(cache=True, nogil=True)
def _exceeded(heights: NDArray[np.int32], regions: NDArray[np.int32], z: int, y: int, x: int, reach: NDArray[np.int64]) -> bool:
    planes, rows, columns = heights.shape
    height, region = heights[z, y, x], regions[z, y, x]
    for k in range(max(z - reach[0], 0), min(z + reach[0] + 1, planes)):
        for j in range(max(y - reach[1], 0), min(y + reach[1] + 1, rows)):
            for i in range(max(x - reach[2], 0), min(x + reach[2] + 1, columns)):
                if heights[k, j, i] > height and regions[k, j, i] == region:
                    return True
    return False


@njit(cache=True, nogil=True)
def _apart(
    candidates: NDArray[np.int64], heights: NDArray[np.int32], regions: NDArray[np.int32], reach: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether each candidate, in raster order, keeps its distance from those taken before it.

    Candidates in one box are equally high, or one would exceed the other.
    """
    planes, rows, columns = heights.shape
    taken = np.zeros(heights.shape, np.bool_)
    chosen = np.zeros(len(candidates), np.bool_)
    for n, place in enumerate(candidates):
        z, y, x = place // (rows * columns), place // columns % rows, place % columns
        near = False
        for k in range(max(z - reach[0] + 1, 0), z + 1):
            for j in range(max(y - reach[1] + 1, 0), min(y + reach[1], rows)):
                for i in range(max(x - reach[2] + 1, 0), min(x + reach[2], columns)):
                    near = near or (taken[k, j, i] and regions[k, j, i] == regions[z, y, x])
                if near:
                    break
        if not near:
            chosen[n] = taken[z, y, x] = True
    return chosen
