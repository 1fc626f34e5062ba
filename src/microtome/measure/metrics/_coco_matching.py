"""COCO's matching: in order of score, each prediction takes the best object that is free, at all IoUs and in all ranges of area."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from microtome.core.kernels.bands import in_bands
from microtome.measure.metrics._coco_objects import FlatObjects
from microtome.measure.metrics.matching import THRESHOLDS

__all__ = ["AREAS", "MAX_DETECTIONS", "RIGHT", "WRONG", "Ranked", "rank_and_match"]

AREAS: dict[str, tuple[float, float]] = {"all": (0, 1e10), "small": (0, 32**2), "medium": (32**2, 96**2), "large": (96**2, 1e10)}
MAX_DETECTIONS = (1, 10, 100)
WRONG, RIGHT, _LEFT_OUT = 0, 1, 2


@dataclass(frozen=True, eq=False)
class Ranked:
    """What some images leave behind.

    Attributes
    ----------
    category : ndarray of int64, shape (N,)
        Of each of the first 100 predictions an image and category.
    rank : ndarray of int64, shape (N,)
        Its place in its image and category, from 0.
    score : ndarray of float64, shape (N,)
    states : ndarray of uint8, shape (4, 10, N)
        Right, wrong or left out, by area range and IoU.
    wanted : ndarray of int64, shape (categories, 4)
        Objects of the truth by area range, crowds left out.
    predicted : ndarray of int64, shape (categories,)
        All predictions.
    """

    category: NDArray[np.int64]
    rank: NDArray[np.int64]
    score: NDArray[np.float64]
    states: NDArray[np.uint8]
    wanted: NDArray[np.int64]
    predicted: NDArray[np.int64]


def rank_and_match(pred: FlatObjects, truth: FlatObjects, known: dict[str, int], *, by_class: bool, boxes: bool) -> Ranked:
    """Match some images' predictions; classes not met before are added to `known`, with the next number."""
    p_category, t_category = (_numbered(side.names, known, by_class) for side in (pred, truth))
    p_key, t_key = (side.image * len(known) + category for side, category in ((pred, p_category), (truth, t_category)))
    p_order, t_order = np.lexsort((-pred.score, p_key)), np.argsort(t_key, kind="stable")
    keys = np.unique(p_key)
    p_first, t_first = np.searchsorted(p_key[p_order], [keys, keys + 1]), np.searchsorted(t_key[t_order], [keys, keys + 1])
    states = np.zeros((len(AREAS), len(THRESHOLDS), len(p_order)), np.uint8)
    ranges, levels = np.array(list(AREAS.values()), np.float64), np.array(THRESHOLDS)

    def work(start: int, past: int) -> None:
        for begin, end, t_begin, t_end in zip(*p_first[:, start:past], *t_first[:, start:past], strict=True):
            mine, theirs = p_order[begin:end][: MAX_DETECTIONS[-1]], t_order[t_begin:t_end]
            iou = np.zeros((len(mine), len(theirs)))
            _iou(pred.edges, pred.first, pred.area, pred.box, mine,
                 truth.edges, truth.first, truth.area, truth.box, truth.crowd, theirs, boxes, iou)  # fmt: skip
            _greedy(iou, pred.area[mine], truth.area[theirs], truth.crowd[theirs], ranges, levels, states[:, :, begin:end])

    in_bands(work, len(keys), 16)
    rank = np.arange(len(p_order)) - np.repeat(p_first[0], p_first[1] - p_first[0])
    kept = rank < MAX_DETECTIONS[-1]
    return Ranked(p_category[p_order][kept], rank[kept], pred.score[p_order][kept], states[:, :, kept],
                  _wanted(truth, t_category, len(known)), np.bincount(p_category, minlength=len(known)))  # fmt: skip


def _numbered(names: Sequence[str], known: dict[str, int], by_class: bool) -> NDArray[np.int64]:
    return np.array([known.setdefault(name if by_class else "", len(known)) for name in names], np.int64)


