"""COCO's average precision: predictions ranked by score over a whole set, at ten IoUs, by category and by size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from math import isfinite
from typing import Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from microtome.core.errors import InputError, RecipeError, did_you_mean
from microtome.core.events import warn
from microtome.core.kernels.areas import objects_of
from microtome.core.objects import Objects
from microtome.core.raster import InstanceMap
from microtome.core.table import Table
from microtome.measure.metrics._coco_matching import AREAS, MAX_DETECTIONS, RIGHT, WRONG, Ranked, rank_and_match
from microtome.measure.metrics._coco_objects import FlatObjects, flat_boxes, flat_masks
from microtome.measure.metrics.matching import THRESHOLDS

__all__ = ["CocoAP", "coco_ap"]

RECALLS = np.linspace(0.0, 1.0, 101)  # COCO's own: ten of them are a bit above k/100, and recalls fall exactly on those
_AT_ONCE = 64

Found = Objects | InstanceMap


@dataclass(frozen=True, eq=False)
class CocoAP:
    """The twelve numbers of COCO, and what they are made of. -1 where the truth has nothing to find.

    Attributes
    ----------
    ap, ap_50, ap_75 : float
        Average precision over the ten IoUs .50, .55 ... .95, and at two of them; 100 predictions a category and image.
    ap_small, ap_medium, ap_large : float
        Of objects with areas up to 32², from 32² to 96², and from 96² px on (bounds belong to both).
    ar_1, ar_10, ar_100 : float
        The greatest recall with 1, 10 and 100 predictions a category and image, averaged over the ten IoUs.
    ar_small, ar_medium, ar_large : float
    by_category : Table
        The same numbers for each category, with the counts of objects (crowds left out) and predictions.
    categories : tuple of str
    precision : ndarray of float64, shape (10, 101, categories, 4, 3)
        By IoU, recall, category, area range (`AREAS`) and `MAX_DETECTIONS`.
    recall : ndarray of float64, shape (10, categories, 4, 3)
    """

    ap: float
    ap_50: float
    ap_75: float
    ap_small: float
    ap_medium: float
    ap_large: float
    ar_1: float
    ar_10: float
    ar_100: float
    ar_small: float
    ar_medium: float
    ar_large: float
    by_category: Table
    categories: tuple[str, ...]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]


def coco_ap(pairs: Iterable[tuple[Found, Found]], *, of: Literal["masks", "boxes"] = "masks", by_class: bool = True) -> CocoAP:
    """Average precision and recall of a set of images as COCO defines them.

    Parameters
    ----------
    pairs : iterable of (prediction, truth)
        Objects or 2-D InstanceMaps of one image, one pair held at a time. Every predicted object has a score. Classes go by name.
    of : {"masks", "boxes"}
        What the IoU is taken of.
    by_class : bool
        A category for each class name, objects without a class being one of their own; otherwise all objects are one category.

    Returns
    -------
    CocoAP

    Raises
    ------
    InputError
        If a prediction has no finite score, two sides differ in shape, an object without an area is among masks, a box or a corner is
        not finite, or there is no pair.

    Notes
    -----
    In order of score every prediction takes the free object of the best IoU from the threshold up. Crowds take any number of predictions
    at the share of the *prediction* they cover; these predictions, like those matched to an object outside of the area range, and those
    outside of it without a partner, are left out. Precision is interpolated at 101 recalls. Equal scores keep the order of the images,
    and of the objects in them. Polygons are painted as COCO does, which differs from Microtome's masks at slanting borders. A true
    object's area is its pixels, or its box where nothing more is known; COCO takes the number in its file instead.

    References
    ----------
    T.-Y. Lin et al., ECCV 2014, arXiv:1405.0312; the definition is the code, pycocotools 2.0.11, cocoeval.py.

    Examples
    --------
    >>> truth = InstanceMap(np.array([[1, 1, 0, 2, 2]]))
    >>> pred = InstanceMap(np.array([[1, 1, 0, 0, 2]]), object_score={1: 0.9, 2: 0.8})
    >>> found = coco_ap([(pred, truth)])
    >>> found.ap_50, round(found.ap_75, 4)
    (1.0, 0.505)
    """
    if of not in ("masks", "boxes"):
        raise RecipeError(f"of: {of!r}{did_you_mean(str(of), ('masks', 'boxes'))}")
    known: dict[str, int] = {}
    named: set[str] = set()
    parts = [
        rank_and_match(pred, truth, known, by_class=by_class, boxes=of == "boxes") for pred, truth in _batches(pairs, of == "boxes", named)
    ]
    if not parts:
        raise InputError("nothing to evaluate: no pair of a prediction and its truth")
    all_of = _together(parts, [known[name] for name in sorted(known)])
    names = tuple(sorted(known))
    if by_class:
        _tell_unknown(names, all_of, named)
    precision, recall = _curves(all_of)
    return _summary(names, all_of, precision, recall)


def _batches(pairs: Iterable[tuple[Found, Found]], boxes: bool, named: set[str]) -> Iterator[tuple[FlatObjects, FlatObjects]]:
    """The pairs, some at a time, so that a set is never held whole; the class names of the truth's tables are added to `named`."""
    rest = iter(pairs)
    while held := [(_objects(pred), _objects(truth)) for pred, truth in islice(rest, _AT_ONCE)]:
        for pred, truth in held:
            _check(pred, truth)
            named.update(entry.name for entry in truth.classes)
        preds, truths = [pred for pred, _ in held], [truth for _, truth in held]
        if boxes:
            yield flat_boxes(preds, area_of_box=True), flat_boxes(truths, area_of_box=False)
        else:
            yield flat_masks(preds), flat_masks(truths)


