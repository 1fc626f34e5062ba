"""The objects of some images as flat arrays, which kernels can compare: runs or boxes, areas, scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.objects import Object, Objects, Runs
from microtome.measure.metrics._coco_polygons import painted

__all__ = ["FlatObjects", "flat_boxes", "flat_masks"]

_NO_AREA = Runs((0, 0), np.zeros(0, np.int64))


@dataclass(frozen=True, eq=False)
class FlatObjects:
    """By image, in the objects' own order.

    Attributes
    ----------
    image : ndarray of int64
        The place of each object's image.
    names : list of str
        Their classes.
    score : ndarray of float64
        nan where there is none.
    crowd : ndarray of bool
    area : ndarray of float64
        In pixels.
    box : ndarray of float64, shape (N, 4)
        y0, x0, y1, x1.
    edges : ndarray of int64
        Starts and ends of all runs, one object after the other.
    first : ndarray of int64, shape (N + 1,)
        Where each object's edges begin, and the end of all.
    """

    image: NDArray[np.int64]
    names: list[str]
    score: NDArray[np.float64]
    crowd: NDArray[np.bool_]
    area: NDArray[np.float64]
    box: NDArray[np.float64]
    edges: NDArray[np.int64]
    first: NDArray[np.int64]


def flat_masks(images: Sequence[Objects]) -> FlatObjects:
    """Objects that are compared by their pixels.

    Raises
    ------
    InputError
        If an object is a box without an area, or its runs do not cover the image exactly.
    """
    items = [(objects, item) for objects in images for item in objects.items]
    for objects, item in items:
        if item.form == "box":
            raise InputError(f'{_name(objects, item)} is a box without an area: compare boxes (of="boxes")')
    return _flat(images, *_measured(items))


def flat_boxes(images: Sequence[Objects], *, area_of_box: bool) -> FlatObjects:
    """Objects that are compared by their boxes; the area is the box's, or the pixels' where they are known.

    Raises
    ------
    InputError
        If a box ends before it begins, or is not finite.
    """
    items = [(objects, item) for objects in images for item in objects.items]
    box = np.array([item.box for _, item in items], np.float64).reshape(-1, 4)
    fits = np.isfinite(box).all(axis=1) & (box[:, 2:] >= box[:, :2]).all(axis=1)
    if not fits.all():
        objects, item = items[int(np.flatnonzero(~fits)[0])]
        raise InputError(
            f"{_name(objects, item)}: its box is y0 x0 y1 x1 = {item.box}; four numbers are expected, the end not before the start"
        )
    area = (box[:, 3] - box[:, 1]) * (box[:, 2] - box[:, 0])
    if not area_of_box:
        area = np.where([item.form == "box" for _, item in items], area, _measured(items)[2])
    return _flat(images, np.zeros(0, np.int64), np.zeros(len(items) + 1, np.int64), area, box)


def _name(objects: Objects, item: Object) -> str:
    return f"{objects.image}: object {item.number}" if objects.image else f"object {item.number}"


def _flat(
    images: Sequence[Objects], edges: NDArray[np.int64], first: NDArray[np.int64], area: NDArray[np.float64], box: NDArray[np.float64]
) -> FlatObjects:
    items: list[Object] = [item for objects in images for item in objects.items]
    return FlatObjects(
        np.repeat(np.arange(len(images)), [len(objects) for objects in images]).astype(np.int64),
        [item.class_name for item in items],
        np.array([np.nan if item.score is None else item.score for item in items], np.float64),
        np.array([item.crowd for item in items], bool),
        area, box, edges, first,
    )  # fmt: skip


def _measured(
    items: Sequence[tuple[Objects, Object]],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """The edges of all runs, where each object's begin, and the objects' areas and boxes."""
    runs = [_NO_AREA if item.form == "box" else item.runs or painted(item, objects.shape) for objects, item in items]
    first = np.concatenate([np.zeros(1, np.int64), np.cumsum([len(one.counts) for one in runs], dtype=np.int64)])
    counts = np.concatenate([np.zeros(0, np.int64), *(one.counts for one in runs)])
    shapes = np.array([one.shape for one in runs], np.int64).reshape(-1, 2)
    edges, area, box = np.empty(len(counts), np.int64), np.zeros(len(runs)), np.zeros((len(runs), 4))
    faulty = _extents(counts.astype(np.int64, copy=False), first, shapes, edges, area, box)
    if faulty >= 0:
        raise InputError(f"{_name(*items[faulty])}: its runs cover {int(runs[faulty].counts.sum())} pixels, the mask has "
                         f"{np.prod(runs[faulty].shape)}, or a run is negative")  # fmt: skip
    return edges, first, area, box


@njit(cache=True, nogil=True)
def _extents(
    counts: NDArray[np.int64],
    first: NDArray[np.int64],
    shapes: NDArray[np.int64],
    edges: NDArray[np.int64],
    area: NDArray[np.float64],
    box: NDArray[np.float64],
) -> int:
    """Fill in edges, areas and boxes; the first mask whose runs are negative or do not cover it exactly, or -1."""
    for k in range(len(shapes)):
        height, place = shapes[k, 0], 0
        top, left, bottom, right = height, np.int64(-1), np.int64(0), np.int64(0)
        for r in range(first[k], first[k + 1]):
            if counts[r] < 0:
                return k
            start = place
            place += counts[r]
            edges[r] = place
            if (r - first[k]) % 2 == 0 or counts[r] == 0:
                continue
            area[k] += counts[r]
            right = (place - 1) // height + 1
            if left < 0:
                left = start // height
            if start // height != (place - 1) // height:  # over a column's end
                top, bottom = np.int64(0), height
            else:
                top, bottom = min(top, start % height), max(bottom, (place - 1) % height + 1)
        if place != height * shapes[k, 1]:
            return k
        if left >= 0:
            box[k, 0], box[k, 1], box[k, 2], box[k, 3] = top, left, bottom, right
    return -1
