"""Learning rates by hand, and what holds for every schedule."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")

from microtome.core.errors import RecipeError
from microtome.learn.training.schedules import SCHEDULES, constant, cosine, one_cycle, poly, schedule_of


def test_warm_up_rises_by_equal_parts_and_reaches_one():
    assert [constant(step, 20, warm_up=0.2) for step in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]


def test_cosine_by_hand():
    # 11 steps without warm-up: step k is at k / 10 of the way; at 3/10 the cosine is cos(54 degrees)
    assert cosine(3, 11, warm_up=0, end=0.1) == pytest.approx(0.1 + 0.9 * (1 + math.cos(math.radians(54))) / 2)
    # with 5 of 25 steps of warm-up, step 4 ends the rise and step 5 begins the fall
    assert [cosine(step, 25, warm_up=0.2, end=0) for step in (0, 4, 5, 24)] == pytest.approx([0.2, 1.0, 1.0, 0.0])


def test_poly_by_hand():
    assert poly(75, 100, power=0.9) == pytest.approx(0.25**0.9)
    assert poly(0, 100) == 1.0


def test_one_cycle_by_hand():
    # 101 steps, peak at 30: step 15 is half-way up, step 65 half-way down
    found = [one_cycle(step, 101, warm_up=0.3, start=0.04, end=0) for step in (0, 15, 30, 65, 100)]
    assert found == pytest.approx([0.04, 0.52, 1.0, 0.5, 0.0])


@pytest.mark.parametrize("name", SCHEDULES)
@given(steps=st.integers(1, 500), data=st.data())
def test_a_rate_is_never_negative_and_never_above_the_optimisers_own(name, steps, data):
    step = data.draw(st.integers(0, steps - 1))
    assert 0 <= schedule_of(name)(step, steps) <= 1


def test_settings_come_from_the_recipe():
    assert schedule_of({"poly": {"power": 2}})(50, 100) == 0.25


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("cosin", "schedule: unknown schedule 'cosin'; did you mean cosine"),
        ({"cosine": {"warmup": 0.1}}, r"schedule\.cosine.*warmup.*did you mean warm_up"),
        ({"cosine": {"warm_up": 2}}, r"schedule\.cosine\.warm_up: found 2"),
        ({"cosine": {}, "poly": {}}, "expected one of"),
        (3, "found 3, expected one of"),
    ],
)
def test_a_mistake_names_its_place(document, message):
    with pytest.raises(RecipeError, match=message):
        schedule_of(document)
