"""The temperature with the least cross entropy: it undoes a known one, and stays 1 where nothing is gained."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from microtome.core.errors import InputError
from microtome.learn.calibrate.temperature import HIGHEST, LOWEST, Said, calibrate, cross_entropy, fit_temperature, tempered
from microtome.measure.metrics.calibration import ece


def softmax(logits):
    raised = np.exp(logits - logits.max(1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)


def drawn(seed, factor, count=20_000, classes=3):
    """Labels drawn by a softmax, and the probabilities of a network whose logits are `factor` times as large."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, (count, classes))
    truth = (softmax(logits).cumsum(1) > rng.random((count, 1))).argmax(1)
    return softmax(factor * logits).astype(np.float32), truth


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.7, 3.0])
def test_a_known_temperature_is_found(factor):
    assert fit_temperature(*drawn(0, factor)) == pytest.approx(factor, rel=0.04)


def test_it_is_where_a_general_minimiser_finds_it():
    probabilities, truth = drawn(1, 2.2, 4000)
    found = minimize_scalar(lambda t: cross_entropy(probabilities, truth, t), bounds=(LOWEST, HIGHEST), method="bounded")
    assert fit_temperature(probabilities, truth) == pytest.approx(found.x, rel=1e-3)


@given(st.integers(0, 1000), st.floats(0.3, 5))
def test_one_class_against_the_rest_is_a_softmax_of_two(seed, temperature):
    one = np.random.default_rng(seed).random(50)
    both = np.stack([1 - one, one], axis=1)
    np.testing.assert_allclose(tempered(one, temperature), tempered(both, temperature)[:, 1])
    logit = np.log(one / (1 - one))
    np.testing.assert_allclose(tempered(one, temperature), 1 / (1 + np.exp(-logit / temperature)), atol=1e-6)


@given(st.integers(0, 1000), st.floats(0.3, 5))
def test_tempering_is_dividing_the_logits(seed, temperature):
    logits = np.random.default_rng(seed).normal(0, 2, (40, 4))
    np.testing.assert_allclose(tempered(softmax(logits), temperature), softmax(logits / temperature), atol=1e-9)


def test_a_network_that_is_always_right_gets_the_lowest_and_one_always_wrong_the_highest():
    sure = np.full(10, 0.9)
    assert fit_temperature(sure, np.ones(10, int)) == pytest.approx(LOWEST, rel=1e-3)
    assert fit_temperature(sure, np.zeros(10, int)) == pytest.approx(HIGHEST, rel=1e-3)


def test_probabilities_of_exactly_0_and_1_are_no_infinity():
    assert np.isfinite(cross_entropy(np.array([0.0, 1.0]), np.array([1, 0])))
    assert np.isfinite(fit_temperature(np.array([0.0, 1.0, 1.0]), np.array([1, 1, 1])))


def test_calibration_is_judged_on_images_it_was_not_fitted_to():
    images = [Said(*drawn(seed, 2.0, 3000), group=f"g{seed}") for seed in range(5)]
    found = calibrate(images)
    assert found.temperature == pytest.approx(2, rel=0.05)
    assert found.entropy_after < found.entropy_before
    assert ece(found.after) < 0.3 * ece(found.before)
    assert (found.images, found.pixels) == (5, 15_000)


def test_what_helps_one_group_and_harms_the_other_is_left_away():
    """Each group's own temperature is wrong for the other."""
    images = [Said(*drawn(0, 4.0, 3000), group="a"), Said(*drawn(1, 0.25, 3000), group="b")]
    found = calibrate(images)
    assert found.temperature == 1
    assert found.entropy_after == found.entropy_before
    assert ece(found.after) == ece(found.before)


def test_images_of_one_group_never_judge_each_other():
    images = [Said(*drawn(seed, 2.0, 500), group="slide") for seed in range(4)]
    assert calibrate(images).temperature == 1


def test_images_without_pixels_are_left_out_and_none_at_all_is_refused():
    nothing = Said(np.zeros((0, 3)), np.zeros(0, int), "empty")
    assert calibrate([nothing, *(Said(*drawn(k, 2.0, 800), group=f"{k}") for k in range(2))]).images == 2
    with pytest.raises(InputError, match="there are none"):
        calibrate([nothing])
    with pytest.raises(InputError, match="there are none"):
        fit_temperature(np.zeros(0), np.zeros(0, int))


def test_shapes_and_classes_are_checked():
    with pytest.raises(InputError, match=r"shape \(4, 3\)"):
        Said(np.zeros((4, 3)), np.zeros(5, int))
    with pytest.raises(InputError, match="classes 0 to 3"):
        Said(np.full((2, 3), 1 / 3), np.array([0, 3]))