def _wanted(truth: FlatObjects, category: NDArray[np.int64], categories: int) -> NDArray[np.int64]:
    wanted = np.zeros((categories, len(AREAS)), np.int64)
    for k, (low, high) in enumerate(AREAS.values()):
        inside = ~truth.crowd & (truth.area >= low) & (truth.area <= high)
        wanted[:, k] = np.bincount(category[inside], minlength=categories)
    return wanted


@njit(cache=True, nogil=True)
def _iou(
    p_edges: NDArray[np.int64],
    p_first: NDArray[np.int64],
    p_area: NDArray[np.float64],
    p_box: NDArray[np.float64],
    mine: NDArray[np.int64],
    t_edges: NDArray[np.int64],
    t_first: NDArray[np.int64],
    t_area: NDArray[np.float64],
    t_box: NDArray[np.float64],
    t_crowd: NDArray[np.bool_],
    theirs: NDArray[np.int64],
    boxes: bool,
    iou: NDArray[np.float64],
) -> None:
    """The IoU of every pair whose boxes meet, or of the boxes themselves."""
    for i in range(len(mine)):
        a = mine[i]
        for j in range(len(theirs)):
            b = theirs[j]
            high = min(p_box[a, 2], t_box[b, 2]) - max(p_box[a, 0], t_box[b, 0])
            wide = min(p_box[a, 3], t_box[b, 3]) - max(p_box[a, 1], t_box[b, 1])
            if high <= 0 or wide <= 0:
                continue
            if boxes:
                shared = wide * high
                first = (p_box[a, 3] - p_box[a, 1]) * (p_box[a, 2] - p_box[a, 0])
                second = (t_box[b, 3] - t_box[b, 1]) * (t_box[b, 2] - t_box[b, 0])
            else:
                shared = _shared(p_edges[p_first[a] : p_first[a + 1]], t_edges[t_first[b] : t_first[b + 1]])
                first, second = p_area[a], t_area[b]
            if shared > 0:
                iou[i, j] = shared / (first if t_crowd[b] else first + second - shared)


@njit(cache=True, nogil=True)
def _shared(a: NDArray[np.int64], b: NDArray[np.int64]) -> float:
    """How many pixels two masks have in common, from the starts and ends of their runs."""
    shared, i, j = 0, 0, 0
    while i + 1 < len(a) and j + 1 < len(b):
        shared += max(0, min(a[i + 1], b[j + 1]) - max(a[i], b[j]))
        if a[i + 1] < b[j + 1]:
            i += 2
        else:
            j += 2
    return float(shared)


@njit(cache=True, nogil=True)
def _greedy(
    iou: NDArray[np.float64],
    p_area: NDArray[np.float64],
    t_area: NDArray[np.float64],
    t_crowd: NDArray[np.bool_],
    ranges: NDArray[np.float64],
    levels: NDArray[np.float64],
    states: NDArray[np.uint8],
) -> None:
    """For each area range and IoU, whether each prediction (surest first) is right, wrong or left out."""
    count, objects = iou.shape
    for a in range(len(ranges)):
        low, high = ranges[a]
        outside = t_crowd | (t_area < low) | (t_area > high)
        for t in range(len(levels)):
            free = np.ones(objects, np.bool_)
            for d in range(count):
                took = _best(iou[d], levels[t], free, t_crowd, outside)
                if took >= 0:
                    free[took] = False
                    states[a, t, d] = _LEFT_OUT if outside[took] else RIGHT
                else:
                    states[a, t, d] = _LEFT_OUT if p_area[d] < low or p_area[d] > high else WRONG


@njit(cache=True, nogil=True)
def _best(iou: NDArray[np.float64], level: float, free: NDArray[np.bool_], crowd: NDArray[np.bool_], outside: NDArray[np.bool_]) -> int:
    """The object a prediction takes: the best of those that count, else the best of the others; the last of equals."""
    for wanted in (False, True):
        best, took = level, -1
        for g in range(len(iou)):
            if outside[g] == wanted and (free[g] or crowd[g]) and iou[g] >= best:
                best, took = iou[g], g
        if took >= 0:
            return took
    return -1
