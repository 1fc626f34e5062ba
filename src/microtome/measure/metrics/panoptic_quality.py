"""Panoptic quality: how well segments are outlined (SQ) times how many are found (RQ), by class, summed over a set before it is divided."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.raster import InstanceMap, SemanticMap
from microtome.measure.metrics._same_pixels import whole_numbers
from microtome.measure.metrics.contingency import Contingency, contingency
from microtome.measure.metrics.matching import Overlaps

__all__ = ["Panoptic", "Segments", "panoptic", "panoptic_objects", "pq", "pq_by_class", "rq", "rq_by_class", "sq", "sq_by_class"]

Segments = InstanceMap | NDArray[Any] | tuple[SemanticMap | NDArray[Any], InstanceMap | NDArray[Any]]
"""Objects (one class, or the classes of an InstanceMap), or a class and an object number for every pixel."""

_NOTHING, _VOID = -1, -2  # no class: background, and what is not judged
_VOID_LABEL = -1


@dataclass(frozen=True, eq=False)
class Panoptic:
    """Sums by class. Those of several images add up with ``+``.

    Attributes
    ----------
    classes : tuple of int
        Ascending: those that have a segment on either side.
    tp, fp, fn : ndarray of int64, one a class
        Pairs, predicted and true segments without a partner.
    iou : ndarray of float64, one a class
        The sum of the IoU of all pairs.
    """

    classes: tuple[int, ...]
    tp: NDArray[np.int64]
    fp: NDArray[np.int64]
    fn: NDArray[np.int64]
    iou: NDArray[np.float64]

    def __add__(self, other: Panoptic) -> Panoptic:
        """Both together, over the classes of either."""
        classes = np.array(sorted({*self.classes, *other.classes}), np.int64)
        tp, fp, fn, iou = (
            _sums(classes, np.concatenate([self.classes, other.classes]), np.concatenate([mine, theirs]))
            for mine, theirs in zip(
                (self.tp, self.fp, self.fn, self.iou), (other.tp, other.fp, other.fn, other.iou), strict=True
            )
        )  # fmt: skip
        return Panoptic(tuple(classes.tolist()), tp, fp, fn, iou)


def panoptic(
    pred: Segments, truth: Segments, *, ignore: int | NDArray[np.bool_] | None = None, crowd: Collection[int] = (), by_class: bool = False
) -> Panoptic:
    """Pair the segments of one image that have an IoU above 0.5, and count by class.

    Parameters
    ----------
    pred, truth : InstanceMap, ndarray of object numbers, or a tuple of a class map and a map of object numbers; same shape
        In a tuple, the pixels of one class and one number are a segment: things have their numbers, a class without ("stuff") has 0
        everywhere and is one segment. Background classes (0 in an array) are no segment.
    ignore : int or ndarray of bool, optional
        The void: a mask, or a value of the truth (an object's number; in a tuple, a class). Classes whose role in the truth's table is
        "ignore" are void anyway.
    crowd : collection of int
        Object numbers of the truth that stand for many objects nobody told apart.
    by_class : bool
        Compare the objects of InstanceMaps by their ``object_class``; otherwise all are of class 1. Tuples are always compared by class.

    Returns
    -------
    Panoptic

    Raises
    ------
    InputError
        If shapes differ, a class or an object's number is no whole number from 0 up that fits in 32 bits, an object has no class where
        classes are asked for, or only one side has classes.

    Notes
    -----
    Void pixels are taken off the predictions before their IoU. A prediction without a partner is not counted where more than half of
    its pixels are void, or a crowd of its own class; a crowd is neither found nor missed. An IoU above 0.5 makes pairs unique.

    References
    ----------
    A. Kirillov et al., CVPR 2019, section 4, arXiv:1801.00868.

    Examples
    --------
    >>> found = panoptic(np.array([[1, 1, 1, 0, 2]]), np.array([[1, 1, 0, 0, 2]]))
    >>> pq(found), sq(found), rq(found)
    (0.8333333333333333, 0.8333333333333333, 1.0)
    """
    if isinstance(pred, tuple) != isinstance(truth, tuple):
        raise InputError("one side has a class for every pixel, the other objects only: give both as (class map, object map), or neither")
    p, t = _side(pred, "prediction", by_class), _side(truth, "truth", by_class)
    labels = t.labels
    if isinstance(ignore, np.ndarray):
        if ignore.shape != labels.shape or ignore.dtype != bool:
            raise InputError(
                f"the void mask is {ignore.dtype} of shape {ignore.shape}: bool of the truth's shape {labels.shape} is expected"
            )
        labels = np.where(ignore, np.int32(_VOID_LABEL), labels)
    return _counted(contingency(p.labels, labels), p, t, ignore if not isinstance(ignore, np.ndarray) else None, crowd)


@dataclass(frozen=True, eq=False)
class _Side:
    """One side's segments: a label for every pixel, and how to read a label."""

    labels: NDArray[np.int32]
    numbers: int  # object numbers below this one in a label; 0 where a label is a number itself
    class_of: Mapping[int, int] | None  # by number, for objects with classes
    background: tuple[int, ...] = (0,)
    ignored: tuple[int, ...] = ()

    def number(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        return ids % self.numbers if self.numbers else ids

    def classes(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """The class of each label; `_NOTHING` for the background, `_VOID` for what the class table ignores."""
        if self.numbers:
            found = ids // self.numbers
            return np.where(np.isin(found, self.background), _NOTHING, np.where(np.isin(found, self.ignored), _VOID, found))
        if self.class_of is None:
            return np.where(ids > 0, 1, _NOTHING)
        return np.array([self.class_of[number] if number > 0 else _NOTHING for number in ids.tolist()], np.int64)


def _side(segments: Segments, side: str, by_class: bool) -> _Side:
    if isinstance(segments, tuple):
        return _pair(*segments, side)
    if not by_class:
        return _Side(_numbers(segments, f"{side}'s object map"), 0, None)
    if not isinstance(segments, InstanceMap):
        raise InputError(f"the {side} is a plain array: classes are known of an InstanceMap with object_class, or of a pair of maps")
    lacking = [number for number in segments.ids.tolist() if number not in segments.object_class]
    if lacking:
        raise InputError(f"{len(lacking)} of {len(segments)} objects of the {side} have no class, object {lacking[0]} first: "
                         "give every object one, or compare without classes")  # fmt: skip
    return _Side(segments.pixels, 0, segments.object_class)


def _pair(class_map: SemanticMap | NDArray[Any], number_map: InstanceMap | NDArray[Any], side: str) -> _Side:
    classes, numbers = _numbers(class_map, f"{side}'s class map"), _numbers(number_map, f"{side}'s object map")
    if numbers.shape != classes.shape:
        raise InputError(
            f"the {side}'s object map has shape {numbers.shape}, its class map {classes.shape}: both must cover the same pixels"
        )
    table = class_map.classes if isinstance(class_map, SemanticMap) else None
    background = (table.values("background") if table else ()) or (0,)
    count = int(numbers.max(initial=0)) + 1
    if (int(classes.max(initial=0)) + 1) * count > np.iinfo(np.int32).max:
        raise InputError(f"the {side} has classes to {int(classes.max())} and object numbers to {count - 1}: together they do not fit in "
                         "32 bits; renumber the objects from 1")  # fmt: skip
    return _Side(classes * np.int32(count) + numbers, count, None, background, table.values("ignore") if table else ())


def _numbers(given: SemanticMap | InstanceMap | NDArray[Any], what: str) -> NDArray[np.int32]:
    pixels = whole_numbers(given.pixels if isinstance(given, (SemanticMap, InstanceMap)) else np.asarray(given), what)
    for number in (int(pixels.min(initial=0)), int(pixels.max(initial=0))):
        if not 0 <= number <= np.iinfo(np.int32).max:
            raise InputError(f"the {what} holds {number}: numbers from 0 up that fit in 32 bits are expected; renumber them")
    return pixels.astype(np.int32, copy=False)


def _counted(table: Contingency, p: _Side, t: _Side, void: int | None, crowd: Collection[int]) -> Panoptic:
    (t_ids, t_area), (p_ids, p_area) = table.areas("truth"), table.areas("pred")
    i, j = np.searchsorted(t_ids, table.truth), np.searchsorted(p_ids, table.pred)
    t_class = _judged(t_ids, t, void)
    p_class = p.classes(p_ids.astype(np.int64))
    is_crowd = np.isin(t.number(t_ids.astype(np.int64)), list(crowd)) & (t_class >= 0)
    in_void = np.bincount(j, np.where(t_class[i] == _VOID, table.pixels, 0), len(p_ids)).astype(np.int64)
    same = (t_class[i] == p_class[j]) & (t_class[i] >= 0)
    in_crowd = np.bincount(j, np.where(same & is_crowd[i], table.pixels, 0), len(p_ids)).astype(np.int64)
    iou = table.pixels / np.maximum(t_area[i] + p_area[j] - in_void[j] - table.pixels, 1)
    pair = same & ~is_crowd[i] & (iou > 0.5)
    found, used = np.zeros(len(t_ids), bool), np.zeros(len(p_ids), bool)
    found[i[pair]] = used[j[pair]] = True
    missed = (t_class >= 0) & ~is_crowd & ~found
    wrong = (p_class >= 0) & ~used & (2 * (in_void + in_crowd) <= p_area)
    classes = np.unique(np.concatenate([t_class[found | missed], p_class[wrong]]))
    return Panoptic(
        tuple(classes.tolist()),
        _sums(classes, t_class[found], np.ones(found.sum(), np.int64)),
        _sums(classes, p_class[wrong], np.ones(wrong.sum(), np.int64)),
        _sums(classes, t_class[missed], np.ones(missed.sum(), np.int64)),
        _sums(classes, t_class[i[pair]], iou[pair]),
    )


def _judged(ids: NDArray[np.int32], side: _Side, void: int | None) -> NDArray[np.int64]:
    """The class of each label of the truth, with the void of a mask and of a value."""
    wide = ids.astype(np.int64)
    classes = side.classes(np.maximum(wide, 0))
    value = (wide // side.numbers if side.numbers else wide) if void is not None else None
    return np.where((wide == _VOID_LABEL) | (value == void if value is not None else False), _VOID, classes)


def _sums(classes: NDArray[np.int64], each: NDArray[np.int64], values: NDArray[Any]) -> NDArray[Any]:
    total = np.zeros(len(classes), values.dtype)
    np.add.at(total, np.searchsorted(classes, each), values)
    return total


def panoptic_objects(found: Overlaps) -> Panoptic:
    """The sums of objects whose overlaps are known already: one class (1), nothing ignored."""
    pair = found.iou > 0.5
    tp = int(pair.sum())
    counts = (tp, len(found.pred_ids) - tp, len(found.truth_ids) - tp)
    classes = (1,) if any(counts) else ()
    tps, fps, fns = (np.array([count for _ in classes], np.int64) for count in counts)
    return Panoptic(classes, tps, fps, fns, np.array([found.iou[pair].sum() for _ in classes], np.float64))


def pq_by_class(sums: Panoptic) -> dict[int, float]:
    """The sum of IoU over (TP + FP/2 + FN/2), by class: `sq_by_class` times `rq_by_class`."""
    return _by_class(sums, sums.iou, sums.tp + (sums.fp + sums.fn) / 2)


def sq_by_class(sums: Panoptic) -> dict[int, float]:
    """Segmentation quality, the mean IoU of the pairs, by class; 0 where a class has no pair."""
    return _by_class(sums, sums.iou, np.maximum(sums.tp, 1))


def rq_by_class(sums: Panoptic) -> dict[int, float]:
    """Recognition quality, TP over (TP + FP/2 + FN/2), by class: the F1 of the segments."""
    return _by_class(sums, sums.tp, sums.tp + (sums.fp + sums.fn) / 2)


def _by_class(sums: Panoptic, over: NDArray[Any], under: NDArray[Any]) -> dict[int, float]:
    return {value: float(a) / float(b) for value, a, b in zip(sums.classes, over, under, strict=True)}


def pq(sums: Panoptic) -> float:
    """The mean of `pq_by_class` over the classes that have a segment on either side; 1 where none has.

    For a set, give the sum over its images: counts are pooled by class, and the mean is taken once. That is no mean over images.
    """
    return _mean(pq_by_class(sums))


def sq(sums: Panoptic) -> float:
    """The mean of `sq_by_class`; with more than one class, `pq` is not `sq` times `rq`."""
    return _mean(sq_by_class(sums))


def rq(sums: Panoptic) -> float:
    """The mean of `rq_by_class`."""
    return _mean(rq_by_class(sums))


def _mean(values: Mapping[int, float]) -> float:
    return sum(values.values()) / len(values) if values else 1.0
