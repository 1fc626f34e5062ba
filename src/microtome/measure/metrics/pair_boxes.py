"""One pair of boxes: every key of detection."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.events import warn
from microtome.core.objects import Objects
from microtome.core.raster import SemanticMap
from microtome.measure.metrics.matching import Overlaps
from microtome.measure.metrics.pair import Labels, Score
from microtome.measure.metrics.pair_objects import objects_in, of_pairs, with_set_keys
from microtome.measure.metrics.ranking import Ranked, as_objects

__all__ = ["box_overlaps", "boxed", "score_boxes"]


def score_boxes(pred: Labels, truth: Labels, keys: tuple[str, ...]) -> Score:
    p, t = boxed(pred, "prediction"), boxed(truth, "truth")
    if p.shape != t.shape:
        raise InputError(f"the prediction has shape {p.shape} and the truth {t.shape}: both must cover the same pixels")
    found = box_overlaps(p, t)
    values, sums = of_pairs(found, keys)
    return with_set_keys("boxes", keys, values, sums, Ranked.of(p, t, found, keys))


def boxed(labels: Labels, side: str) -> Objects:
    """Objects as they are; those of a mask, for the boxes around them."""
    if isinstance(labels, Objects):
        return labels
    if isinstance(labels, SemanticMap):
        raise InputError(f"{labels.source or f'the {side}'} holds classes: boxes are of objects; number its objects first")
    found = as_objects(objects_in(labels, side))
    if found is None:
        raise InputError(f"the {side} is a volume: boxes are compared in 2-D")
    return found


def box_overlaps(pred: Objects, truth: Objects) -> Overlaps:
    """All pairs of boxes that share an area; crowds are left out, and that is told.

    Examples
    --------
    >>> from microtome.core.objects import Object
    >>> boxes = Objects((9, 9), (Object(1, given_box=(0, 0, 4, 4)),)), Objects((9, 9), (Object(1, given_box=(0, 0, 4, 2)),))
    >>> box_overlaps(*boxes).iou.tolist()
    [0.5]
    """
    (p_ids, p), (t_ids, t) = _corners(pred, "prediction"), _corners(truth, "truth")
    sides = np.minimum(t[:, None, 2:], p[None, :, 2:]) - np.maximum(t[:, None, :2], p[None, :, :2])
    shared = np.clip(sides, 0, None).prod(axis=-1)
    t_areas, p_areas = (np.clip(corners[:, 2:] - corners[:, :2], 0, None).prod(axis=-1) for corners in (t, p))
    i, j = np.nonzero(shared)
    iou = shared[i, j] / (t_areas[i] + p_areas[j] - shared[i, j])
    return Overlaps(t_ids, p_ids, t_areas, p_areas, i, j, shared[i, j], iou)


def _corners(objects: Objects, side: str) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """The numbers, ascending, and the boxes y0 x0 y1 x1 of all objects but crowds."""
    items = sorted((item for item in objects.items if not item.crowd), key=lambda item: item.number)
    if crowds := len(objects.items) - len(items):
        warn(f"{objects.image or f'the {side}'}: {crowds} crowds are no objects and were left out, but of coco_ap")
    boxes = np.array([item.box for item in items], np.float64).reshape(-1, 4)
    fits = np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] >= boxes[:, :2]).all(axis=1)
    if not fits.all():
        first = int(np.flatnonzero(~fits)[0])
        raise InputError(f"{objects.image or f'the {side}'}: the box of object {items[first].number} is {tuple(boxes[first].tolist())}; "
                         "y0 x0 y1 x1 must be finite and not end before they begin")  # fmt: skip
    return np.array([item.number for item in items], np.int32), boxes
