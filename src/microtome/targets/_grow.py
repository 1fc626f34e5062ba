"""Grow seeds over the foreground around them until they meet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from microtome.core.kernels.bands import in_bands
from microtome.core.kernels.basins import PIECES_AT_ONCE, boxes, flood_pieces, steps_around
from microtome.core.kernels.components import areas, in_raster_order, label, renumber
from microtome.core.kernels.distance import distance

__all__ = ["grow", "seeds_of"]


def seeds_of(inner: NDArray[np.bool_], min_area: int) -> NDArray[np.int32]:
    """Number the pieces of the inner pixels, corners joined; those smaller than `min_area` are 0."""
    seeds, count = label(inner, "full")
    if min_area > 1 and count:
        keep = areas(seeds, count) >= min_area
        keep[0] = False
        seeds = renumber(seeds, np.where(keep, np.cumsum(keep), 0).astype(np.int32))
    return seeds


def grow(
    seeds: NDArray[np.int32], inside: NDArray[np.bool_], aspect: Sequence[float], heights: NDArray[np.float32] | None = None
) -> NDArray[np.int32]:
    """Flood the inside from the seeds, highest first.

    Parameters
    ----------
    seeds : ndarray of int32, axes yx or zyx
        0 or the number of a seed.
    inside : ndarray of bool, same shape
        What is shared out. A piece of it (over faces) without a seed becomes an object of its own.
    aspect : sequence of float
        The spacing of each axis in units of the finest.
    heights : ndarray of float32, optional
        The relief; by default the distance to the nearest seed of the same piece, nearest first.

    Returns
    -------
    ndarray of int32
        Objects numbered in raster order. No piece's objects depend on another's.

    Notes
    -----
    The flood of the step `watershed`, first come first served within a level (Meyer 1994), where a piece holds several seeds.
    """
    pieces, count = label(inside, "faces")
    out = np.where(inside, seeds, 0).astype(np.int32)
    seeded = out > 0
    owner = np.zeros(count + 1, np.int32)
    owner[pieces[seeded]] = out[seeded]
    several = np.zeros(count + 1, bool)
    several[pieces[seeded][out[seeded] != owner[pieces[seeded]]]] = True
    alone = owner == 0
    owner[alone] = int(out.max(initial=0)) + np.arange(np.count_nonzero(alone))  # the first is the background's
    owner[0] = 0
    out = np.where(several[pieces], out, owner[pieces])
    _flood(out, pieces, count, np.flatnonzero(several), aspect, heights)
    return renumber(out, in_raster_order(out, int(out.max(initial=0))))


def _flood(
    out: NDArray[np.int32],
    pieces: NDArray[np.int32],
    count: int,
    several: NDArray[np.int64],
    aspect: Sequence[float],
    heights: NDArray[np.float32] | None,
) -> None:
    """Share out the pieces that hold several seeds, in place."""
    if not len(several):
        return
    boxed = boxes(pieces, count)
    relief = _nearness(out, pieces, several, boxed, aspect) if heights is None else heights
    volume, numbered, flooded = (array[None] if array.ndim == 2 else array for array in (relief, pieces, out))
    around = steps_around(out.ndim, full=False)

    def work(first: int, past: int) -> None:
        for piece in several[first:past].tolist():
            flood_pieces(volume, numbered, boxed, piece - 1, piece, around, False, flooded)

    in_bands(work, len(several), PIECES_AT_ONCE)


def _nearness(
    seeds: NDArray[np.int32], pieces: NDArray[np.int32], several: NDArray[np.int64], boxed: NDArray[np.int32], aspect: Sequence[float]
) -> NDArray[np.float32]:
    """Minus the distance to the nearest seed of the same piece."""
    relief = np.zeros(seeds.shape, np.float32)
    for piece in several.tolist():
        z0, z1, y0, y1, x0, x1 = boxed[piece - 1].tolist()
        box = (slice(z0, z1), slice(y0, y1), slice(x0, x1))[3 - seeds.ndim :]
        own = pieces[box] == piece
        relief[box][own] = -distance(~(own & (seeds[box] > 0)), tuple(aspect))[own]
    return relief
