"""An object's area in the other form: polygons from runs, runs from polygons, and whole maps of either."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.errors import InputError
from microtome.core.events import warn
from microtome.core.kernels.outlines import trace
from microtome.core.kernels.patches import patch_of, union
from microtome.core.kernels.run_lengths import encode_each
from microtome.core.kernels.scan_lines import scan
from microtome.core.objects import Object, Objects, Runs
from microtome.core.outlines import Outlines, Polygon
from microtome.core.raster import InstanceMap, SemanticMap

__all__ = ["class_map", "instance_map", "objects_of", "outlines_of", "polygons_of", "runs_of"]

_MOST_PIXELS = 1 << 31  # of a map: 8 GiB
_MOST_TRACED = 1 << 28  # of an object whose outline is followed: 5 GiB


def objects_of(mask: InstanceMap, *, image: str = "") -> Objects:
    """The objects of a 2-D map as runs, exact in every pixel.

    Examples
    --------
    >>> found = objects_of(InstanceMap(np.array([[5, 5, 0], [0, 9, 9]])))
    >>> [(item.number, item.runs.area) for item in found.items]
    [(5, 2), (9, 2)]
    """
    if mask.ndim != 2:
        raise InputError(f"objects are of 2-D masks, found axes {mask.axes!r}: take one plane of the volume")
    things = tuple(entry for entry in mask.classes if entry.role == "thing") if mask.object_class else ()
    items = tuple(
        Object(
            number,
            runs=runs,
            class_name=mask.classes.name_of(mask.object_class[number]) if number in mask.object_class else "",
            score=mask.object_score.get(number),
        )
        for number, runs in encode_each(mask.pixels).items()
    )
    return Objects((mask.shape[0], mask.shape[1]), items, image, ClassTable(things))


def outlines_of(objects: Objects) -> Outlines:
    """The polygons of all objects that have an area; boxes are taken as rectangles only where there is nothing more."""
    return Outlines(
        objects.shape,
        {item.number: polygons_of(item) for item in objects.items},
        {item.number: item.class_name for item in objects.items if item.class_name},
    )


def polygons_of(item: Object) -> tuple[Polygon, ...]:
    """An object's polygons: its own, or those along the pixel edges of its runs, or its box as a rectangle.

    Raises
    ------
    InputError
        If its runs are of more pixels than an outline is followed around, 2 ** 28.

    Examples
    --------
    >>> polygons_of(Object(1, runs=Runs((4, 9), np.array([5, 2, 29]))))[0].outer.tolist()
    [[1.0, 2.0], [3.0, 2.0], [3.0, 1.0], [1.0, 1.0]]
    """
    if item.runs is None:
        return item.polygons or (_rectangle(item.box),)
    top, left, bottom, right = item.runs.box
    if (bottom - top) * (right - left) > _MOST_TRACED:
        raise InputError(f"object {item.number}: its mask is {bottom - top:.0f} x {right - left:.0f} pixels, and outlines of up to "
                         f"{_MOST_TRACED} are followed; cut the image into tiles")  # fmt: skip
    pixels, top, left = patch_of(item.runs)
    if not pixels.size:
        return ()
    return _moved(trace(InstanceMap(pixels.astype(np.int32))).objects[1], top, left)


def _rectangle(box: tuple[float, float, float, float]) -> Polygon:
    top, left, bottom, right = box
    return Polygon(np.array([[top, left], [top, right], [bottom, right], [bottom, left]], np.float64))


def _moved(polygons: Sequence[Polygon], down: int, right: int) -> tuple[Polygon, ...]:
    step = np.array([down, right], np.float64)
    return tuple(Polygon(polygon.outer + step, tuple(hole + step for hole in polygon.holes)) for polygon in polygons)


def runs_of(item: Object, shape: tuple[int, int]) -> Runs:
    """An object's mask: a pixel belongs to a polygon that holds its centre; overlapping parts are one area.

    Raises
    ------
    InputError
        If a corner is not finite, or more than 2 ** 31 pixels away.

    Examples
    --------
    >>> half = Polygon(np.array([[0.0, 0.0], [0.0, 4.0], [4.0, 0.0]]))
    >>> runs_of(Object(1, (half,)), (4, 4)).counts.tolist()
    [0, 3, 1, 2, 2, 1, 7]
    """
    if item.runs is not None:
        return item.runs
    masks = [scan(polygon, shape) for polygon in polygons_of(item)]
    return masks[0] if len(masks) == 1 else union(masks)


def instance_map(objects: Objects) -> InstanceMap:
    """Paint all objects, each pixel once: the later object lies on top, unless the file gives scores, then the surer one.

    Raises
    ------
    InputError
        If the image is larger than any map, 2 ** 31 pixels.

    Notes
    -----
    Crowds, and objects of which only a box is known, have no area of their own: they are left out. That, overlaps, and objects that
    end up without a pixel are warned of with their count.

    Examples
    --------
    >>> from microtome.core.kernels.run_lengths import encode
    >>> first = Object(1, runs=encode(np.array([[1, 1, 0]])), score=0.9)
    >>> second = Object(2, runs=encode(np.array([[0, 1, 1]])), score=0.4)
    >>> from microtome.core.events import collect_warnings
    >>> with collect_warnings() as said:
    ...     instance_map(Objects((1, 3), (first, second))).pixels.tolist()
    [[1, 1, 2]]
    >>> said
    ['objects overlap in 1 pixels; each pixel went to the surer object']
    """
    place = f"{objects.image}: " if objects.image else ""
    painted = [item for item in objects.items if not item.crowd and item.form != "box"]
    if left_out := len(objects.items) - len(painted):
        warn(f"{place}{left_out} of {len(objects.items)} objects are crowds or boxes without an area, and were left out of the mask")
    scored = bool(painted) and all(item.score is not None for item in painted)
    if scored:
        painted = sorted(painted, key=lambda item: item.score or 0.0)
    labels, overlap = _empty(objects), 0
    for item in painted:
        overlap += _put(item, labels)
    if overlap:
        warn(f"{place}objects overlap in {overlap} pixels; each pixel went to the {'surer' if scored else 'later'} object")
    mask = InstanceMap(labels, source=objects.image, **_facts(objects, painted))
    if lost := len(painted) - len(mask):
        warn(f"{place}{lost} of {len(painted)} objects hold no pixel's centre, or lie outside of the image or under others")
    return mask


def _empty(objects: Objects) -> NDArray[np.int32]:
    height, width = objects.shape
    if height * width > _MOST_PIXELS:
        raise InputError(f"{objects.image or 'an image'}: its annotations say {height} x {width} pixels, and maps of up to {_MOST_PIXELS} "
                         "are painted; correct the size, or cut the image into tiles")  # fmt: skip
    return np.zeros(objects.shape, np.int32)


def _put(item: Object, labels: NDArray[np.int32]) -> int:
    """Write the object's number over its pixels; how many of them another object had."""
    pixels, top, left = patch_of(runs_of(item, (labels.shape[0], labels.shape[1])))
    window = labels[top : top + pixels.shape[0], left : left + pixels.shape[1]]
    overlap = int(np.count_nonzero(window[pixels]))
    window[pixels] = item.number
    return overlap


