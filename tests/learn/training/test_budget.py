"""How many steps a run has: from what was told, or from seconds by arithmetic."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from microtome.core.events import collect_warnings
from microtome.learn.training.budget import Measured, plan
from microtome.learn.training.recipe import Budget


def test_epochs_become_steps():
    planned = plan(Budget(epochs=2.5), 10, None)
    assert (planned.steps, planned.every) == (25, 2)  # twenty validations at most
    assert "2.5 epochs of 10 steps" in planned.reason


def test_steps_are_taken_as_they_are():
    assert plan(Budget(steps=7), 10, None).steps == 7
    assert plan(Budget(steps=7), 10, 3).every == 3


def test_a_budget_of_less_than_a_step_is_one_step():
    planned = plan(Budget(epochs=0.01), 10, None)
    assert (planned.steps, planned.every) == (1, 1)


def spent(planned, measured, times):
    return planned.steps * measured.step + times * measured.validation


@pytest.mark.parametrize("seconds", [120, 600, 36000])
@pytest.mark.parametrize("measured", [Measured(0.05, 0.5, 5), Measured(1.0, 10, 300), Measured(0.2, 0.01, 0)])
def test_a_time_is_used_and_not_exceeded(seconds, measured):
    planned = plan(Budget(time=f"{seconds}s"), 10, None, measured, spent=10)
    validations = -(-planned.steps // planned.every)
    used = spent(planned, measured, validations) + 10 + 20 + min(measured.fitting, 0.1 * seconds)
    assert 0.8 * seconds <= used <= seconds


def test_validation_takes_no_more_than_its_share():
    slow = Measured(step=1.0, validation=30.0, fitting=0)
    planned = plan(Budget(time="1h"), 10, None, slow)
    assert -(-planned.steps // planned.every) * 30 <= 0.15 * 3600 + 30


def test_a_time_that_is_gone_already_gives_one_step():
    with collect_warnings() as said:
        assert plan(Budget(time="5s"), 10, None, Measured(1, 1, 1), spent=100).steps == 1
    assert "5s is too short for a step" in said[0]


def test_epochs_of_fewer_batches_than_a_step_takes_are_counted():
    assert plan(Budget(epochs=20), 4 / 8, None).steps == 10  # 80 batches, eight a step
