"""How far a mean could move if other images, or other groups of images, had been drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError, RecipeError

__all__ = ["DRAWS", "Interval", "bootstrap_difference", "bootstrap_mean"]

DRAWS = 10_000
_AT_ONCE = 500


class Interval(NamedTuple):
    """A mean and the bounds of its confidence interval; no bounds with fewer than two groups."""

    mean: float
    low: float | None
    high: float | None


def bootstrap_mean(
    values: Sequence[float], *, groups: Sequence[str] | None = None, draws: int = DRAWS, level: float = 0.95, seed: int = 0
) -> Interval:
    """The mean of per-image values, with a percentile bootstrap interval.

    Parameters
    ----------
    values : sequence of float
        One an image.
    groups : sequence of str, optional
        The group of each image (patient, plate): groups are drawn whole, since images of one group resemble each other. By default
        every image is a group of its own.
    draws : int
    level : float
        The share of the bootstrap means within the bounds.
    seed : int
        From 0 up; the same seed gives the same bounds.

    Raises
    ------
    InputError
        If there is no value, one is not finite, or groups do not fit the values.
    RecipeError
        If there is no draw, the level is not between 0 and 1, or the seed is below 0.

    References
    ----------
    B. Efron, Annals of Statistics 7(1), 1979, 1-26, doi:10.1214/aos/1176344552.

    Examples
    --------
    >>> mean, low, high = bootstrap_mean([0.8, 0.9, 0.7, 0.95, 0.6], seed=1)
    >>> round(mean, 2), round(low, 2), round(high, 2)
    (0.79, 0.68, 0.9)
    """
    if draws < 1 or not 0 < level < 1 or seed < 0:
        raise RecipeError(f"{draws} draws at level {level} with seed {seed}: at least 1, between 0 and 1, and from 0 up are expected")
    numbers = _finite(values)
    sums, counts = _by_group(numbers, groups)
    mean = float(numbers.mean())
    if len(sums) < 2:
        return Interval(mean, None, None)
    random = np.random.default_rng(seed)
    means = np.concatenate([_means(sums, counts, random, min(_AT_ONCE, draws - done)) for done in range(0, draws, _AT_ONCE)])
    low, high = np.percentile(means, [50 * (1 - level), 50 * (1 + level)])
    return Interval(mean, float(low), float(high))


def bootstrap_difference(
    first: Sequence[float],
    second: Sequence[float],
    *,
    groups: Sequence[str] | None = None,
    draws: int = DRAWS,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """The mean of ``first - second`` over the same images, with its interval; bounds that do not enclose 0 speak for a difference.

    Parameters and errors are those of `bootstrap_mean`; both results must be over the same images in the same order.

    Examples
    --------
    >>> low = bootstrap_difference([0.8, 0.9, 0.7], [0.7, 0.8, 0.6]).low
    >>> round(low, 6)
    0.1
    """
    if len(first) != len(second):
        raise InputError(f"a paired difference needs the same images on both sides, found {len(first)} and {len(second)} values")
    return bootstrap_mean((_finite(first) - _finite(second)).tolist(), groups=groups, draws=draws, level=level, seed=seed)


def _finite(values: Sequence[float]) -> NDArray[np.float64]:
    numbers = np.asarray(values, np.float64)
    if numbers.ndim != 1 or not numbers.size:
        raise InputError(f"a bootstrap needs at least one value, one an image, found an array of shape {numbers.shape}")
    bad = np.flatnonzero(~np.isfinite(numbers))
    if len(bad):
        raise InputError(f"a bootstrap needs finite values, found {numbers[bad[0]]} for image {bad[0]}; leave such images out and say so")
    return numbers


def _by_group(numbers: NDArray[np.float64], groups: Sequence[str] | None) -> tuple[NDArray[np.float64], NDArray[np.integer[Any]]]:
    """The sum and the count of each group's values."""
    if groups is None:
        return numbers, np.ones(len(numbers), np.int64)
    if len(groups) != len(numbers):
        raise InputError(f"{len(groups)} groups for {len(numbers)} values: name one for each")
    place = np.unique(np.asarray(groups), return_inverse=True)[1]
    return np.bincount(place, numbers).astype(np.float64), np.bincount(place)


def _means(sums: NDArray[np.float64], counts: NDArray[np.integer[Any]], random: np.random.Generator, draws: int) -> NDArray[np.float64]:
    """Draw as many groups as there are, with replacement, and take the mean over the images in them; `draws` times."""
    drawn = random.integers(0, len(sums), (draws, len(sums)))
    return sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
