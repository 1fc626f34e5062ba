"""Boundary F1 grows with its tolerance, is told apart for empty sides, and leaves ignored pixels out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from microtome.core.errors import InputError, RecipeError
from microtome.measure.metrics.boundary_f1 import boundary_f1, boundary_f1_by_class, default_tolerance
from microtome.measure.metrics.surface_distances import nsd, surface_distances

maps = arrays(np.uint8, (6, 7), elements=st.integers(0, 2))


@given(maps, maps)
@settings(max_examples=60)
def test_laws(pred, truth):
    for value in (0, 1, 2):
        there, back = surface_distances(pred == value, truth == value), surface_distances(truth == value, pred == value)
        scores = [boundary_f1(there, tolerance) for tolerance in (0, 1, 1.5, 3, 20)]
        assert scores == sorted(scores)
        assert scores[-1] == ((pred == value).any() == (truth == value).any())
        assert scores == pytest.approx([boundary_f1(back, tolerance) for tolerance in (0, 1, 1.5, 3, 20)])
    assert set(boundary_f1_by_class(truth, truth).values()) == {1.0}


def test_sides_of_unlike_length_weigh_the_same():
    # The whole short boundary is found, and a tenth of the long one: 2 * 1 * .1 / 1.1, where NSD counts pixels.
    long, short = np.zeros((2, 1, 40), bool)
    long[:] = True
    short[0, :4] = True
    found = surface_distances(short, long)
    assert boundary_f1(found, 0) == pytest.approx(2 / 11)
    assert nsd(found, 0) == pytest.approx(8 / 44)


def test_the_default_tolerance_is_three_quarters_of_a_percent_of_the_diagonal():
    assert default_tolerance((3, 4, 12)) == pytest.approx(0.0075 * 13)
    assert default_tolerance((300, 400), (0.5, 0.5)) == pytest.approx(1.875)
    truth = np.zeros((300, 400), np.uint8)
    truth[100:200, 100:200] = 1
    near, far = np.roll(truth, 3, axis=1), np.roll(truth, 4, axis=1)
    assert boundary_f1_by_class(near, truth)[1] == 1
    assert boundary_f1_by_class(far, truth)[1] < 1
    assert boundary_f1_by_class(far, truth, tolerance=4)[1] == 1
    assert boundary_f1_by_class(far, truth, tolerance=2, spacing=(0.5, 0.5))[1] == 1


def test_classes_absent_on_both_sides_are_left_out_on_one_side_are_0():
    truth = np.zeros((5, 5), np.uint8)
    pred = truth.copy()
    pred[2, 2] = 4
    assert boundary_f1_by_class(truth, truth) == {0: 1}
    assert boundary_f1_by_class(pred, truth)[4] == 0


def test_ignored_pixels_are_no_class_and_no_boundary():
    truth = np.ones((6, 8), np.uint8)
    truth[:, 4:] = 255
    pred = np.ones((6, 8), np.uint8)
    pred[:, 5:] = 0
    assert boundary_f1_by_class(pred, truth, ignore=(255,)) == {1: 1}


def test_what_cannot_be_compared_is_named():
    a = np.zeros((3, 4), np.uint8)
    with pytest.raises(InputError, match="same pixels"):
        boundary_f1_by_class(a, a.T)
    for spacing in ((1.0,), (1.0, 2.0, 3.0), (0.0, 1.0)):
        with pytest.raises(InputError, match="2 numbers above zero"):
            boundary_f1_by_class(a, a, spacing=spacing)
    with pytest.raises(InputError, match="no labels, the first nan"):
        boundary_f1_by_class(a * np.nan, a)
    with pytest.raises(RecipeError, match="tolerance"):
        boundary_f1_by_class(a, a, tolerance=-1)
