"""Split objects that touch, at their waists."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from microtome.core.explain import explain, listening
from microtome.core.kernels.basins import Basins, basins, join, objects_from
from microtome.core.kernels.components import Regions, objects_of, renumber
from microtome.core.kernels.distance import distance
from microtome.core.parameters import Length, Range
from microtome.core.raster import InstanceMap, SemanticMap
from microtome.core.step import step
from microtome.core.tiling import Mergeable

__all__ = ["split_touching"]


@step(tiling=Mergeable("component"))
def split_touching(
    mask: SemanticMap | InstanceMap,
    *,
    min_distance: Annotated[float, Length(min=0, search=(3, 30))] = 7,
    h: Annotated[float, Length(min=0, search=(0, 3))] = 1,
    neck: Annotated[float, Range(0, 1, search=(0.75, 1))] = 1,
) -> InstanceMap:
    """Cut round things that touch apart: by the distance to the background, its peaks, and a watershed.

    Parameters
    ----------
    mask : SemanticMap or InstanceMap, axes yx or zyx
        Each connected piece of one class, or of one object, is split on its own.
    min_distance : length, in pixels of the finest axis or with a unit ("5 um")
        Two centres are at least this far apart along some axis, and no point nearer to a centre lies deeper.
    h : length, in pixels of the finest axis or with a unit
        Parts are joined again where the smaller one's depth rises less than this above the waist between them: 1 forgives
        the steps of a pixel's outline.
    neck : float
        Parts are joined again where the waist is at least this share of the smaller one's width. 1 joins only what has no
        waist at all; 0.85 also keeps a bean or a bent rod whole. It means the same for small and large objects.

    Returns
    -------
    InstanceMap
        Numbered in raster order. Classes and scores pass to the parts.

    Notes
    -----
    The depth is the exact Euclidean distance to the background, by the mask's spacing. An object cut by the frame goes on
    beyond it. A plateau has one centre, at its first pixel. Pieces that touch only at a corner are apart from the start, and
    the flood goes across sides only, as scikit-image's `watershed` does.

    References
    ----------
    F. Meyer, Topographic distance and watershed lines, Signal Processing 38(1), 1994, 113-125,
    doi:10.1016/0165-1684(94)90060-4.

    Examples
    --------
    Two discs of radius 6 whose centres are 10 apart:

    >>> y, x = np.ogrid[:15, :25]
    >>> discs = (np.hypot(y - 7, x - 7) < 6) | (np.hypot(y - 7, x - 17) < 6)
    >>> len(split_touching(discs, min_distance=4))
    2
    """
    pieces = objects_of(mask, "faces")
    plain = isinstance(mask, SemanticMap) and len(set(pieces.values[1:].tolist())) <= 1
    depth = distance(pieces.labels > 0 if plain else pieces.labels, mask.aspect)
    found = basins(depth, pieces.labels, pieces.count, min_distance=min_distance, aspect=mask.aspect, full=False)
    one_each = np.arange(len(found.heights) + 1, dtype=np.int32)
    kinds = pieces.values[pieces.labels[_at(found)]]  # a class, or an object: parts of different ones stay apart
    table = objects_from(found, join(found, depth, h=h, neck=neck, groups=kinds) if h or neck < 1 else one_each)
    if listening():
        explain("map", "How deep inside its object each pixel lies: the distance to the background.", values=depth)
        explain("markers", "The deepest points, one for each part the objects are cut into.", labels=_markers(found, table))
    parts = Regions(renumber(found.labels, table), pieces.values[_parents(found, table, pieces.labels)])
    return InstanceMap(parts.labels, **mask.geometry(), **parts.inherited(mask))


def _markers(found: Basins, table: NDArray[np.int32]) -> NDArray[np.int32]:
    """A small mark at each peak, with its object's number."""
    marks = np.zeros(found.labels.shape, np.int32)
    for number, place in enumerate(found.places.tolist(), 1):
        at = place[3 - marks.ndim :]
        marks[tuple(slice(max(0, p - 2), p + 3) for p in at)] = table[number]
    return marks


def _parents(found: Basins, table: NDArray[np.int32], pieces: NDArray[np.int32]) -> NDArray[np.int64]:
    """The piece each object is a part of; index 0 is the background."""
    parents = np.zeros(int(table.max(initial=0)) + 1, np.int64)
    parents[table[1:]] = pieces[_at(found)]
    return parents


def _at(found: Basins) -> tuple[NDArray[np.int64], ...]:
    """The places of the peaks as an index."""
    return tuple(found.places[:, 3 - found.labels.ndim :].T)
