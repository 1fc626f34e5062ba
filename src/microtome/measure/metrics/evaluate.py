"""Every key for one pair of masks, or for a set of pairs: each pair is scored alone, and the scores are pooled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError, RecipeError
from microtome.core.events import warn
from microtome.measure.metrics.definitions import DEFINITIONS, METRICS, Task, choose, definition, find
from microtome.measure.metrics.pair import Labels, Score, mean_of
from microtome.measure.metrics.pair_boxes import score_boxes
from microtome.measure.metrics.pair_classes import of_confusion, score_classes
from microtome.measure.metrics.pair_objects import of_sums, score_objects
from microtome.measure.metrics.ranking import of_ranked

__all__ = ["DEFINITIONS", "Task", "definition", "evaluate", "evaluate_set", "lacking", "left_out", "pool", "score"]

_NEEDS = {
    "ranked": "needs a score for every predicted object, and these have none",
    "scores": "needs the foreground's probability for every pixel, and these are masks",
}


Pairs = Iterable[tuple[Any, Any]]


def evaluate(
    pred: Labels,
    truth: Labels,
    *,
    task: Task,
    ignore: int | None = None,
    metrics: str | Iterable[str] = "default",
    spacing: str | Sequence[str] | None = None,
) -> dict[str, float]:
    """Compare one prediction with its truth.

    Parameters
    ----------
    pred, truth : SemanticMap, InstanceMap, Objects or ndarray of integers; same shape
        For "semantic" an InstanceMap counts as foreground, and a ScoreMap of one layer as the foreground's probability, foreground from
        0.5 up. For "instance" both must be InstanceMaps (or arrays of ids). For "boxes" Objects, or InstanceMaps for the boxes around
        their objects.
    task : {"semantic", "instance", "boxes"}
    ignore : int, optional
        A value of the truth that is no class, such as 255. Classes whose role in the truth's table is "ignore" are ignored anyway.
    metrics : str or iterable of str
        "default", "all", families ("boundary", "clusters", "panoptic", ...) or keys, as a list or separated by commas.
    spacing : str or sequence of str, optional
        The pixel spacing, such as ``"0.65 um"``, for lengths in a unit; by default the truth's own.

    Returns
    -------
    dict of str to float
        By key; `definition` says what each is. A key that does not exist for these masks is nan.

    Raises
    ------
    InputError
        If the shapes differ, or a mask is not of the kind the task compares.
    RecipeError
        If the task or a metric is not known, or a metric is not for this task.

    Examples
    --------
    >>> from microtome.core.raster import InstanceMap
    >>> truth = InstanceMap(np.array([[1, 1, 0, 2, 2]]))
    >>> evaluate(InstanceMap(np.array([[7, 7, 0, 0, 8]])), truth, task="instance")["ap_75"]
    0.3333333333333333
    """
    return evaluate_set([(pred, truth)], task=task, ignore=ignore, metrics=metrics, spacing=spacing)


def evaluate_set(
    pairs: Pairs,
    *,
    task: Task,
    ignore: int | None = None,
    metrics: str | Iterable[str] = "default",
    spacing: str | Sequence[str] | None = None,
) -> dict[str, float]:
    """Compare predictions with their truths, as (prediction, truth) pairs, one at a time.

    Parameters and errors are those of `evaluate`; what is pooled over the set and what is averaged over images, `definition` says.
    Images for which a key does not exist are left out of its mean, and a warning counts them.

    Raises
    ------
    InputError
        Also if there is no pair.
    """
    keys = choose(metrics, task)
    scores = [score(pred, truth, task=task, metrics=keys, ignore=ignore, spacing=spacing) for pred, truth in pairs]
    for key, count in left_out(scores).items() if len(scores) > 1 else ():
        warn(f"{key}: {count} of {len(scores)} images are left out of the mean, it does not exist for them")
    found = pool(scores)
    for key, why in lacking(keys, found).items() if metrics != "default" else ():
        warn(f"{key}: left out, it {why}")
    return found


def score(
    pred: Labels,
    truth: Labels,
    *,
    task: Task,
    metrics: str | Iterable[str] = "default",
    ignore: int | None = None,
    spacing: str | Sequence[str] | None = None,
) -> Score:
    """Compare one pair; `pool` makes the keys of a set of several. Parameters and errors are those of `evaluate`.

    Examples
    --------
    >>> truth = np.array([[1, 1, 0, 2, 2]])
    >>> both = [score(pred, truth, task="instance") for pred in (truth, np.zeros_like(truth))]
    >>> both[1].values["ap_50"], pool(both)["ap_50"]
    (0.0, 0.5)
    """
    keys = choose(metrics, task)
    if task == "semantic":
        return score_classes(pred, truth, keys, ignore, spacing)
    if ignore is not None:
        raise RecipeError(f"ignore: {ignore} has no meaning for instances; leave it out")
    return score_objects(pred, truth, keys) if task == "instance" else score_boxes(pred, truth, keys)


def pool(scores: Sequence[Score]) -> dict[str, float]:
    """The keys of a set from the scores of its pairs: what is pooled is added up first, what is averaged is the mean over images.

    Raises
    ------
    InputError
        If there is no score.
    """
    if not scores:
        raise InputError("nothing to evaluate: no pair of a prediction and its truth")
    pooled = _pooled(scores)
    keys = dict.fromkeys(key for one in scores for key in one.values)
    means = {key: mean_of(one.values.get(key, float("nan")) for one in scores) for key in keys if key not in pooled}
    found = {key: value for key, value in (pooled | means).items() if key in pooled or find(key).over == "images"}
    place = {key: number for number, key in enumerate(METRICS)}
    return {key: _whole(key, found[key]) for key in sorted(found, key=lambda key: place[find(key).key])}


def _whole(key: str, value: float) -> float:
    """What is counted over a set is a whole number."""
    return int(value) if find(key).over == "set" and find(key).unit in ("objects", "classes") else value


def left_out(scores: Sequence[Score]) -> dict[str, int]:
    """For each key that is a mean over images, how many images have no such number; keys that all have are not listed."""
    keys = dict.fromkeys(key for one in scores for key in one.values if find(key).over == "images")
    counts = {key: sum(not np.isfinite(one.values.get(key, np.nan)) for one in scores) for key in keys}
    return {key: count for key, count in counts.items() if count}


def lacking(keys: Iterable[str], found: Iterable[str]) -> dict[str, str]:
    """The keys asked for that predictions of this kind do not have, each with what it needs."""
    there = set(found)
    return {key: _NEEDS[find(key).family] for key in keys if find(key).family in _NEEDS and key not in there}


def _pooled(scores: Sequence[Score]) -> dict[str, float]:
    first = scores[0]
    sums = _added([one.sums for one in scores])
    if first.task == "semantic":
        whole = reduce(add, (one.confusion for one in scores if one.confusion is not None))
        background = {value for one in scores for value in one.background}
        return of_confusion(whole, background, first.keys) | {key: float(sums[key][0]) for key in first.keys if key in sums}
    found = {key: float(value) for key, value in of_sums(sums, first.keys).items()}
    ranked = [one.ranked for one in scores if one.ranked is not None]
    return found | (of_ranked(ranked, first.keys) if len(ranked) == len(scores) else {})


def _added(each: Sequence[Mapping[str, NDArray[np.float64]]]) -> dict[str, NDArray[np.float64]]:
    names = dict.fromkeys(name for sums in each for name in sums)
    return {name: np.sum([sums[name] for sums in each if name in sums], axis=0) for name in names}