def _facts(objects: Objects, painted: Sequence[Object]) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    value = {entry.name: entry.value for entry in objects.classes}
    if any(item.class_name for item in painted):
        facts["object_class"] = {item.number: value[item.class_name] for item in painted if item.class_name}
        facts["classes"] = _with_background(objects.classes)
    if scores := {item.number: item.score for item in painted if item.score is not None}:
        facts["object_score"] = scores
    return facts


def _with_background(classes: ClassTable) -> ClassTable:
    if any(entry.value == 0 or entry.name == "background" for entry in classes):
        return classes
    return ClassTable((ClassEntry(0, "background", "background"), *classes))


def class_map(objects: Objects) -> SemanticMap:
    """Paint the class of all objects, crowds too, in order; where a class has the value 0 it cannot be told from the background.

    Raises
    ------
    InputError
        If an object has no class, or a class has the value 0; if the image is larger than any map, 2 ** 31 pixels.
    """
    place = f"{objects.image}: " if objects.image else ""
    value = {entry.name: entry.value for entry in objects.classes}
    for item in objects.items:
        if not value.get(item.class_name):
            raise InputError(f"{place}object {item.number} has {'no class' if not item.class_name else 'the class of value 0'}; a map of "
                             "classes needs a value above 0 for each object")  # fmt: skip
    painted = [item for item in objects.items if item.form != "box"]
    if left_out := len(objects.items) - len(painted):
        warn(f"{place}{left_out} of {len(objects.items)} objects are boxes without an area, and were left out of the mask")
    pixels = _empty(objects)
    for item in painted:
        patch, top, left = patch_of(runs_of(item, objects.shape))
        pixels[top : top + patch.shape[0], left : left + patch.shape[1]][patch] = value[item.class_name]
    return SemanticMap(pixels, source=objects.image, classes=_with_background(objects.classes))
