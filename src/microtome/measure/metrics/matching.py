"""Objects of a prediction paired one to one with objects of the truth, and what follows: TP, FP, FN, F1, AP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from microtome.core.errors import InputError, RecipeError
from microtome.measure.metrics.assignment import assignment
from microtome.measure.metrics.contingency import contingency

__all__ = ["THRESHOLDS", "MatchCounts", "Matching", "Overlaps", "ap", "by_class", "f1", "map_50_95", "match", "match_counts", "mean_iou",
           "overlaps", "precision", "recall"]  # fmt: skip

THRESHOLDS = tuple(k / 20 for k in range(10, 20))  # .50, .55 ... .95, each the float nearest to it


@dataclass(frozen=True, eq=False)
class Overlaps:
    """The objects of both sides, and every pair that shares a pixel.

    Attributes
    ----------
    truth_ids, pred_ids : ndarray of int32
        The objects' numbers, ascending, without 0.
    truth_areas, pred_areas : ndarray of int64
        Their pixels.
    truth, pred : ndarray of int64, shape (K,)
        For each pair, the places of its objects in `truth_ids` and `pred_ids`.
    shared : ndarray of int64, shape (K,)
        The pixels both have.
    iou : ndarray of float64, shape (K,)
        Intersection over union in pixels.
    """

    truth_ids: NDArray[np.int32]
    pred_ids: NDArray[np.int32]
    truth_areas: NDArray[np.int64]
    pred_areas: NDArray[np.int64]
    truth: NDArray[np.int64]
    pred: NDArray[np.int64]
    shared: NDArray[np.int64]
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


@dataclass(frozen=True, eq=False)
class MatchCounts:
    """How many objects were found at each of several thresholds. Counts of several images add up with ``+``.

    Attributes
    ----------
    thresholds : tuple of float
    tp, fp, fn : ndarray of int64, one a threshold
    iou : ndarray of float64, one a threshold
        The sum of the IoU of all pairs.
    """

    thresholds: tuple[float, ...]
    tp: NDArray[np.int64]
    fp: NDArray[np.int64]
    fn: NDArray[np.int64]
    iou: NDArray[np.float64]

    def __add__(self, other: MatchCounts) -> MatchCounts:
        """Both together, object by object."""
        if self.thresholds != other.thresholds:
            raise InputError(f"counts at thresholds {self.thresholds} and {other.thresholds} do not add up: count both at the same ones")
        return MatchCounts(self.thresholds, self.tp + other.tp, self.fp + other.fp, self.fn + other.fn, self.iou + other.iou)

    @property
    def precision(self) -> NDArray[np.float64]:
        """TP / (TP + FP); nan without predictions."""
        return _ratio(self.tp, self.tp + self.fp, np.nan)

    @property
    def recall(self) -> NDArray[np.float64]:
        """TP / (TP + FN); nan without objects in the truth."""
        return _ratio(self.tp, self.tp + self.fn, np.nan)

    @property
    def f1(self) -> NDArray[np.float64]:
        """2 TP / (2 TP + FP + FN); 1 where neither side has an object."""
        return _ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn, 1.0)

    @property
    def ap(self) -> NDArray[np.float64]:
        """TP / (TP + FP + FN); 1 where neither side has an object."""
        return _ratio(self.tp, self.tp + self.fp + self.fn, 1.0)

    @property
    def mean_iou(self) -> NDArray[np.float64]:
        """The mean IoU of the pairs; nan without a pair."""
        return _ratio(self.iou, self.tp, np.nan)


def _ratio(over: NDArray[Any], under: NDArray[Any], empty: float) -> NDArray[np.float64]:
    return np.where(under > 0, over / np.maximum(under, 1), empty)


def overlaps(pred: ArrayLike, truth: ArrayLike) -> Overlaps:
    """Find all overlapping pairs of objects of two label maps.

    Parameters
    ----------
    pred, truth : ndarray of bool or integers, same shape, any number of axes
        An object's number for every pixel, 0 for the background.

    Raises
    ------
    InputError
        If the shapes differ, or a number is below 0 or does not fit in 32 bits.

    Examples
    --------
    >>> found = overlaps(np.array([[7, 7, 0, 8]]), np.array([[1, 1, 1, 2]]))
    >>> found.truth_ids[found.truth].tolist(), found.pred_ids[found.pred].tolist(), found.iou.round(3).tolist()
    ([1, 2], [7, 8], [0.667, 1.0])
    """
    table = contingency(pred, truth)
    for side, numbers in (("prediction", table.pred), ("truth", table.truth)):
        if numbers.min(initial=0) < 0:
            raise InputError(f"the {side} holds the object number {numbers.min()}: objects are numbered from 1, 0 is the background")
    truth_ids, truth_areas = table.areas("truth")
    pred_ids, pred_areas = table.areas("pred")
    both = (table.truth > 0) & (table.pred > 0)
    i, j = np.searchsorted(truth_ids, table.truth[both]), np.searchsorted(pred_ids, table.pred[both])
    shared = table.pixels[both]
    iou = shared / (truth_areas[i] + pred_areas[j] - shared)
    t, p = int((truth_ids == 0).any()), int((pred_ids == 0).any())
    return Overlaps(truth_ids[t:], pred_ids[p:], truth_areas[t:], pred_areas[p:], i - t, j - p, shared, iou)


def by_class(found: Overlaps, pred_class: Mapping[int, int], truth_class: Mapping[int, int]) -> dict[int, Overlaps]:
    """Set the classes apart: for each, its objects on both sides and the pairs between them.

    Parameters
    ----------
    found : Overlaps
    pred_class, truth_class : mapping of int to int
        The class of each object by its number, such as an `InstanceMap`'s ``object_class``.

    Returns
    -------
    dict of int to Overlaps
        By class, ascending. Pairs of two classes are in none of them.

    Raises
    ------
    InputError
        If an object has no class.

    Examples
    --------
    >>> found = overlaps(np.array([[1, 1, 2]]), np.array([[5, 5, 6]]))
    >>> [(c, len(one.iou)) for c, one in by_class(found, {1: 1, 2: 1}, {5: 1, 6: 2}).items()]
    [(1, 1), (2, 0)]
    """
    t, p = _classes(found.truth_ids, truth_class, "truth"), _classes(found.pred_ids, pred_class, "prediction")
    return {int(c): _only(found, p == c, t == c) for c in np.union1d(t, p)}


def _classes(ids: NDArray[np.int32], given: Mapping[int, int], side: str) -> NDArray[np.int64]:
    lacking = [number for number in ids.tolist() if number not in given]
    if lacking:
        raise InputError(f"{len(lacking)} of {len(ids)} objects of the {side} have no class, object {lacking[0]} first: "
                         "give every object one, or match without classes")  # fmt: skip
    return np.array([given[number] for number in ids.tolist()], np.int64)


def _only(found: Overlaps, pred: NDArray[np.bool_], truth: NDArray[np.bool_]) -> Overlaps:
    """These objects, and the pairs between them."""
    kept = truth[found.truth] & pred[found.pred]
    return Overlaps(found.truth_ids[truth], found.pred_ids[pred], found.truth_areas[truth], found.pred_areas[pred],
                    np.cumsum(truth)[found.truth[kept]] - 1, np.cumsum(pred)[found.pred[kept]] - 1,
                    found.shared[kept], found.iou[kept])  # fmt: skip


def match(found: Overlaps, threshold: float, *, strict: bool = False) -> Matching:
    """Pair objects one to one so that as many pairs as possible have an IoU of at least `threshold`.

    Parameters
    ----------
    found : Overlaps
    threshold : float
        In (0, 1]. A pair exactly at the threshold counts.
    strict : bool
        The IoU must be above the threshold instead, as for Kaggle's Data Science Bowl 2018 and for panoptic quality.

    Raises
    ------
    RecipeError
        If the threshold is outside of (0, 1].

    Notes
    -----
    Among equally many pairs those with the greater sum of IoU are taken. In label maps an object can have two partners only at 0.5 and
    below, or where it is cut into exact halves; boxes may overlap. Where objects have several partners, each group of them is an
    assignment.

    Examples
    --------
    One object, split in two halves: one half is its partner, the other is a false positive.

    >>> result = match(overlaps(np.array([[1, 1, 2, 2]]), np.array([[1, 1, 1, 1]])), 0.5)
    >>> result.tp, result.fp, result.fn
    (1, 1, 0)
    """
    _check(threshold)
    near = np.flatnonzero(found.iou > threshold if strict else found.iou >= threshold)
    chosen = near if _apart(found, near) else _most(found, near)
    pairs = np.stack([found.truth_ids[found.truth[chosen]], found.pred_ids[found.pred[chosen]]], axis=1)
    tp = len(chosen)
    return Matching(tp, len(found.pred_ids) - tp, len(found.truth_ids) - tp, pairs, found.iou[chosen])


def _check(threshold: float) -> None:
    if not 0 < threshold <= 1:
        raise RecipeError(f"threshold: {threshold} is no IoU that a match could need; it must be above 0 and at most 1")


def _apart(found: Overlaps, pairs: NDArray[np.int64]) -> bool:
    """Whether no two of these pairs share an object."""
    return all(np.bincount(side[pairs]).max(initial=0) <= 1 for side in (found.truth, found.pred))


def _most(found: Overlaps, near: NDArray[np.int64]) -> NDArray[np.int64]:
    gain = 1 + found.iou[near] / (2 * max(1, len(near)))  # a pair more always outweighs better pairs
    return near[assignment(found.truth[near], found.pred[near], gain)]


def match_counts(found: Overlaps, thresholds: Sequence[float] = THRESHOLDS, *, strict: bool = False) -> MatchCounts:
    """Count what `match` finds at every threshold: the pairs are sorted by IoU once, whatever the number of thresholds above 0.5.

    Parameters
    ----------
    found : Overlaps
    thresholds : sequence of float
        Each in (0, 1].
    strict : bool
        As for `match`.

    Raises
    ------
    RecipeError
        If a threshold is outside of (0, 1].

    Examples
    --------
    >>> counts = match_counts(overlaps(np.array([[1, 1, 2, 2, 2]]), np.array([[1, 1, 1, 2, 2]])), (0.5, 0.7))
    >>> counts.tp.tolist(), counts.ap.tolist()
    ([2, 0], [1.0, 0.0])
    """
    for threshold in thresholds:
        _check(threshold)
    above = np.flatnonzero(found.iou > 0.5)
    best = np.sort(found.iou[above])
    sums = np.concatenate([np.cumsum(best[::-1])[::-1], [0.0]])  # where no object has a choice, a stricter matching is part of a laxer one
    first = np.searchsorted(best, thresholds, side="right" if strict else "left")
    tp, iou = len(best) - first, sums[first]
    searched = 0.5 if _apart(found, above) else 1.0
    for place, threshold in enumerate(thresholds):
        if threshold <= searched:
            matching = match(found, threshold, strict=strict)
            tp[place], iou[place] = matching.tp, matching.iou.sum()
    return MatchCounts(tuple(thresholds), tp, len(found.pred_ids) - tp, len(found.truth_ids) - tp, iou)


def f1(matching: Matching) -> float:
    """2 TP / (2 TP + FP + FN); 1 where neither side has an object."""
    whole = 2 * matching.tp + matching.fp + matching.fn
    return 2 * matching.tp / whole if whole else 1.0


def ap(matching: Matching) -> float:
    """TP / (TP + FP + FN); 1 where neither side has an object."""
    whole = matching.tp + matching.fp + matching.fn
    return matching.tp / whole if whole else 1.0


def precision(matching: Matching) -> float:
    """TP / (TP + FP); nan without predictions."""
    return matching.tp / (matching.tp + matching.fp) if matching.tp + matching.fp else float("nan")


def recall(matching: Matching) -> float:
    """TP / (TP + FN); nan without objects in the truth."""
    return matching.tp / (matching.tp + matching.fn) if matching.tp + matching.fn else float("nan")


def mean_iou(matching: Matching) -> float:
    """The mean IoU of the pairs; nan without a pair."""
    return float(matching.iou.mean()) if matching.tp else float("nan")


def map_50_95(found: Overlaps, *, strict: bool = False) -> float:
    """The mean of `ap` over the thresholds .50, .55 ... .95; 1 where neither side has an object.

    References
    ----------
    J. C. Caicedo et al., Nature Methods 16, 2019, 1247-1253, doi:10.1038/s41592-019-0612-7 (`strict`).
    """
    return float(match_counts(found, strict=strict).ap.mean())
