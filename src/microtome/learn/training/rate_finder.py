"""A learning rate from a range test: the rate rises with every step, and the loss tells where it still helps and where it breaks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from microtome.core.errors import RecipeError, RunError
from microtome.core.result import Sample
from microtome.learn.data.dataset import Dataset
from microtome.learn.training.recipe import TrainingRecipe

__all__ = ["RangeTest", "find_rate", "range_test"]

_LOW, _HIGH, _STEPS = 1e-6, 1.0, 120
_SMOOTHING = 0.9
_TOO_MUCH = 4.0
_FEWEST = 10


@dataclass(frozen=True)
class RangeTest:
    """What a range test found.

    Attributes
    ----------
    rates, losses, smoothed : tuple of float
        Of each step that was done.
    steepest : float
        The rate at which the smoothed loss falls fastest with the rate's logarithm.
    lowest : float
        The rate at which the smoothed loss is least.
    rate : float
        The suggestion: `steepest`, and no more than a tenth of `lowest`.
    high : float
        Where the test would have ended.
    optimiser : str
        Whose rate it is.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    steepest: float
    lowest: float
    rate: float
    high: float
    optimiser: str = ""


def range_test(
    step: Callable[[float], float], *, low: float = _LOW, high: float = _HIGH, steps: int = _STEPS, smoothing: float = _SMOOTHING
) -> RangeTest:
    """Take steps at rates that rise by equal factors, and find the rate to train with.

    Parameters
    ----------
    step : function
        Takes one step of training at a rate; gives the loss before it.
    low, high : float
        The first rate and the last.
    steps : int
    smoothing : float, 0 to 1
        What remains of the running mean of the losses at a step. It is divided by what it would be of ones, so that it does not lag at
        its beginning.

    Returns
    -------
    RangeTest

    Raises
    ------
    RunError
        If training breaks within the first ten steps, or its loss never falls: no rate can be told then.

    Notes
    -----
    The test ends early where the smoothed loss is four times its least, or a loss or a gradient is not finite. The suggestion is the rate
    of the steepest descent, but no more than a tenth of the rate of the least loss: at the least loss itself training is about to break.
    Both are looked for after the first ten steps, whose mean is of too few losses.

    References
    ----------
    L. N. Smith, arXiv:1506.01186, section 3.3: the range test, there with rates that rise by equal amounts. The logarithmic rise, the
    steepest descent and the tenth are of fast.ai (S. Gugger, How do you find a good learning rate, 2018).

    Examples
    --------
    Downhill on a parabola of slope 2 w the best rate is 0.5, and from 1 on every step leads away:

    >>> w = [1.0]
    >>> def step(rate):
    ...     loss = w[0] ** 2
    ...     w[0] -= rate * 2 * w[0]
    ...     return loss
    >>> found = range_test(step, low=1e-4, high=10.0)
    >>> 1e-3 < found.rate < 0.5
    True
    """
    if steps <= _FEWEST + 1:
        raise RecipeError(f"steps: found {steps}, expected more than {_FEWEST + 1}: with fewer no slope can be told")
    rates: list[float] = []
    losses: list[float] = []
    smoothed: list[float] = []
    mean = 0.0
    for number in range(steps):
        rate = low * (high / low) ** (number / (steps - 1))
        try:
            loss = step(rate)
        except RunError:  # a loss or a gradient that is not finite: where the range ends
            break
        if not math.isfinite(loss):
            break
        mean = smoothing * mean + (1 - smoothing) * loss
        rates.append(rate)
        losses.append(loss)
        smoothed.append(mean / (1 - smoothing ** (number + 1)))
        if smoothed[-1] > _TOO_MUCH * min(smoothed) > 0:
            break
    if len(rates) <= _FEWEST:
        raise RunError(f"the range test broke after {len(rates)} steps, at a rate of {rate:g}: the loss was not finite, or "
                       f"{_TOO_MUCH:g} times the least; look at the images with microtome check")  # fmt: skip
    return _told(rates, losses, smoothed, high)


def _told(rates: Sequence[float], losses: Sequence[float], smoothed: Sequence[float], high: float) -> RangeTest:
    slopes = np.gradient(np.array(smoothed), np.log(np.array(rates)))
    least = _FEWEST + int(np.argmin(smoothed[_FEWEST:]))
    falling = slopes[_FEWEST : least + 1]
    if falling.min() >= 0:
        raise RunError("the loss fell at no rate: the range test can suggest none; look at labels and images with microtome check")
    steepest, lowest = rates[_FEWEST + int(np.argmin(falling))], rates[least]
    return RangeTest(tuple(rates), tuple(losses), tuple(smoothed), steepest, lowest, min(steepest, lowest / 10), high)


def find_rate(
    data: Dataset | Iterable[Sample],
    *,
    out: str | Path,
    recipe: TrainingRecipe | None = None,
    held: Dataset | Iterable[Sample] | None = None,
    start: str | Path | None = None,
    high: float = _HIGH,
    steps: int = _STEPS,
) -> RangeTest:
    """Do a range test of the training that `microtome.learn.training.train.train` would do; nothing is written.

    Parameters
    ----------
    data, out, recipe, held, start
        As of `train`; a split that is in `out` is used.
    high : float
        The greatest rate that is tried.
    steps : int
        Of training, thrown away afterwards.

    Raises
    ------
    InputError, RecipeError
        As `train` does.
    RunError
        As `range_test` does.
    MissingExtra
        If torch is not installed.
    """
    from microtome.learn.training.extra import check_extra

    check_extra()
    from microtome.learn.training.set_up import set_up
    from microtome.learn.training.start import Start

    ready = set_up(data, held, Path(out), recipe or TrainingRecipe(), Start.of(start) if start is not None else None, keep=False)
    run = ready.run
    try:
        if run.crew.count > 1:
            raise RecipeError("a range test is done by one process; start it without torchrun")
        loop = run.trial()
        drawn = run.batches.after(0)
        numbers = iter(range(steps))

        def step(rate: float) -> float:
            loop.hold_rate(rate)
            return loop.step(next(numbers), [next(drawn) for _ in range(loop.fitting.accumulate)])["total"]

        found = range_test(step, high=high, steps=steps)
    finally:
        run.close()
    return replace(found, optimiser=next(iter(run.recipe.optimiser or {})))
