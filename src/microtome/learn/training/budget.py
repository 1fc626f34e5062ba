"""How many steps a run has: told, or turned once from a time into a number, by measuring a few steps that are then thrown away."""

from __future__ import annotations

import time
from dataclasses import dataclass

from microtome.core.events import warn
from microtome.learn.training.batches import Batches
from microtome.learn.training.events import Planned
from microtome.learn.training.loop import Loop
from microtome.learn.training.recipe import Budget, seconds_of
from microtome.learn.training.validate import Validator

__all__ = ["Measured", "measure", "plan"]

_UNTIMED, _TIMED = 3, 12
_MOST, _FEWEST = 20, 4
_VALIDATING = 0.15  # the most of the time that validation may take
_EXPORT = 20.0  # seconds that writing the model takes
_FITTING = 66  # times all held-out images are decoded to fit the settings of decoding
_RESERVE = 0.03  # other programs come and go


@dataclass(frozen=True)
class Measured:
    """Seconds that a step, a validation and fitting the decoding take."""

    step: float
    validation: float
    fitting: float


def measure(trial: Loop, batches: Batches, validator: Validator) -> Measured:
    """Take some steps of a run that is thrown away, and validate a few held-out images."""
    source = batches.after(0)
    for number in range(_UNTIMED):
        trial.step(number, [next(source) for _ in range(trial.fitting.accumulate)])
    began = time.monotonic()
    for number in range(_UNTIMED, _UNTIMED + _TIMED):
        trial.step(number, [next(source) for _ in range(trial.fitting.accumulate)])
    step = (time.monotonic() - began) / _TIMED
    source.close()  # type: ignore[attr-defined]
    network = trial.average.module
    cases = [validator.cases[number] for number in range(0, len(validator.cases), max(1, len(validator.cases) // 6))]
    validator.scores(network, cases[0])
    began = time.monotonic()
    scores = [validator.scores(network, case) for case in cases]
    asked = time.monotonic() - began
    masks = [validator.mask(one) for one in scores]
    decoded = time.monotonic() - began - asked
    validator.judge(zip(masks, cases, strict=True))
    judged = time.monotonic() - began - asked - decoded
    began = time.monotonic()
    validator.loss(network)
    loss = time.monotonic() - began
    each = len(validator.cases) / len(cases)
    return Measured(step, (asked + decoded + judged) * each + loss, (decoded + judged) * each * _FITTING)


def plan(budget: Budget, per_epoch: float, every: int | None, measured: Measured | None = None, spent: float = 0.0) -> Planned:
    """Settle the steps, and how often is validated.

    Parameters
    ----------
    budget : Budget
    per_epoch : float
        Steps; a part of one where a step takes more batches than an epoch has.
    every : int, optional
        Steps between validations, where the user says.
    measured : Measured, optional
        Needed where the budget is a time.
    spent : float
        Seconds that are gone already.

    Examples
    --------
    >>> plan(Budget(epochs=10), 30, None).steps
    300
    >>> plan(Budget(time="10m"), 30, None, Measured(0.5, 4.0, 20.0), spent=30.0).steps
    873
    """
    if budget.time is None:
        steps = budget.steps or max(1, round((budget.epochs or 1.0) * per_epoch))
        told = f"{budget.epochs:g} epochs of {per_epoch:g} steps" if budget.steps is None else f"{steps} steps"
        return Planned(steps, every or max(1, -(-steps // _MOST)), f"{told}, as the recipe says")
    assert measured is not None
    seconds = seconds_of(budget.time, "budget.time")
    fitting = min(measured.fitting, 0.1 * seconds)
    left = (seconds - spent) * (1 - _RESERVE) - fitting - _EXPORT
    if left < measured.step + measured.validation:
        warn(
            f"budget.time: {budget.time} is too short for a step ({measured.step:.2f} s) and a validation ({measured.validation:.1f} s): "
            f"{spent:.0f} s are gone, {fitting + _EXPORT:.0f} s are kept for the end; one step is taken, and its model will be of no use"
        )
    times = int(min(_MOST, max(_FEWEST, _VALIDATING * left / measured.validation)))
    steps = max(1, int((left - times * measured.validation) / measured.step))
    reason = (f"{budget.time}: a step takes {measured.step:.2f} s and a validation {measured.validation:.1f} s on this machine; "
              f"{spent:.0f} s are gone, {fitting + _EXPORT:.0f} s are kept for the end")  # fmt: skip
    return Planned(steps, every or max(1, -(-steps // times)), reason)
