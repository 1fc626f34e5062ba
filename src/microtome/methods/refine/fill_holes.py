"""Fill the holes that objects enclose."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from microtome.core.kernels.components import areas, label
from microtome.core.parameters import Range
from microtome.core.raster import InstanceMap, SemanticMap
from microtome.core.step import step
from microtome.core.tiling import Mergeable
from microtome.methods.refine._survivors import numbered

__all__ = ["fill_holes"]


@step(tiling=Mergeable("component"), channels="refused")
def fill_holes(
    mask: SemanticMap | InstanceMap, *, max_area: Annotated[int, Range(1, unit="px", search=(10, 5000), log=True)] | None = None
) -> SemanticMap | InstanceMap:
    """Give the background that an object encloses to that object.

    Parameters
    ----------
    mask : SemanticMap or InstanceMap, axes yx or zyx
    max_area : int, in pixels (voxels in 3-D), or none (default)
        Larger holes stay open. None fills them all.

    Returns
    -------
    SemanticMap or InstanceMap
        As given, holes filled. Objects inside a hole stay as they are.

    Notes
    -----
    A hole is a piece of background from which no way over sides leads to the frame: objects join across corners (8
    neighbours in 2-D, 26 in 3-D), so the background must not (4, 6). A notch at the frame is no hole.

    In an InstanceMap each object is filled on its own: a gap that several touching objects enclose only together stays
    open. In a SemanticMap a hole is what the whole foreground encloses, and takes the class that borders most of it,
    the lowest of equals; ignored pixels are taken for background, but never filled.

    Examples
    --------
    >>> ring = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], bool)
    >>> int(fill_holes(ring).pixels.sum())
    9
    """
    inside = mask.foreground() if isinstance(mask, SemanticMap) else mask.pixels != 0
    gaps, count = label(~inside, "faces")
    closed = _away_from_the_frame(gaps, count)
    if max_area is not None:
        closed &= areas(gaps, count) <= max_area
    if not closed.any():
        return mask
    where = np.flatnonzero(closed[gaps])
    rim = _rim(where, gaps, inside, mask.pixels)
    if isinstance(mask, SemanticMap):
        filling = _class_that_borders_most(rim, count)
        where = where[~np.isin(mask.pixels.ravel()[where], mask.classes.values("ignore"))]
    else:
        filling = _object_around(rim, gaps, count, mask)
        where = where[filling[gaps.ravel()[where]] > 0]
    pixels = mask.pixels.copy()
    pixels.reshape(-1)[where] = filling[gaps.ravel()[where]]
    return mask.with_pixels(pixels)


def _away_from_the_frame(gaps: NDArray[np.int32], count: int) -> NDArray[np.bool_]:
    """Which gaps have no pixel in the outermost rows, columns and planes."""
    away = np.ones(count + 1, bool)
    away[0] = False
    for axis in range(gaps.ndim):
        across = np.moveaxis(gaps, axis, 0)
        away[across[0]] = False
        away[across[-1]] = False
    return away


class _Rim(NamedTuple):
    """Each gap with each value on its rim, by gap, then value; how many pixel sides the two share."""

    gap: NDArray[np.int64]
    value: NDArray[np.int64]
    sides: NDArray[np.int64]


def _rim(where: NDArray[np.intp], gaps: NDArray[np.int32], inside: NDArray[np.bool_], pixels: NDArray[Any]) -> _Rim:
    """What borders the gaps that have the pixels `where`; none of them lies at the frame, so all have neighbours."""
    steps = [step * stride // gaps.itemsize for stride in gaps.strides for step in (-1, 1)]
    beside = [where[inside.ravel()[where + step]] for step in steps]
    values = [pixels.ravel()[at + step] for at, step in zip(beside, steps, strict=True)]
    # Gap and value in one number: sorting those is many times faster than sorting pairs.
    low_half = np.concatenate(values).astype(np.int32).view(np.uint32)
    found, sides = np.unique(gaps.ravel()[np.concatenate(beside)].astype(np.int64) << 32 | low_half, return_counts=True)
    return _Rim(found >> 32, found.astype(np.uint32).view(np.int32).astype(np.int64), sides)


def _class_that_borders_most(rim: _Rim, count: int) -> NDArray[np.int64]:
    """For each gap the value with most sides on its rim; the lowest of equals."""
    filling = np.zeros(count + 1, np.int64)
    last_wins = np.lexsort((-rim.value, rim.sides))
    filling[rim.gap[last_wins]] = rim.value[last_wins]
    return filling


def _object_around(rim: _Rim, gaps: NDArray[np.int32], count: int, mask: InstanceMap) -> NDArray[np.int64]:
    """For each gap the one object that encloses it alone, or 0."""
    filling = np.zeros(count + 1, np.int64)
    neighbours = np.bincount(rim.gap, minlength=count + 1)
    single = neighbours[rim.gap] == 1
    filling[rim.gap[single]] = rim.value[single]
    if single.all():
        return filling
    objects = numbered(mask)
    boxes, gap_boxes = find_objects(objects.labels), find_objects(gaps)
    for gap, value in zip(rim.gap[~single].tolist(), rim.value[~single].tolist(), strict=True):
        box = boxes[int(np.searchsorted(objects.values, value)) - 1]
        if _inside(gap_boxes[gap - 1], box) and _encloses(mask.pixels[box] == value, gaps[box] == gap):
            filling[gap] = value
    return filling


def _inside(inner: tuple[slice, ...], outer: tuple[slice, ...]) -> bool:
    return all(a.start > b.start and a.stop < b.stop for a, b in zip(inner, outer, strict=True))


def _encloses(one: NDArray[np.bool_], gap: NDArray[np.bool_]) -> bool:
    """Whether no way over sides leads from the gap out of the object's box without crossing the object."""
    around, count = label(~one, "faces")
    return bool(_away_from_the_frame(around, count)[around[gap][0]])
