"""How far each number of a set could move with other images, or other groups: bootstrap intervals of means and of pooled numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from microtome.measure.metrics.bootstrap import DRAWS, Interval, bootstrap_difference, bootstrap_mean
from microtome.measure.metrics.definitions import find
from microtome.measure.metrics.evaluate import pool
from microtome.measure.metrics.pair import Score
from microtome.measure.metrics.pair_objects import of_sums

__all__ = ["differences", "intervals"]

_AT_ONCE = 500

Drawn = dict[str, NDArray[np.float64]]


def intervals(
    scores: Sequence[Score], groups: Sequence[str], *, draws: int = DRAWS, level: float = 0.95, seed: int = 0
) -> dict[str, Interval]:
    """The value of each key with the bounds of its interval.

    Parameters
    ----------
    scores : sequence of Score
        One an image.
    groups : sequence of str
        The group of each image: groups are drawn whole.
    draws, level, seed
        As in `bootstrap_mean`.

    Returns
    -------
    dict of str to Interval
        Without bounds: counts, keys that rank predictions over the set, and everything with fewer than two groups.

    Notes
    -----
    For a mean over images, the images it exists for are drawn (by group). For a number pooled over the set, what is pooled is added up
    over the images drawn, and the number is taken anew of every draw.
    """
    values = pool(scores)
    drawn = _pooled_draws(scores, groups, draws, seed)
    found = {}
    for key, value in values.items():
        if find(key).over == "images":
            numbers = np.array([one.values.get(key, np.nan) for one in scores])
            there = np.isfinite(numbers)
            found[key] = (
                bootstrap_mean(numbers[there].tolist(), groups=_of(groups, there), draws=draws, level=level, seed=seed)
                if there.any()
                else Interval(value, None, None)
            )
        else:
            found[key] = _bounds(value, drawn.get(key), level)
    return found


def differences(
    first: Sequence[Score], second: Sequence[Score], groups: Sequence[str], *, draws: int = DRAWS, level: float = 0.95, seed: int = 0
) -> dict[str, Interval]:
    """For each key of both results ``first - second`` over the same images, with its paired interval.

    Parameters are those of `intervals`. The same images are drawn for both; for a mean over images those where both have the number.
    """
    one, other = pool(first), pool(second)
    drawn = _pooled_draws(first, groups, draws, seed), _pooled_draws(second, groups, draws, seed)
    found = {}
    for key in one.keys() & other.keys():
        if find(key).over == "images":
            pairs = np.array([[a.values.get(key, np.nan), b.values.get(key, np.nan)] for a, b in zip(first, second, strict=True)])
            there = np.isfinite(pairs).all(axis=1)
            if not there.any():
                continue
            a, b = pairs[there].T.tolist()
            found[key] = bootstrap_difference(a, b, groups=_of(groups, there), draws=draws, level=level, seed=seed)
        else:
            apart = drawn[0][key] - drawn[1][key] if key in drawn[0] and key in drawn[1] else None
            found[key] = _bounds(one[key] - other[key], apart, level)
    return {key: found[key] for key in one if key in found}


def _of(groups: Sequence[str], chosen: NDArray[np.bool_]) -> list[str]:
    return [group for group, kept in zip(groups, chosen.tolist(), strict=True) if kept]


def _bounds(value: float, drawn: NDArray[np.float64] | None, level: float) -> Interval:
    if drawn is None or not np.isfinite(drawn).any():
        return Interval(value, None, None)
    low, high = np.nanpercentile(drawn, [50 * (1 - level), 50 * (1 + level)])
    return Interval(value, float(low), float(high))


def _pooled_draws(scores: Sequence[Score], groups: Sequence[str], draws: int, seed: int) -> Drawn:
    """Every key that is pooled over the set, once a draw; nothing with fewer than two groups."""
    place = np.unique(np.asarray(groups), return_inverse=True)[1]
    if not len(place) or place.max() < 1:
        return {}
    parts = [_of_draw(scores, place, weights) for weights in _weights(int(place.max()) + 1, draws, seed)]
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def _weights(groups: int, draws: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """How often each group was drawn, some draws at a time."""
    random = np.random.default_rng(seed)
    for done in range(0, draws, _AT_ONCE):
        count = min(_AT_ONCE, draws - done)
        drawn = random.integers(0, groups, (count, groups)) + groups * np.arange(count)[:, None]
        yield np.bincount(drawn.ravel(), minlength=count * groups).reshape(count, groups).astype(np.float64)


def _of_draw(scores: Sequence[Score], place: NDArray[np.int64], weights: NDArray[np.float64]) -> Drawn:
    if scores[0].task == "semantic":
        return _classes(scores, place, weights)
    names = dict.fromkeys(name for one in scores for name in one.sums if not name.startswith(("tp_", "fp_", "fn_")))
    sums = {name: weights @ _by_group([one.sums.get(name) for one in scores], place) for name in names}
    return {key: np.broadcast_to(value, len(weights)) for key, value in of_sums(sums, scores[0].keys).items()} if sums else {}


def _by_group(rows: Sequence[NDArray[np.float64] | None], place: NDArray[np.int64]) -> NDArray[np.float64]:
    """The rows of each group's images added up."""
    width = next(len(row) for row in rows if row is not None)
    total = np.zeros((int(place.max()) + 1, width))
    np.add.at(total, place, np.stack([np.zeros(width) if row is None else row for row in rows]))
    return total


