"""Objects to polygons along pixel edges, and polygons back to objects: each the exact inverse of the other."""

from __future__ import annotations

from typing import Any

import cc3d
import numpy as np
from numba import njit
from numpy.typing import NDArray

from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.errors import InputError
from microtome.core.events import warn
from microtome.core.outlines import Outlines, Polygon
from microtome.core.raster import InstanceMap

__all__ = ["fill", "trace"]

Ring = NDArray[np.float64]
_FARTHEST = 2**31


def trace(mask: InstanceMap) -> Outlines:
    """Follow the edges of every object.

    Parameters
    ----------
    mask : InstanceMap, axes yx

    Returns
    -------
    Outlines
        Corners are whole numbers; there is none on a straight line. Outer rings turn clockwise on the screen, holes the other way.
        No ring touches itself: pixels that meet only at a corner are parts of their own, and a hole that meets the outside only at
        a corner is a hole. So every polygon is valid for programs that are strict about it.

    Raises
    ------
    InputError
        If the mask is a volume.

    Examples
    --------
    >>> square = np.zeros((12, 12), int)
    >>> square[2:8, 2:8] = 1
    >>> trace(InstanceMap(square)).objects[1][0].outer.tolist()
    [[2.0, 8.0], [8.0, 8.0], [8.0, 2.0], [2.0, 2.0]]
    """
    if mask.ndim != 2:
        raise InputError(f"outlines are for 2-D masks, found axes {mask.axes!r}: take one plane of the volume")
    # pixels of one object that hang together by their sides: each such part has one outer ring, and the rest are its holes
    parts = cc3d.connected_components(np.ascontiguousarray(np.pad(mask.pixels, 1)), connectivity=4).astype(np.int32, copy=False)
    corners, ends = _trace(parts)
    return Outlines((mask.shape[0], mask.shape[1]), _objects(corners, ends, mask.pixels, parts[1:-1, 1:-1]), _class_names(mask))


def _class_names(mask: InstanceMap) -> dict[int, str]:
    return {number: mask.classes.name_of(value) for number, value in mask.object_class.items()}


def _objects(
    corners: NDArray[np.int32], ends: NDArray[np.int64], labels: NDArray[np.int32], parts: NDArray[np.int32]
) -> dict[int, tuple[Polygon, ...]]:
    """Sort rings by part, and parts by object."""
    starts = np.concatenate([[0], ends])[:-1]
    inside = _pixel_right_of(corners[starts], corners[starts + 1])
    points = corners.astype(np.float64)
    outer: dict[int, Ring] = {}
    holes: dict[int, list[Ring]] = {}
    object_of: dict[int, int] = {}
    is_outer = _areas(points, starts, ends) > 0
    rows = zip(starts.tolist(), ends.tolist(), is_outer.tolist(), parts[inside].tolist(), labels[inside].tolist(), strict=True)
    for start, end, is_out, part, label in rows:
        ring = points[start:end]
        if is_out:
            outer[part], object_of[part] = ring, label
        else:
            holes.setdefault(part, []).append(ring)
    polygons: dict[int, list[Polygon]] = {label: [] for label in sorted(set(object_of.values()))}
    for part in sorted(outer):
        polygons[object_of[part]].append(Polygon(outer[part], tuple(holes.get(part, ()))))
    return {label: tuple(found) for label, found in polygons.items()}


