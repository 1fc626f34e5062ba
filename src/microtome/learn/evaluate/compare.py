"""Two results on the same truth: the difference of each key with its paired interval, and the images that changed most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from microtome.core.errors import InputError
from microtome.learn.evaluate.intervals import differences
from microtome.measure.metrics.bootstrap import Interval
from microtome.measure.metrics.definitions import find
from microtome.measure.metrics.evaluate import pool
from microtome.measure.metrics.pair import Score

__all__ = ["Change", "Compared", "changed_most", "compare", "main_key"]


@dataclass(frozen=True)
class Compared:
    """One key of two results.

    Attributes
    ----------
    first, second : float
        Its value for each.
    difference : Interval
        ``first - second``, over the images both have; bounds that do not enclose 0 speak for a difference.
    wins, ties, losses : int
        Images where the first is better, as good, worse.
    """

    first: float
    second: float
    difference: Interval
    wins: int
    ties: int
    losses: int


@dataclass(frozen=True)
class Change:
    """One image's value of a key in two results."""

    name: str
    first: float
    second: float


def compare(first: Sequence[Score], second: Sequence[Score], groups: Sequence[str], *, seed: int = 0) -> dict[str, Compared]:
    """Compare two results key by key.

    Parameters
    ----------
    first, second : sequence of Score
        Of the same images in the same order.
    groups : sequence of str
        The group of each image: groups are drawn whole.
    seed : int

    Raises
    ------
    InputError
        If the results are not of the same images.

    Examples
    --------
    >>> from microtome.measure.metrics.evaluate import score
    >>> truth = np.array([[1, 1, 0, 2, 2]])
    >>> good, bad = (score(pred, truth, task="instance") for pred in (truth, np.zeros_like(truth)))
    >>> found = compare([good, good], [bad, good], ["a", "b"])["ap_50"]
    >>> found.first, found.second, found.wins, found.ties
    (1.0, 0.5, 1, 1)
    """
    if len(first) != len(second) or not first:
        raise InputError(f"two results of the same images are expected, found {len(first)} and {len(second)} scores")
    one, other = pool(first), pool(second)
    found = {}
    for key, difference in differences(first, second, groups, seed=seed).items():
        wins, ties, losses = _outcomes(first, second, key)
        found[key] = Compared(one[key], other[key], difference, wins, ties, losses)
    return found


def _outcomes(first: Sequence[Score], second: Sequence[Score], key: str) -> tuple[int, int, int]:
    pairs = np.array([[a.values.get(key, np.nan), b.values.get(key, np.nan)] for a, b in zip(first, second, strict=True)])
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    better = find(key).better
    gain = pairs[:, 0] - pairs[:, 1] if better == "higher" else np.abs(pairs[:, 1]) - np.abs(pairs[:, 0])
    return int((gain > 0).sum()), int((gain == 0).sum()), int((gain < 0).sum())


def changed_most(names: Sequence[str], first: Sequence[Score], second: Sequence[Score], key: str, *, most: int = 20) -> list[Change]:
    """The images whose value of a key differs most between two results, the largest difference first; equal ones are left out."""
    changes = [Change(name, a.values.get(key, np.nan), b.values.get(key, np.nan)) for name, a, b in zip(names, first, second, strict=True)]
    changes = [change for change in changes if np.isfinite(change.first - change.second) and change.first != change.second]
    return sorted(changes, key=lambda change: (-abs(change.first - change.second), change.name))[:most]


def main_key(scores: Sequence[Score]) -> str:
    """The key that images are ordered by: ap_50 of objects, miou_image of classes, else the first that every image has."""
    usual = {"semantic": "miou_image", "instance": "ap_50", "boxes": "ap_50"}[scores[0].task]
    keys = [key for key in scores[0].values if all(key in one.values for one in scores)]
    return usual if usual in keys else next((key for key in keys if find(key).over == "images"), keys[0] if keys else usual)
