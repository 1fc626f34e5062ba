"""Cut each connected piece at the valleys between its peaks: automatic markers, then a flood.

A piece is solved alone, so pieces are shared among threads, and a piece with one peak needs no flood at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from microtome.core.kernels.bands import in_bands
from microtome.core.kernels.components import in_raster_order
from microtome.core.kernels.flood import flood
from microtome.core.kernels.peaks import peaks

__all__ = ["Basins", "basins", "boxes", "flood_pieces", "join", "objects_from", "steps_around"]

PIECES_AT_ONCE = 128


@dataclass(frozen=True, eq=False)
class Basins:
    """Basins in the order of their pieces.

    Attributes
    ----------
    labels : ndarray of int32
        Numbers from 1, in the shape of the pieces. Lines are 0.
    heights : ndarray of float32, (count,)
        The height of each basin's peak.
    places : ndarray of int64, (count, 3)
        Where the peak is: z, y, x.
    """

    labels: NDArray[np.int32]
    heights: NDArray[np.float32]
    places: NDArray[np.int64]


def boxes(labels: NDArray[np.int32], count: int) -> NDArray[np.int32]:
    """The box of each piece 1..count, shape (count, 6): z0, z1, y0, y1, x0, x1, half-open; a flat image is plane 0."""
    import cc3d

    if not count:
        return np.zeros((0, 6), np.int32)
    found = cc3d.statistics(labels.view(np.uint32), no_slice_conversion=True)["bounding_boxes"][1:].astype(np.int32)
    found[:, 1::2] += 1
    return found if labels.ndim == 3 else np.column_stack([np.zeros(count, np.int32), np.ones(count, np.int32), found[:, :4]])


def steps_around(ndim: int, *, full: bool = True) -> NDArray[np.int64]:
    """Steps (z, y, x) to the neighbours of a pixel: 8 or 4, 26 or 6."""
    grid = np.array(list(np.ndindex(3, 3, 3))) - 1
    inside = grid[(ndim == 3) | (grid[:, 0] == 0)]
    distance = np.abs(inside).sum(axis=1)
    return np.ascontiguousarray(inside[(distance > 0) & (full | (distance == 1))]).astype(np.int64)


def basins(
    heights: NDArray[np.float32],
    pieces: NDArray[np.int32],
    count: int,
    *,
    min_distance: float,
    aspect: Sequence[float],
    full: bool = True,
    line: bool = False,
) -> Basins:
    """Split pieces 1..count at the valleys between peaks that are at least `min_distance` apart.

    Parameters
    ----------
    heights : ndarray of float32, yx or zyx
    pieces : ndarray of int32, same shape
    count : int
    min_distance : float
        In units of the finest axis, along the axis where two peaks are farthest apart (a Chebyshev box).
    aspect : sequence of float
        The spacing of each axis in units of the finest one.
    full : bool
        Flood over 8 or 26 neighbours, rather than 4 or 6.
    line : bool
        Leave the pixels where two floods meet out.
    """
    spread = np.array([1.0, *aspect] if heights.ndim == 2 else list(aspect))
    volume, numbered = (array[None] if array.ndim == 2 else array for array in (heights, pieces))
    around, flooded = steps_around(heights.ndim), steps_around(heights.ndim, full=full)
    reach = np.floor(np.minimum(min_distance / spread, max(heights.shape))).astype(np.int64)
    out = np.zeros(volume.shape, np.int32)
    boxed = boxes(pieces, count)

    def solve(first: int, past: int) -> tuple[Any, Any]:
        return _solve(volume, numbered, boxed, first, past, around, flooded, reach, float(min_distance), spread, line, out)

    parts = in_bands(solve, count, PIECES_AT_ONCE) if count else []
    if not parts:
        return Basins(out.reshape(heights.shape), np.zeros(0, np.float32), np.zeros((0, 3), np.int64))
    counts = np.concatenate([part[0] for part in parts])
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int32)
    _shift(out, numbered, starts)
    places = np.concatenate([part[1] for part in parts])
    return Basins(out.reshape(heights.shape), volume[tuple(places.T)], places)


@njit(cache=True, nogil=True)
def _solve(heights, pieces, boxed, first, past, around, flooded, reach, spacing, aspect, line, out):  # type: ignore[no-untyped-def]
    """Number the basins of pieces first..past-1 from 1 within each; their counts, and the places of their peaks."""
    room = 1
    for k in range(first, past):
        box = boxed[k]
        room = max(room, (box[1] - box[0]) * (box[3] - box[2]) * (box[5] - box[4]))
    stack, found = np.empty((room, 3), np.int64), np.empty((room, 3), np.int64)
    turns = room * (len(flooded) + 1) if line else room
    keys, ages = np.empty(turns, np.float32), np.empty(turns, np.int64)
    places, numbers = np.empty(turns, np.int64), np.empty(turns, np.int32)
    counts = np.zeros(past - first, np.int32)
    where, total = np.empty((4 * (past - first), 3), np.int64), 0
    for k in range(first, past):
        box, piece = boxed[k], k + 1
        number = peaks(heights, pieces, piece, box, around, reach, spacing, aspect, out, stack, found, keys, ages, places, numbers)
        counts[k - first] = number
        for j in range(number):
            if total == len(where):
                where = _twice_as_long(where)
            for axis in range(3):
                where[total, axis] = found[j, axis]
            total += 1
        for z in range(box[0], box[1]):
            for y in range(box[2], box[3]):
                for x in range(box[4], box[5]):
                    if pieces[z, y, x] == piece:
                        out[z, y, x] = 1 if number == 1 else 0
        if number > 1:
            for j in range(number):
                out[found[j, 0], found[j, 1], found[j, 2]] = j + 1
            flood(heights, pieces, piece, box, flooded, line, out, keys, ages, places, numbers)
    return counts, where[:total]


@njit(cache=True, nogil=True)
def flood_pieces(heights, pieces, boxed, first, past, around, line, out):  # type: ignore[no-untyped-def]
    """Flood pieces first..past-1 from the markers in `out`, each on its own; arrays are zyx."""
    room = 1
    for k in range(first, past):
        box = boxed[k]
        room = max(room, (box[1] - box[0]) * (box[3] - box[2]) * (box[5] - box[4]))
    turns = room * (len(around) + 1) if line else room
    keys, ages = np.empty(turns, np.float32), np.empty(turns, np.int64)
    places, numbers = np.empty(turns, np.int64), np.empty(turns, np.int32)
    for k in range(first, past):
        flood(heights, pieces, k + 1, boxed[k], around, line, out, keys, ages, places, numbers)


@njit(cache=True, nogil=True)
def _shift(out, pieces, starts):  # type: ignore[no-untyped-def]
    """Turn numbers within a piece into numbers over all; lines and what no flood reached become 0."""
    for z in range(out.shape[0]):
        for y in range(out.shape[1]):
            for x in range(out.shape[2]):
                if out[z, y, x] > 0:
                    out[z, y, x] += starts[pieces[z, y, x] - 1]
                else:
                    out[z, y, x] = 0


def join(
    found: Basins, heights: NDArray[np.float32], *, h: float, neck: float, groups: NDArray[np.int64] | None = None
) -> NDArray[np.int32]:
    """Which basins are one object after all: the new number of each (index 0 is the background).

    Two touching basins are joined, the pair with the highest saddle first, where the lower peak rises less than `h`
    above the saddle, or where the saddle is at least `neck` of the lower peak: a waist that is hardly one. Basins of
    different `groups` (one entry a basin, in order) stay apart.
    """
    parent = list(range(len(found.heights) + 1))
    group = [0] * len(parent) if groups is None else [0, *groups.tolist()]
    peak = [0.0, *found.heights.tolist()]
    for first, second, saddle in _saddles(found.labels, heights):
        a, b = _root(parent, first), _root(parent, second)
        if a == b or group[a] != group[b]:
            continue
        low, high = (a, b) if (peak[a], -a) < (peak[b], -b) else (b, a)
        if peak[low] - saddle < h or saddle >= neck * peak[low]:
            parent[low] = high
    return np.array([_root(parent, k) for k in range(len(parent))], np.int32)


def _root(parent: list[int], k: int) -> int:
    while parent[k] != k:
        parent[k] = parent[parent[k]]
        k = parent[k]
    return k


def _saddles(labels: NDArray[np.int32], heights: NDArray[np.float32]) -> list[tuple[int, int, float]]:
    """Each pair of touching basins with the highest point one can cross at, highest first."""
    volume, levels = (array[None] if array.ndim == 2 else array for array in (labels, heights))
    steps = steps_around(labels.ndim)
    forward = np.ascontiguousarray(steps[len(steps) // 2 :])
    parts = in_bands(lambda first, past: _touching(volume, levels, forward, first, past), volume.shape[1], 256)
    pairs = np.concatenate([part[0] for part in parts])
    crossings = np.concatenate([part[1] for part in parts])
    if not len(pairs):
        return []
    order = np.lexsort((-crossings, pairs[:, 1], pairs[:, 0]))
    pairs, crossings = pairs[order], crossings[order]
    best = np.concatenate([[True], (np.diff(pairs, axis=0) != 0).any(axis=1)])
    pairs, crossings = pairs[best], crossings[best]
    order = np.argsort(-crossings, kind="stable")
    return [(int(a), int(b), float(s)) for (a, b), s in zip(pairs[order].tolist(), crossings[order].tolist(), strict=True)]


@njit(cache=True, nogil=True)
def _touching(labels, heights, forward, first, past):  # type: ignore[no-untyped-def]
    """Pairs of different basins that touch, rows first..past-1, and the lower height of the two pixels."""
    depth, height, width = labels.shape
    pairs, crossings = [(np.int32(0), np.int32(0))], [np.float32(0)]
    for z in range(depth):
        for y in range(first, past):
            for x in range(width):
                one = labels[z, y, x]
                if one == 0:
                    continue
                for k in range(len(forward)):
                    a, b, c = z + forward[k, 0], y + forward[k, 1], x + forward[k, 2]
                    if a < depth and 0 <= b < height and 0 <= c < width:
                        other = labels[a, b, c]
                        if other != 0 and other != one:
                            pairs.append((min(one, other), max(one, other)))
                            crossings.append(min(heights[z, y, x], heights[a, b, c]))
    total = len(crossings) - 1
    pairs_found, crossings_found = np.empty((total, 2), np.int32), np.empty(total, np.float32)
    for k in range(total):
        pairs_found[k, 0], pairs_found[k, 1] = pairs[k + 1]
        crossings_found[k] = crossings[k + 1]
    return pairs_found, crossings_found


@njit(cache=True, nogil=True)
def _twice_as_long(rows):  # type: ignore[no-untyped-def]
    """The same rows and room for as many more; by hand, since numpy's functions take a second each to compile."""
    longer = np.empty((2 * len(rows), rows.shape[1]), rows.dtype)
    for k in range(len(rows)):
        for j in range(rows.shape[1]):
            longer[k, j] = rows[k, j]
    return longer


def objects_from(found: Basins, new: NDArray[np.int32]) -> NDArray[np.int32]:
    """The object of each basin (index 0 is the background), numbered by raster order; `new` is what `join` gives.

    Apply it with `components.renumber`.
    """
    order = in_raster_order(found.labels, len(found.heights))
    earliest = np.full(len(new), len(new), np.int32)
    np.minimum.at(earliest, new[1:], np.where(order[1:] > 0, order[1:], len(new)).astype(np.int32))
    _, rank = np.unique(earliest[new[1:]], return_inverse=True)
    return np.concatenate([[0], rank + 1]).astype(np.int32)