def _pixel_right_of(start: NDArray[np.int32], stop: NDArray[np.int32]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The pixel beside the beginning of each edge, on the side where the object is."""
    down, right = (np.sign(stop - start)).T
    return start[:, 0] - ((down < 0) | (right < 0)), start[:, 1] - ((down > 0) | (right < 0))


def _areas(points: NDArray[np.float64], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.float64]:
    """Twice the area of each ring; above zero where it turns clockwise on the screen."""
    if not len(starts):
        return np.zeros(0)
    following = np.arange(1, len(points) + 1)
    following[ends - 1] = starts
    y, x = points.T
    cross = x * y[following] - y * x[following]
    return np.add.reduceat(cross, starts)


@njit(cache=True, nogil=True)
def _trace(parts: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Walk along all edges with the part on the right; `parts` has a border of zeros.

    Returns the corners of all rings (y, x), without the border, and where each ring ends.
    """
    height, width = parts.shape
    room = _count_corners(parts)
    out = np.empty((room, 2), np.int32)
    ends = np.empty(room // 4, np.int64)
    path = np.empty((room, 2), np.int32)
    place = np.zeros((height, width), np.int32)  # where in the path a corner stood last
    walked = np.zeros((height, width), np.bool_)  # the upper edge of a pixel, walked to the right
    filled, rings = 0, 0
    for top in range(1, height - 1):
        for left in range(1, width - 1):
            part = parts[top, left]
            if part == 0 or parts[top - 1, left] == part or walked[top, left]:
                continue
            y, x, heading, length = top, left, 0, 0  # heading: right 0, down 1, left 2, up 3
            while True:
                if heading == 0:
                    walked[y, x] = True
                    x += 1
                elif heading == 1:
                    y += 1
                elif heading == 2:
                    x -= 1
                else:
                    y -= 1
                # of the four pixels around the corner (y, x), the two ahead
                on_the_right = parts[y - (heading > 1), x - (heading == 1 or heading == 2)] == part
                on_the_left = parts[y - (heading == 0 or heading == 3), x - (heading > 1)] == part
                if on_the_right and not on_the_left:
                    continue  # straight on; never the end, since a walk begins at a corner
                heading = (heading + 3) % 4 if on_the_right else (heading + 1) % 4
                if on_the_left and not on_the_right:
                    # two pixels meet at this corner only: a path that was here before has closed a ring
                    seen = place[y, x]
                    if seen < length and path[seen, 0] == y - 1 and path[seen, 1] == x - 1:
                        filled = _append(out, filled, path, seen, length)
                        ends[rings] = filled
                        rings += 1
                        length = seen
                path[length, 0] = y - 1
                path[length, 1] = x - 1
                place[y, x] = length
                length += 1
                if y == top and x == left and heading == 0:
                    break
            filled = _append(out, filled, path, 0, length)
            ends[rings] = filled
            rings += 1
    return out, ends[:rings]


@njit(cache=True, nogil=True)
def _append(out: NDArray[np.int32], filled: int, path: NDArray[np.int32], first: int, past: int) -> int:
    for k in range(first, past):  # a loop compiles ten times faster than slices do
        out[filled, 0] = path[k, 0]
        out[filled, 1] = path[k, 1]
        filled += 1
    return filled


@njit(cache=True, nogil=True)
def _count_corners(parts: NDArray[np.int32]) -> int:
    """Each quarter of a pixel is a corner where both its sides are edges, or neither is and the pixel across is another's."""
    corners = 0
    for y in range(1, parts.shape[0] - 1):
        for x in range(1, parts.shape[1] - 1):
            part = parts[y, x]
            if part == 0:
                continue
            for dy in (-1, 1):
                for dx in (-1, 1):
                    beside, over = parts[y, x + dx] == part, parts[y + dy, x] == part
                    corners += beside == over and (not beside or parts[y + dy, x + dx] != part)
    return corners


def fill(outlines: Outlines) -> InstanceMap:
    """Paint polygons as objects: a pixel belongs to a polygon that holds its centre.

    Parameters
    ----------
    outlines : Outlines
        Corners may be any numbers; what lies outside of `shape` is cut off. Rings may go round either way.

    Returns
    -------
    InstanceMap, axes yx
        Of `outlines.shape`.

    Notes
    -----
    Within a polygon the even-odd rule decides, so a hole is a hole. A centre exactly on an edge is inside when the object lies to the
    right of the edge or below it. Where objects overlap the later one stays. Overlaps, and objects that hold no pixel's centre, are
    warned of with their count.

    Examples
    --------
    >>> half = Polygon(np.array([[0.0, 0.0], [0.0, 4.0], [4.0, 0.0]]))
    >>> fill(Outlines((4, 4), {1: (half,)})).pixels.tolist()
    [[1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    """
    labels = np.zeros(outlines.shape, np.int32)
    overlap = 0
    for label, polygons in outlines.objects.items():
        for polygon in polygons:
            overlap += _paint(polygon, label, labels)
    mask = InstanceMap(labels, **_classes(outlines))
    if overlap:
        warn(f"outlines: objects overlap in {overlap} pixels; each pixel went to the later object")
    if lost := len(outlines.objects) - len(mask):
        warn(f"outlines: {lost} of {len(outlines.objects)} objects hold no pixel's centre, or lie outside of the image or under others")
    return mask


def _classes(outlines: Outlines) -> dict[str, Any]:
    if not outlines.class_names:
        return {}
    names = sorted(set(outlines.class_names.values()))
    value = {name: k for k, name in enumerate(names, 1)}
    table = ClassTable((ClassEntry(0, "background", "background"), *(ClassEntry(k, name) for name, k in value.items())))
    return {"classes": table, "object_class": {number: value[name] for number, name in outlines.class_names.items()}}


def _paint(polygon: Polygon, label: int, labels: NDArray[np.int32]) -> int:
    """Write `label` inside the polygon; the number of pixels that another object had."""
    rings = [ring for ring in (polygon.outer, *polygon.holes) if len(ring) > 2]
    if not rings:
        return 0
    start = np.concatenate(rings)
    if not (np.abs(start) <= _FARTHEST).all():
        raise InputError(f"a polygon has a corner that is not finite, or more than {_FARTHEST} pixels away; correct it")
    stop = np.concatenate([np.roll(ring, -1, axis=0) for ring in rings])
    low, high = start.min(axis=0), start.max(axis=0)
    top, left = (max(0, int(np.floor(edge))) for edge in low)
    bottom, right = (min(size, int(np.ceil(edge))) for edge, size in zip(high, labels.shape, strict=True))
    if top >= bottom or left >= right:
        return 0
    return int(_fill(np.ascontiguousarray(start), np.ascontiguousarray(stop), label, labels[top:bottom, left:right], top, left))


@njit(cache=True, nogil=True)
def _fill(start: NDArray[np.float64], stop: NDArray[np.float64], label: int, window: NDArray[np.int32], top: int, left: int) -> int:
    height, width = window.shape
    flips = np.zeros((height, width + 1), np.bool_)  # the first pixel right of an edge; two of them cancel out
    for k in range(len(start)):
        y0, x0, y1, x1 = start[k, 0] - top, start[k, 1] - left, stop[k, 0] - top, stop[k, 1] - left
        if y0 > y1:
            y0, x0, y1, x1 = y1, x1, y0, x0
        first = min(max(np.ceil(y0 - 0.5), 0.0), float(height))
        past = min(max(np.ceil(y1 - 0.5), 0.0), float(height))
        for row in range(int(first), int(past)):
            crossing = x0 + (row + 0.5 - y0) * (x1 - x0) / (y1 - y0)
            flips[row, int(min(max(np.ceil(crossing - 0.5), 0.0), float(width)))] ^= True
    overlap = 0
    for row in range(height):
        inside = False
        for column in range(width):
            inside ^= flips[row, column]
            if inside:
                before = window[row, column]
                overlap += before != 0 and before != label
                window[row, column] = label
    return overlap