def _objects(found: Found) -> Objects:
    return objects_of(found, image=found.source) if isinstance(found, InstanceMap) else found


def _check(pred: Objects, truth: Objects) -> None:
    place = f"{truth.image or pred.image}: " if truth.image or pred.image else ""
    if pred.shape != truth.shape:
        raise InputError(f"{place}the prediction is {pred.shape}, the truth {truth.shape}: both must cover the same pixels")
    for item in pred.items:
        if item.score is None or not isfinite(item.score):
            raise InputError(f"{place}object {item.number} of the prediction has the score {item.score}: predictions are ranked by score; "
                             "give each a number, or use ap_50, which needs none")  # fmt: skip


def _together(parts: Sequence[Ranked], order: Sequence[int]) -> Ranked:
    """All images' predictions, image by image, with the categories renumbered so that `order` comes out as 0, 1, 2 ..."""
    wanted, predicted = np.zeros((len(order), len(AREAS)), np.int64), np.zeros(len(order), np.int64)
    for part in parts:  # an earlier part knows fewer categories
        wanted[: len(part.wanted)] += part.wanted
        predicted[: len(part.predicted)] += part.predicted
    number = np.empty(len(order), np.int64)
    number[list(order)] = np.arange(len(order))
    category, rank, score = (np.concatenate([getattr(part, field) for part in parts]) for field in ("category", "rank", "score"))
    states = np.concatenate([part.states for part in parts], axis=2)
    return Ranked(number[category], rank, score, states, wanted[list(order)], predicted[list(order)])


def _curves(found: Ranked) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Precision at every recall, and the greatest recall, by category; -1 where there is nothing to find."""
    count = len(found.wanted)
    precision = np.full((len(THRESHOLDS), len(RECALLS), count, len(AREAS), len(MAX_DETECTIONS)), -1.0)
    recall = np.full((len(THRESHOLDS), count, len(AREAS), len(MAX_DETECTIONS)), -1.0)
    surest = np.lexsort((-found.score, found.category))
    first = np.searchsorted(found.category[surest], np.arange(count + 1))
    for k in range(count):
        own = surest[first[k] : first[k + 1]]
        _curve(np.ascontiguousarray(found.states[:, :, own]), found.rank[own], found.wanted[k], np.array(MAX_DETECTIONS), RECALLS,
               precision[:, :, k], recall[:, k])  # fmt: skip
    return precision, recall


@njit(cache=True, nogil=True)
def _curve(
    states: NDArray[np.uint8],
    rank: NDArray[np.int64],
    wanted: NDArray[np.int64],
    limits: NDArray[np.int64],
    recalls: NDArray[np.float64],
    precision: NDArray[np.float64],
    recall: NDArray[np.float64],
) -> None:
    count = len(rank)
    p, r = np.empty(count), np.empty(count)
    for a in range(states.shape[0]):
        if wanted[a] == 0:
            continue
        for t in range(states.shape[1]):
            for m in range(len(limits)):
                n, right, wrong = 0, 0, 0
                for d in range(count):
                    if rank[d] < limits[m]:
                        right += states[a, t, d] == RIGHT
                        wrong += states[a, t, d] == WRONG
                        r[n] = right / wanted[a]
                        p[n] = right / max(1, wrong + right)
                        n += 1
                for d in range(n - 1, 0, -1):
                    p[d - 1] = max(p[d - 1], p[d])
                recall[t, a, m] = r[n - 1] if n else 0.0
                d = 0
                for k in range(len(recalls)):
                    while d < n and r[d] < recalls[k]:
                        d += 1
                    precision[t, k, a, m] = p[d] if d < n else 0.0


def _summary(names: tuple[str, ...], found: Ranked, precision: NDArray[np.float64], recall: NDArray[np.float64]) -> CocoAP:
    whole = _numbers(precision, recall)
    each = [_numbers(precision[:, :, k : k + 1], recall[:, k : k + 1]) for k in range(len(names))]
    table = Table({
        "category": np.array(names, object),
        "objects": found.wanted[:, 0],
        "predicted": found.predicted,
        **{key: np.array([one[key] for one in each], np.float64) for key in whole},
    })  # fmt: skip
    return CocoAP(**whole, by_category=table, categories=names, precision=precision, recall=recall)


def _numbers(precision: NDArray[np.float64], recall: NDArray[np.float64]) -> dict[str, float]:
    area = {name: k for k, name in enumerate(AREAS)}
    return {
        "ap": _mean(precision[..., 0, -1]),
        "ap_50": _mean(precision[THRESHOLDS.index(0.5), ..., 0, -1]),
        "ap_75": _mean(precision[THRESHOLDS.index(0.75), ..., 0, -1]),
        **{f"ap_{size}": _mean(precision[..., area[size], -1]) for size in ("small", "medium", "large")},
        **{f"ar_{limit}": _mean(recall[..., 0, k]) for k, limit in enumerate(MAX_DETECTIONS)},
        **{f"ar_{size}": _mean(recall[..., area[size], -1]) for size in ("small", "medium", "large")},
    }


def _mean(values: NDArray[np.float64]) -> float:
    there = values[values > -1]
    return float(there.mean()) if there.size else -1.0


def _tell_unknown(names: Sequence[str], found: Ranked, named: set[str]) -> None:
    strange = {
        name: int(count)
        for name, wanted, count in zip(names, found.wanted[:, 0], found.predicted, strict=True)
        if count and not wanted and name not in named
    }
    if strange:
        said = ", ".join(f"{name or 'no class'} ({count})" for name, count in strange.items())
        warn(
            f"predictions of classes that the truth does not know count nowhere: {said}; the truth has {', '.join(sorted(named)) or 'none'}"
        )
