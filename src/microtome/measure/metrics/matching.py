"""Objects of a prediction paired one to one with objects of the truth, and what follows: TP, FP, FN, F1, AP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.measure.metrics.contingency import contingency

__all__ = ["THRESHOLDS", "Matching", "Overlaps", "ap", "f1", "map_50_95", "match", "overlaps"]

THRESHOLDS = tuple(k / 20 for k in range(10, 20))  # .50, .55 ... .95, each the float nearest to it


@dataclass(frozen=True, eq=False)
class Overlaps:
    """The objects of both sides, and the IoU of every pair that shares a pixel.

    Attributes
    ----------
    truth_ids, pred_ids : ndarray of int32
        The objects' numbers, ascending, without 0.
    truth, pred : ndarray of int64, shape (K,)
        For each pair, the places of its objects in `truth_ids` and `pred_ids`.
    iou : ndarray of float64, shape (K,)
        Intersection over union in pixels.
    """

    truth_ids: NDArray[np.int32]
    pred_ids: NDArray[np.int32]
    truth: NDArray[np.int64]
    pred: NDArray[np.int64]
    iou: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Matching:
    """Which objects were found.

    Attributes
    ----------
    tp, fp, fn : int
        Pairs, predictions without a partner, truth without a partner.
    pairs : ndarray of int32, shape (tp, 2)
        Truth id and predicted id, by truth id.
    iou : ndarray of float64, shape (tp,)
    """

    tp: int
    fp: int
    fn: int
    pairs: NDArray[np.int32]
    iou: NDArray[np.float64]


def overlaps(pred: NDArray[Any], truth: NDArray[Any]) -> Overlaps:
    """Find all overlapping pairs of objects of two label maps of one shape; 0 is the background.

    Raises
    ------
    InputError
        If the shapes differ.
    """
    table = contingency(pred, truth)
    truth_ids, truth_areas = table.areas("truth")
    pred_ids, pred_areas = table.areas("pred")
    both = (table.truth > 0) & (table.pred > 0)
    i, j = np.searchsorted(truth_ids, table.truth[both]), np.searchsorted(pred_ids, table.pred[both])
    shared = table.pixels[both]
    iou = shared / (truth_areas[i] + pred_areas[j] - shared)
    skip_t, skip_p = int((truth_ids == 0).any()), int((pred_ids == 0).any())
    return Overlaps(truth_ids[skip_t:], pred_ids[skip_p:], i - skip_t, j - skip_p, iou)


def match(found: Overlaps, threshold: float) -> Matching:
    """Pair objects one to one so that as many pairs as possible have an IoU of at least `threshold`.

    Parameters
    ----------
    found : Overlaps
    threshold : float
        In (0, 1]. A pair exactly at the threshold counts.

    Notes
    -----
    Among equally many pairs those with the greater sum of IoU are taken. From 0.5 up an object can have two partners only where it
    is cut into exact halves, so taking the best pairs first is already the best; below, each group of touching pairs is an assignment.

    Examples
    --------
    One object, split in two halves: one half is its partner, the other is a false positive.

    >>> result = match(overlaps(np.array([[1, 1, 2, 2]]), np.array([[1, 1, 1, 1]])), 0.5)
    >>> result.tp, result.fp, result.fn
    (1, 1, 0)
    """
    near = np.flatnonzero(found.iou >= threshold)
    chosen = _best_first(found, near) if threshold >= 0.5 else _assigned(found, near)
    pairs = np.stack([found.truth_ids[found.truth[chosen]], found.pred_ids[found.pred[chosen]]], axis=1)
    tp = len(chosen)
    return Matching(tp, len(found.pred_ids) - tp, len(found.truth_ids) - tp, pairs, found.iou[chosen])


def _best_first(found: Overlaps, near: NDArray[np.int64]) -> NDArray[np.int64]:
    order = near[np.argsort(-found.iou[near], kind="stable")]
    # only exact halves share an object, and of two halves the first is as good as the second
    order = order[np.sort(np.unique(found.truth[order], return_index=True)[1])]
    order = order[np.sort(np.unique(found.pred[order], return_index=True)[1])]
    return np.sort(order)


def _assigned(found: Overlaps, near: NDArray[np.int64]) -> NDArray[np.int64]:
    from scipy.optimize import linear_sum_assignment
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    rows, columns = len(found.truth_ids), len(found.pred_ids)
    links = coo_array((np.ones(len(near)), (found.truth[near], rows + found.pred[near])), shape=(rows + columns, rows + columns))
    group = connected_components(links, directed=False)[1][found.truth[near]]
    chosen: list[int] = []
    near = near[np.argsort(group, kind="stable")]
    for members in np.split(near, np.flatnonzero(np.diff(np.sort(group))) + 1):
        t, i = np.unique(found.truth[members], return_inverse=True)
        p, j = np.unique(found.pred[members], return_inverse=True)
        gain = np.zeros((len(t), len(p)))
        edge = np.full(gain.shape, -1)
        gain[i, j] = 1 + found.iou[members] / (2 * len(members))  # a pair more always outweighs better pairs
        edge[i, j] = members
        took = edge[linear_sum_assignment(gain, maximize=True)]
        chosen += took[took >= 0].tolist()
    return np.sort(np.array(chosen, np.int64))


def f1(matching: Matching) -> float:
    """2 TP / (2 TP + FP + FN); 1 where neither side has an object."""
    whole = 2 * matching.tp + matching.fp + matching.fn
    return 2 * matching.tp / whole if whole else 1.0


def ap(matching: Matching) -> float:
    """TP / (TP + FP + FN); 1 where neither side has an object."""
    whole = matching.tp + matching.fp + matching.fn
    return matching.tp / whole if whole else 1.0


def map_50_95(found: Overlaps) -> float:
    """The mean of `ap` over the thresholds .50, .55 ... .95."""
    return sum(ap(match(found, threshold)) for threshold in THRESHOLDS) / len(THRESHOLDS)
