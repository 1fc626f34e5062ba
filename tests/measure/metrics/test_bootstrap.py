"""Intervals are repeatable, wider over groups of like images, and absent where there is one group."""

import numpy as np
import pytest

from microtome.core.errors import InputError, RecipeError
from microtome.measure.metrics.bootstrap import Interval, bootstrap_difference, bootstrap_mean

VALUES = [0.8, 0.9, 0.7, 0.95, 0.6]


def test_same_seed_same_bounds():
    assert bootstrap_mean(VALUES, seed=3) == bootstrap_mean(VALUES, seed=3)


def test_groups_of_one_are_images():
    assert bootstrap_mean(VALUES, groups=list("abcde")) == bootstrap_mean(VALUES)


def test_groups_are_drawn_whole():
    values = [0.1] * 20 + [0.9] * 20
    alone = bootstrap_mean(values)
    grouped = bootstrap_mean(values, groups=["a"] * 20 + ["b"] * 20)
    assert (round(grouped.low, 9), round(grouped.high, 9)) == (0.1, 0.9)
    assert alone.high - alone.low < 0.4
    assert alone.mean == grouped.mean == pytest.approx(0.5)


def test_uneven_groups_weigh_by_their_images():
    mean, low, high = bootstrap_mean([0.0, 0.0, 0.0, 1.0], groups=["a", "a", "a", "b"])
    assert (mean, low, high) == (0.25, 0, 1)


def test_one_group_has_no_bounds():
    assert bootstrap_mean([0.5]) == Interval(0.5, None, None)
    assert bootstrap_mean([0.5, 0.7], groups=["a", "a"]).low is None


def test_a_constant_difference_is_sure():
    second = np.array(VALUES)
    mean, low, high = bootstrap_difference((second + 0.125).tolist(), VALUES)
    assert (mean, low, high) == pytest.approx((0.125,) * 3)
    assert bootstrap_difference(VALUES, VALUES, groups=list("aabbc")) == (0, 0, 0)


def test_what_cannot_be_drawn_is_named():
    for values, groups, words in (
        ([], None, "at least one"),
        ([0.1, np.nan], None, "nan for image 1"),
        ([0.1, 0.2], ["a"], "1 groups for 2"),
        ([[0.1, 0.2]], None, r"shape \(1, 2\)"),
    ):
        with pytest.raises(InputError, match=words):
            bootstrap_mean(values, groups=groups)
    for wrong in ({"draws": 0}, {"level": 0}, {"level": 1.5}, {"level": np.nan}, {"seed": -1}):
        with pytest.raises(RecipeError, match="draws at level"):
            bootstrap_mean(VALUES, **wrong)
    with pytest.raises(InputError, match="found 2 and 1"):
        bootstrap_difference([0.1, 0.2], [0.1])
