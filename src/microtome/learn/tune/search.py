"""One search over some of the images: a tree-structured Parzen estimator proposes, hopeless recipes are stopped early."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import RecipeError
from microtome.learn.tune.space import Knob, Settings, apply, as_parameters, propose, start_of
from microtome.run.recipe import Recipe

__all__ = ["Trial", "best_of", "search"]

_AT_ONCE = 32  # images between two looks at whether to go on
_HOPELESS = 2.0  # standard errors of the mean paired difference
_NEAR = 16  # proposals near the given recipe before the estimator takes over
Score = Callable[[Recipe, Sequence[int]], list[float]]


@dataclass(frozen=True)
class Trial:
    """One recipe that was tried.

    Attributes
    ----------
    number : int
        0 is the recipe as it was given.
    settings : mapping
    score : float
        The mean over the images; of a trial that was stopped, what it would have been: the best recipe's mean and the mean paired
        difference on the images seen.
    seen : int
        How many images were scored.
    whole : bool
        Whether all of them were.
    """

    number: int
    settings: Settings
    score: float
    seen: int
    whole: bool


def search(
    recipe: Recipe, knobs: Sequence[Knob], score: Score, places: Sequence[int],
    *, trials: int, seed: int,
) -> Iterator[Trial]:  # fmt: skip
    """Try recipes on the images at `places`: the given one, some near it, `trials` in all, and the best with what does not help set back.

    The same arguments give the same trials. A trial is stopped when its paired difference to the best one so far lies two standard
    errors below zero.

    Raises
    ------
    InputError, RecipeError
        If the given recipe itself cannot be scored.

    References
    ----------
    J. Bergstra and others, Algorithms for Hyper-Parameter Optimization, NeurIPS 2011.
    """
    study, order = _study(seed), _order(places, seed)
    best, best_values = start_of(knobs), np.array(score(recipe, order))
    yield Trial(0, best, float(best_values.mean()), len(order), True)
    for parameters in _neighbours(knobs, best, seed, count=min(_NEAR, trials)):
        study.enqueue_trial(parameters)
    for number in range(1, trials + 1):
        asked = study.ask()
        settings = propose(asked, knobs)
        try:
            candidate = apply(recipe, knobs, settings)
        except RecipeError:
            study.tell(asked, state=_failed())  # settings that no step takes together
            continue
        values = _values(candidate, score, order, best_values)
        trial = _trial(number, settings, values, best_values)
        study.tell(asked, trial.score)
        if trial.whole and trial.score > best_values.mean():
            best, best_values = settings, values
        yield trial
    yield from _simpler(recipe, knobs, best, best_values, score, order, first=trials + 1)


def _trial(number: int, settings: Settings, values: NDArray[np.float64], best: NDArray[np.float64]) -> Trial:
    whole = len(values) == len(best)
    estimate = float(values.mean() if whole else best.mean() + (values - best[: len(values)]).mean())
    return Trial(number, settings, estimate, len(values), whole)


def _simpler(
    recipe: Recipe, knobs: Sequence[Knob], best: Settings, best_values: NDArray[np.float64], score: Score, order: Sequence[int], first: int
) -> Iterator[Trial]:  # fmt: skip
    """Set back, one after the other, what does not help: the recipe stays as near to the given one as it can."""
    moved = [knob for knob in knobs if best[knob.place] != knob.start]
    for number, knob in enumerate(moved, first):
        settings = {**best, knob.place: knob.start}
        try:
            values = _values(apply(recipe, knobs, settings), score, order, best_values)
        except RecipeError:
            continue
        trial = _trial(number, settings, values, best_values)
        if trial.whole and trial.score >= best_values.mean():
            best, best_values = settings, values
        yield trial


def _neighbours(knobs: Sequence[Knob], start: Settings, seed: int, *, count: int) -> Iterator[dict[str, Any]]:
    """The given settings with about half of them left free, for the sampler to draw: near enough to be worth trying."""
    random = np.random.default_rng(seed)
    for _ in range(count):
        free = random.random(len(knobs)) < 0.5
        yield as_parameters([knob for knob, drawn in zip(knobs, free, strict=True) if not drawn], start)


def best_of(trials: Sequence[Trial]) -> Trial:
    """The trial with the highest mean over all images; of equals the latest, which has more of the given recipe."""
    return max((trial for trial in trials if trial.whole), key=lambda trial: (trial.score, trial.number))


def _values(recipe: Recipe, score: Score, order: Sequence[int], best: NDArray[np.float64]) -> NDArray[np.float64]:
    values = np.array([])
    for first in range(0, len(order), _AT_ONCE):
        values = np.concatenate([values, score(recipe, order[first : first + _AT_ONCE])])
        if len(best) and len(values) < len(order) and _is_hopeless(values - best[: len(values)]):
            break
    return values


def _is_hopeless(difference: NDArray[np.float64]) -> bool:
    error = difference.std(ddof=1) / np.sqrt(len(difference))
    return bool(difference.mean() + _HOPELESS * error < 0)


def _order(places: Sequence[int], seed: int) -> list[int]:
    """Shuffled, so that the first images stand for all; the same in every search of this seed."""
    return [int(place) for place in np.random.default_rng(seed).permutation(np.array(sorted(places), np.int64))]


def _study(seed: int) -> Any:
    import warnings

    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=_NEAR, multivariate=True, group=True)
    return optuna.create_study(direction="maximize", sampler=sampler)


def _failed() -> Any:
    from optuna.trial import TrialState

    return TrialState.FAIL
