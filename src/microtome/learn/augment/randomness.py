"""The random numbers of one sample: the same in every process, in any order, on any number of cores."""

from __future__ import annotations

import numpy as np

from microtome.core.errors import RecipeError

__all__ = ["generator", "seeds"]


def generator(*numbers: int) -> np.random.Generator:
    """The generator that belongs to these whole numbers, such as seed, epoch and index of a sample.

    Raises
    ------
    RecipeError
        If one is below zero.

    Examples
    --------
    >>> generator(1, 0, 7).integers(1000) == generator(1, 0, 7).integers(1000)
    np.True_
    """
    _check(numbers)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(numbers)))


def seeds(seed: int, epoch: int, count: int) -> list[int]:
    """A seed for each sample of an epoch; the n-th does not depend on how many there are.

    Examples
    --------
    >>> seeds(1, 0, 5)[:3] == seeds(1, 0, 3)
    True
    """
    _check((seed, epoch))
    return [int(number) for number in np.random.SeedSequence([seed, epoch]).generate_state(count, np.uint64) >> np.uint64(1)]


def _check(numbers: tuple[int, ...]) -> None:
    if min(numbers) < 0:
        raise RecipeError(f"seed: found {min(numbers)}, expected a whole number from 0")
