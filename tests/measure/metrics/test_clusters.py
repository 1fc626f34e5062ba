"""Rand and information metrics of two partitions: equal to the peers, blind to numbering, best for the truth itself."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.metrics import adapted_rand_error, variation_of_information
from sklearn.metrics import adjusted_rand_score, rand_score

from microtome.measure.metrics.contingency import Contingency, contingency
from microtome.measure.metrics.rand import are, ari, rand
from microtome.measure.metrics.voi import voi_merge, voi_split

maps = arrays(np.int32, (4, 5), elements=st.integers(0, 3))
METRICS = (rand, ari, are, voi_split, voi_merge)


@given(maps, maps)
@settings(max_examples=150)
def test_equal_to_the_peers(pred, truth):
    table = contingency(pred, truth)
    assert rand(table) == pytest.approx(rand_score(truth.ravel(), pred.ravel()))
    assert ari(table) == pytest.approx(adjusted_rand_score(truth.ravel(), pred.ravel()))
    assert [voi_split(table), voi_merge(table)] == pytest.approx(list(variation_of_information(truth, pred)), abs=1e-12)


@given(maps, maps)
@settings(max_examples=60)
def test_are_by_listing_pairs(pred, truth):
    inside = truth > 0
    same_t, same_p = ([a == b for a, b in itertools.product(side[inside], repeat=2)] for side in (truth, pred))
    both = sum(t and p for t, p in zip(same_t, same_p, strict=True))
    if inside.any():
        assert are(contingency(pred, truth)) == pytest.approx(1 - 2 * both / (sum(same_t) + sum(same_p)))


def test_are_nears_scikit_image_where_objects_are_large():
    random = np.random.default_rng(0)
    truth, pred = (np.kron(random.integers(1, 5, (5, 5)), np.ones((60, 60), int)) for _ in range(2))
    assert are(contingency(pred, truth)) == pytest.approx(adapted_rand_error(truth, pred)[0], abs=1e-4)


@given(maps, maps, st.permutations(range(1, 4)))
@settings(max_examples=60)
def test_numbering_and_sides(pred, truth, numbers):
    table = contingency(pred, truth)
    renumbered = contingency(np.array([0, *numbers])[pred], np.array([0, 7, 100_000, 5])[truth])
    for metric in METRICS:
        assert metric(renumbered) == pytest.approx(metric(table), nan_ok=True)
    swapped = contingency(truth, pred)
    assert [rand(swapped), ari(swapped)] == pytest.approx([rand(table), ari(table)])
    assert voi_split(swapped) == pytest.approx(voi_merge(table))


@given(maps)
@settings(max_examples=40)
def test_the_truth_itself_is_best(truth):
    assert [metric(contingency(truth, truth)) for metric in METRICS] == [1, 1, 0, 0, 0]


def test_are_does_not_see_what_lies_on_the_truths_background():
    truth = np.array([[1, 1, 0, 0, 2, 2]])
    assert are(contingency(np.array([[1, 1, 5, 6, 2, 2]]), truth)) == 0
    assert are(contingency(np.array([[1, 1, 0, 0, 0, 0]]), truth)) == 0  # one cluster, whatever its number
    none = np.zeros((2, 2), int)
    assert are(contingency(none, none)) == 0
    assert math.isnan(are(contingency(none + 1, none)))


def test_too_few_pixels_and_one_cluster():
    empty, one = np.zeros((0, 3), int), np.ones((1, 1), int)
    for labels in (empty, one):
        assert [metric(contingency(labels, labels)) for metric in METRICS] == [1, 1, 0, 0, 0]
    # One cluster against singletons: chance alone gives as much.
    assert ari(contingency(np.arange(4)[None], np.zeros((1, 4), int))) == 0


def test_counts_whose_squares_need_more_than_64_bits():
    table = Contingency(np.array([1, 1, 2], np.int32), np.array([1, 2, 2], np.int32), np.array([4, 1, 5], np.int64) * 10**12)
    small = Contingency(table.truth, table.pred, np.array([4, 1, 5], np.int64) * 1000)
    for metric in METRICS:
        assert metric(table) == pytest.approx(metric(small), abs=1e-3)
    assert rand(table) == pytest.approx((16 + 1 + 25 + 2 * 4 * 5) / 100)
