"""A mask in its smallest box, and back: the form in which LabelMe and CVAT keep masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from microtome.core.events import collect_warnings
from microtome.core.kernels import areas
from microtome.core.kernels.outlines import fill, trace
from microtome.core.objects import Object, Runs
from microtome.core.outlines import Outlines, Polygon
from microtome.core.raster import InstanceMap

__all__ = ["Patch", "patch_of", "polygons_in", "runs_at", "runs_in", "union"]


class Patch(NamedTuple):
    """The pixels of a mask in its smallest box, and the box's first row and column."""

    pixels: NDArray[np.bool_]
    top: int
    left: int


def patch_of(runs: Runs) -> Patch:
    """Cut a mask out of its image; only the columns it stands in are decoded.

    Examples
    --------
    >>> patch_of(Runs((4, 9), np.array([5, 2, 2, 1, 26])))
    Patch(pixels=array([[ True,  True],
       [ True, False]]), top=1, left=1)
    """
    height = runs.shape[0]
    top, left, bottom, right = (int(edge) for edge in runs.box)
    edges = np.clip(np.concatenate([[0], np.cumsum(runs.counts)]), left * height, right * height)
    ones = np.arange(len(runs.counts)) % 2 == 1
    columns = np.repeat(ones, np.diff(edges)).reshape(right - left, height)
    return Patch(columns[:, top:bottom].T, top, left)


def runs_at(pixels: NDArray[Any], top: int, left: int, shape: tuple[int, int]) -> Runs:
    """Put a mask into an image at a row and a column; what lies outside of the image is cut off.

    Parameters
    ----------
    pixels : ndarray, shape (H, W)
        Whatever is not 0 belongs to the mask.
    top, left : int
        May be below 0.
    shape : tuple of int
        Height and width of the image.

    Examples
    --------
    >>> runs_at(np.ones((2, 2)), 1, -1, (3, 4)).counts.tolist()
    [1, 2, 9]
    """
    height, width = shape
    inside = np.asarray(pixels, bool)[max(0, -top) : max(0, height - top), max(0, -left) : max(0, width - left)]
    top, left = max(0, top), max(0, left)
    walls = np.zeros((inside.shape[1], 1), np.int8)
    steps = np.diff(np.hstack([walls, inside.T.astype(np.int8), walls]), axis=1)
    column, row = np.nonzero(steps == 1)
    past = np.nonzero(steps == -1)[1]
    return _of_spans((left + column) * height + top + row, (left + column) * height + top + past, shape)


def runs_in(item: Object, shape: tuple[int, int]) -> Runs:
    """What `areas.runs_of` gives, from painting the object's own box instead of the whole image.

    Examples
    --------
    >>> half = Polygon(np.array([[0.0, 0.0], [0.0, 4.0], [4.0, 0.0]]))
    >>> runs_in(Object(1, (half,)), (4, 4)).counts.tolist()
    [0, 3, 1, 2, 2, 1, 7]
    """
    if item.runs is not None:
        return item.runs
    polygons = areas.polygons_of(item)
    corners = np.concatenate([polygon.outer for polygon in polygons] or [np.zeros((1, 2))])
    top, left = (max(0, int(edge)) for edge in np.floor(corners.min(axis=0)))
    bottom, right = (min(size, int(edge)) for size, edge in zip(shape, np.ceil(corners.max(axis=0)), strict=True))
    if bottom <= top or right <= left:
        return Runs(shape, np.array([shape[0] * shape[1]], np.int64))
    with collect_warnings():  # an object of no pixel is told by whoever asks for its mask
        painted = fill(Outlines((bottom - top, right - left), {1: _moved(polygons, -top, -left)})).pixels
    return runs_at(painted, top, left, shape)


def polygons_in(item: Object) -> tuple[Polygon, ...]:
    """What `areas.polygons_of` gives, from following the edges in the object's own box instead of the whole image.

    Examples
    --------
    >>> polygons_in(Object(1, runs=Runs((4, 9), np.array([5, 2, 29]))))[0].outer.tolist()
    [[1.0, 2.0], [3.0, 2.0], [3.0, 1.0], [1.0, 1.0]]
    """
    if item.runs is None:
        return areas.polygons_of(item)
    pixels, top, left = patch_of(item.runs)
    if not pixels.size:
        return ()
    return _moved(trace(InstanceMap(pixels.astype(np.int32))).objects[1], top, left)


def _moved(polygons: Sequence[Polygon], down: int, right: int) -> tuple[Polygon, ...]:
    step = np.array([down, right], np.float64)
    return tuple(Polygon(polygon.outer + step, tuple(hole + step for hole in polygon.holes)) for polygon in polygons)


def union(masks: Sequence[Runs]) -> Runs:
    """One mask of all pixels that any of them has; all of one shape.

    Examples
    --------
    >>> union([Runs((1, 5), np.array([0, 2, 3])), Runs((1, 5), np.array([1, 3, 1]))]).counts.tolist()
    [0, 4, 1]
    """
    edges = [np.cumsum(one.counts) for one in masks]
    starts = np.concatenate([edge[: 2 * (len(edge) // 2) : 2] for edge in edges])
    ends = np.concatenate([edge[1::2] for edge in edges])
    return _of_spans(starts, ends, masks[0].shape)


def _of_spans(starts: NDArray[np.int64], ends: NDArray[np.int64], shape: tuple[int, int]) -> Runs:
    """Runs from half-open spans of pixels down the columns; spans that touch or overlap are one."""
    order = np.argsort(starts, kind="stable")
    starts, reach = starts[order], np.maximum.accumulate(ends[order]) if len(ends) else ends
    kept = reach > starts  # without spans of no pixel
    starts, reach = starts[kept], reach[kept]
    first = np.ones(len(starts), bool)
    first[1:] = starts[1:] > reach[:-1]
    last = np.append(first[1:], True) if len(first) else first
    edges = np.stack([starts[first], reach[last]], axis=1).ravel()
    counts = np.diff(np.concatenate([[0], edges, [shape[0] * shape[1]]]))
    return Runs(shape, (counts[:-1] if len(counts) > 1 and counts[-1] == 0 else counts).astype(np.int64))
