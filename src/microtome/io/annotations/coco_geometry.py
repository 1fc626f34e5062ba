"""The geometry of one of COCO's annotations: its fields ``segmentation`` and ``bbox``, read and written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.kernels.areas import runs_of
from microtome.core.kernels.run_lengths import check
from microtome.core.objects import Box, Object, Runs
from microtome.core.outlines import Polygon
from microtome.io.annotations import entries
from microtome.io.annotations.coco_rle import compress, expand
from microtome.io.annotations.losses import is_finer_than_pixels
from microtome.io.annotations.numbers import LARGEST, extent, plain
from microtome.io.annotations.sizes import checked

__all__ = ["area_of", "box_of", "written"]


def area_of(segmentation: Any, shape: tuple[int, int] | None) -> tuple[tuple[Polygon, ...], Runs | None]:
    """The polygons or the runs of a segmentation; neither where it is empty.

    Raises
    ------
    InputError
        If it is none, or its runs do not fit an image of `shape`.
    """
    if not segmentation or segmentation == [[]]:  # how programs write a box and nothing more
        return (), None
    if isinstance(segmentation, list):
        rings = segmentation if isinstance(segmentation[0], (list, dict)) else [segmentation]  # some write one ring without a list around
        return tuple(Polygon(_ring(flat, f"segmentation[{k}]")) for k, flat in enumerate(rings)), None
    sides = entries.field(segmentation, "size", list)
    if len(sides) != 2:
        raise InputError(f"the size of its run lengths must be [height, width], found {sides!r:.60}")
    size = checked(*sides) or (0, 0)
    if shape is not None and size != shape:
        raise InputError(f"its run lengths are for {size[0]} x {size[1]} (height x width), the image is {shape[0]} x {shape[1]}")
    counts = entries.field(segmentation, "counts", (str, list))
    runs = Runs(size, expand(counts) if isinstance(counts, str) else _counts(counts))
    check(runs)
    return (), runs


def _ring(flat: Any, what: str) -> NDArray[np.float64]:
    if not isinstance(flat, list):
        raise InputError(f"{what} must be a list of numbers x, y, x, y, ..., found {type(flat).__name__}")
    if len(flat) % 2:
        raise InputError(f"{what}: {len(flat)} numbers are no pairs of x and y")
    return entries.ring(list(zip(flat[::2], flat[1::2], strict=True)), what)


def _counts(counts: Sequence[Any]) -> NDArray[np.int64]:
    for k, count in enumerate(counts):
        if type(count) is not int or not 0 <= count <= LARGEST:
            raise InputError(f"run lengths: count {k} is {count!r}; they must be whole numbers, none negative")
    return np.array(counts, np.int64)


def box_of(bbox: Any) -> Box:
    """The box of x, y, width and height.

    >>> box_of([2, 1, 4, 5.5])
    (1.0, 2.0, 6.5, 6.0)
    """
    if not isinstance(bbox, list) or len(bbox) != 4:
        raise InputError(f"'bbox' must be four numbers x, y, width, height, found {bbox!r:.60}")
    x, y, width, height = (entries.coordinate(value, "a number of the bbox") for value in bbox)
    if width < 0 or height < 0:
        raise InputError(f"the bbox {bbox} has a negative width or height; it must be x, y, width, height")
    return (y, x, y + height, x + width)


def written(item: Object, shape: tuple[int, int], lost: Counter[str]) -> dict[str, Any]:
    """The fields `segmentation`, `area` and `bbox` of an object; what they do not hold is added to `lost`."""
    top, left, bottom, right = item.box
    width, height = extent(left, right), extent(top, bottom)
    lost["boxes moved in their last digit"] += left + width != right or top + height != bottom
    about: dict[str, Any] = {"segmentation": [], "area": plain(width * height), "bbox": [plain(v) for v in (left, top, width, height)]}
    runs = item.runs
    if runs is None and _beyond_polygons(item.polygons):
        words = "objects with holes, with edges off the pixels' or outside of the image, written as their pixels"
        lost[words] += is_finer_than_pixels(item, shape)
        runs = runs_of(item, shape)
    if runs is not None:
        about["segmentation"] = {"size": list(shape), "counts": compress(runs.counts)}
        about["area"] = runs.area
    elif item.polygons:
        about["segmentation"] = [[plain(v) for v in polygon.outer[:, ::-1].ravel().tolist()] for polygon in item.polygons]
        about["area"] = plain(sum(_enclosed(polygon.outer) for polygon in item.polygons))
    return about


def _beyond_polygons(polygons: tuple[Polygon, ...]) -> bool:
    """Whether there are holes, or parts of whole-numbered corners that meet in one."""
    if any(polygon.holes for polygon in polygons):
        return True
    corners = [set(map(tuple, polygon.outer.tolist())) for polygon in polygons]
    whole = all((polygon.outer == np.floor(polygon.outer)).all() for polygon in polygons)
    return whole and len(set().union(*corners)) < sum(map(len, corners))


def _enclosed(ring: NDArray[np.float64]) -> float:
    y, x = (ring - ring[0]).T
    return abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2
