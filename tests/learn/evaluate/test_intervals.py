"""Intervals of pooled numbers, against the numbers taken anew of every draw; paired differences."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microtome.learn.evaluate.compare import changed_most, compare, main_key
from microtome.learn.evaluate.intervals import _pooled_draws, differences, intervals
from microtome.measure.metrics.bootstrap import bootstrap_mean
from microtome.measure.metrics.evaluate import pool, score


def scores(task, count=6, seed=0, size=(6, 8), metrics="default", top=3):
    random = np.random.default_rng(seed)
    pairs = [(random.integers(0, top, size), random.integers(0, top, size)) for _ in range(count)]
    return [score(pred, truth, task=task, metrics=metrics) for pred, truth in pairs]


@given(st.integers(0, 1000), st.sampled_from(["semantic", "instance"]))
@settings(max_examples=10)
def test_a_pooled_number_of_a_draw_is_the_number_of_the_images_drawn(seed, task):
    metrics = "overlap,agreement" if task == "semantic" else "panoptic"
    each = scores(task, seed=seed, metrics=metrics, size=(3, 5))
    groups = ["a", "a", "b", "c", "c", "d"]
    drawn = _pooled_draws(each, groups, 7, 5)
    again = np.random.default_rng(5).integers(0, 4, (7, 4))
    members = {0: each[:2], 1: each[2:3], 2: each[3:5], 3: each[5:]}
    for number, chosen in enumerate(again.tolist()):
        pooled = pool([one for group in chosen for one in members[group]])
        for key, values in drawn.items():
            expected = pooled.get(key, np.nan)
            assert values[number] == pytest.approx(expected, nan_ok=True), key
    assert {"pa", "miou_set", "kappa", "iou_1"} <= set(drawn) if task == "semantic" else {"pq", "seg"} <= set(drawn)


def test_a_mean_over_images_has_the_interval_of_its_values():
    each = scores("instance", count=5)
    groups = [str(k) for k in range(5)]
    found = intervals(each, groups, draws=500)
    assert found["ap_50"] == bootstrap_mean([one.values["ap_50"] for one in each], draws=500)
    assert found["tp_50"].low is None


def test_one_group_has_no_interval():
    each = scores("semantic", count=3)
    assert all(one.low is None for one in intervals(each, ["a", "a", "a"], draws=50).values())


def test_images_without_a_number_are_left_out_of_its_interval():
    truth = np.array([[1, 1, 0]])
    each = [score(truth, t, task="instance", metrics="count_mape") for t in (truth, np.zeros_like(truth), truth)]
    found = intervals(each, ["a", "b", "c"], draws=50)["count_mape"]
    assert (found.mean, found.low, found.high) == (0, 0, 0)


def test_a_result_against_itself_does_not_differ():
    each = scores("semantic", metrics="overlap,agreement")
    groups = [str(k) for k in range(6)]
    for key, one in differences(each, each, groups, draws=200).items():
        assert one.mean == 0, key
        assert (one.low, one.high) in ((0, 0), (None, None)), key


def test_the_paired_interval_is_narrower_than_two_unpaired_ones():
    """Images differ far more than the two results do: only pairing sees the difference."""
    random = np.random.default_rng(3)
    truth = [np.arange(100).reshape(1, -1) % 100 < random.integers(5, 95) for _ in range(12)]
    worse = [np.roll(t, 2) for t in truth]
    first = [score(t.astype(int), t.astype(int), task="semantic") for t in truth]
    second = [score(w.astype(int), t.astype(int), task="semantic") for w, t in zip(worse, truth, strict=True)]
    groups = [str(k) for k in range(12)]
    found = compare(first, second, groups)["iou_1"]
    assert found.difference.low > 0
    assert (found.wins, found.ties, found.losses) == (12, 0, 0)
    assert found.first - found.second == pytest.approx(found.difference.mean)


def test_lower_is_better_for_errors():
    truth = np.array([[1, 0, 2, 0, 3]])
    exact, off = (score(p, truth, task="instance", metrics="counts") for p in (truth, np.array([[1, 0, 0, 0, 0]])))
    found = compare([exact, off], [off, off], ["a", "b"])
    assert (found["count_abs_error"].wins, found["count_abs_error"].ties) == (1, 1)
    assert (found["count_error"].wins, found["count_error"].losses) == (1, 0)


def test_the_images_that_changed_most_come_first():
    truth = np.array([[1, 1, 0, 2, 2]])
    good, half, none = (score(p, truth, task="instance") for p in (truth, np.array([[1, 1, 0, 0, 0]]), np.zeros_like(truth)))
    found = changed_most(["a", "b", "c"], [good, good, good], [half, none, good], "ap_50")
    assert [(one.name, one.second) for one in found] == [("b", 0.0), ("a", 0.5)]
    assert main_key([good]) == "ap_50"
