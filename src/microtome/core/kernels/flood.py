"""The watershed: from markers, basins grow over a surface until they meet."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from microtome.core.kernels.bands import in_bands
from microtome.core.kernels.components import Connectivity
from microtome.core.kernels.level_queue import layers, lines, pop, push

__all__ = ["Meetings", "Seeds", "flood"]

_REGIONS_A_TURN = 256


class Seeds(NamedTuple):
    """Where basins start, region by region.

    Attributes
    ----------
    places : ndarray of int64
        Flat places of the marker pixels, all of a region's together, in the order they are to be flooded.
    basins : ndarray of int32
        The basin of each place: 0, 1, ..., rising from region to region.
    """

    places: NDArray[np.int64]
    basins: NDArray[np.int32]


class Meetings(NamedTuple):
    """Pairs of basins that touch, each with the height of the lower of the two pixels; pairs may stand often."""

    one: NDArray[np.int32]
    other: NDArray[np.int32]
    height: NDArray[np.int32]


def flood(
    heights: NDArray[np.int32],
    regions: NDArray[np.int32],
    count: int,
    seeds: Seeds,
    *,
    connectivity: Connectivity,
    line: bool,
) -> Meetings:
    """Let the seeds' basins grow from the heights down, each within its region, until nothing is left.

    Parameters
    ----------
    heights : ndarray of int32, axes yx or zyx, C order
        The surface upside down: flooded from the highest to the lowest, never below 0.
    regions : ndarray of int32, same shape, C order
        Regions 1..count, 0 the outside. Changed in place: a pixel of basin b becomes ``count + 1 + b``, a pixel on a
        line 0. What no basin reaches keeps its region's number.
    count : int
    seeds : Seeds
    connectivity : "faces" or "full"
        Which pixels water flows between.
    line : bool
        Leave pixels that touch two basins to neither.

    Returns
    -------
    Meetings
        None with `line`.

    Notes
    -----
    Meyer's order: the highest pixel first, of equals the one that was reached first. A pixel belongs to the basin
    that reaches it first; with a line it is given once its turn comes, if all its flooded neighbours agree.

    References
    ----------
    F. Meyer, Signal Processing 38(1), 1994, 113-125, doi:10.1016/0165-1684(94)90060-4.
    """
    if not len(seeds.places):
        nothing = np.empty(0, np.int32)
        return Meetings(nothing, nothing, nothing)
    state, surface = regions.reshape(-1), heights.reshape(-1)
    shape = np.array((1, *heights.shape)[-3:], np.int64)
    around = _neighbours(connectivity, heights.ndim)
    behind = np.empty(heights.size, np.int32)
    turns = _turns(state[seeds.places])
    highest = np.maximum.reduceat(surface[seeds.places], turns[:-1])
    levels = int(max(surface.max() if line or count <= _REGIONS_A_TURN else highest.max(), 0)) + 1

    def work(first: int, past: int) -> Meetings:
        begin, end = turns[first], turns[past]
        return Meetings(*_flood(surface, state, count, seeds.places, seeds.basins, begin, end, shape, around, line, levels, layers(levels), behind))

    return Meetings(*(np.concatenate(parts) for parts in zip(*in_bands(work, len(turns) - 1, _REGIONS_A_TURN), strict=True)))