def _classes(scores: Sequence[Score], place: NDArray[np.int64], weights: NDArray[np.float64]) -> Drawn:
    """The keys that follow from a confusion, of many at once: the formulas of `overlap` over a leading axis of draws."""
    values = sorted({value for one in scores if one.confusion for value in one.confusion.classes})
    count = len(values)
    rows = []
    for one in scores:
        assert one.confusion is not None
        at = np.searchsorted(values, one.confusion.classes)
        own, unanswered = np.zeros((count, count)), np.zeros(count)
        own[np.ix_(at, at)], unanswered[at] = one.confusion.counts, one.confusion.unanswered
        rows.append(np.concatenate([own.ravel(), unanswered]))
    sums = weights @ _by_group(rows, place)
    tables = sums[:, : count * count].reshape(-1, count, count)
    outside = {value for one in scores for value in one.background}
    found = _formulas(tables, sums[:, count * count :], values, outside)
    return {key: value for key, value in found.items() if _asked(key, scores[0].keys)}


def _asked(key: str, keys: Sequence[str]) -> bool:
    return key in keys or f"{key.rpartition('_')[0]}_c" in keys


def _formulas(table: NDArray[np.float64], unanswered: NDArray[np.float64], values: Sequence[int], outside: set[int]) -> Drawn:
    right = np.diagonal(table, axis1=1, axis2=2)
    truth, pred = table.sum(axis=2) + unanswered, table.sum(axis=1)
    whole = truth.sum(axis=1)
    chance = (truth * pred).sum(axis=1)
    spread = (whole**2 - (truth**2).sum(axis=1)) * (whole**2 - (pred**2).sum(axis=1) - unanswered.sum(axis=1) ** 2)
    iou, dice = _ratio(right, truth + pred - right), _ratio(2 * right, truth + pred)
    precision, recall = _ratio(right, pred), _ratio(right, truth)
    things = [k for k, value in enumerate(values) if value not in outside]
    found = {
        "pa": _ratio(right.sum(axis=1), whole),
        "mean_acc": _row_mean(recall, np.nan),
        "miou_set": _row_mean(iou, 1.0),
        "fwiou": _ratio(np.nansum(truth * np.nan_to_num(iou), axis=1), whole),
        "dice": _row_mean(dice[:, things], 1.0),
        "precision": _row_mean(precision[:, things], np.nan),
        "recall": _row_mean(recall[:, things], np.nan),
        "kappa": _ratio(right.sum(axis=1) * whole - chance, whole**2 - chance),
        "mcc": _ratio(right.sum(axis=1) * whole - chance, np.sqrt(np.maximum(spread, 0))),
    }
    by_class: Mapping[str, NDArray[np.float64]] = {"iou": iou, "dice": dice, "precision": precision, "recall": recall}
    return found | {f"{name}_{value}": each[:, k] for name, each in by_class.items() for k, value in enumerate(values)}


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0)


def _row_mean(each: NDArray[np.float64], empty: float) -> NDArray[np.float64]:
    """The mean of each row over what is not nan."""
    there = np.isfinite(each)
    count = there.sum(axis=1)
    return np.where(count > 0, np.where(there, each, 0).sum(axis=1) / np.maximum(count, 1), empty)
