"""Matching is one to one, takes as many pairs as there can be, and is the same however objects are numbered."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from microtome.core.errors import InputError
from microtome.measure.metrics.contingency import contingency
from microtome.measure.metrics.matching import THRESHOLDS, ap, f1, match, overlaps

maps = st.tuples(st.integers(1, 6), st.integers(1, 6)).flatmap(
    lambda shape: st.tuples(*(arrays(np.int32, shape, elements=st.integers(0, 4)) for _ in range(2)))
)


def most_pairs(edges):
    """The most pairs without a shared object, by trying everything."""
    if not edges:
        return 0
    (t, p), rest = edges[0], edges[1:]
    return max(most_pairs(rest), 1 + most_pairs([edge for edge in rest if edge[0] != t and edge[1] != p]))


def iou(pred, truth, p, t):
    both = ((pred == p) & (truth == t)).sum()
    return both / (((pred == p) | (truth == t)).sum()), both


@given(maps, st.sampled_from([0.1, 0.2, 0.25, 1 / 3, 0.4, 0.5, 0.55, 0.7, 1.0]))
@settings(max_examples=150)
def test_as_many_pairs_as_there_can_be(pair, threshold):
    pred, truth = pair
    found = match(overlaps(pred, truth), threshold)
    ids = [(t, p) for t in np.unique(truth[truth > 0]) for p in np.unique(pred[pred > 0])]
    edges = [(t, p) for t, p in ids if iou(pred, truth, p, t)[1] and iou(pred, truth, p, t)[0] >= threshold]
    assert found.tp == most_pairs(edges)
    assert found.tp + found.fn == len(np.unique(truth[truth > 0]))
    assert found.tp + found.fp == len(np.unique(pred[pred > 0]))
    assert len(set(found.pairs[:, 0])) == len(set(found.pairs[:, 1])) == found.tp
    for (t, p), value in zip(found.pairs, found.iou, strict=True):
        assert value == iou(pred, truth, p, t)[0] >= threshold


@given(maps)
@settings(max_examples=50)
def test_renumbering_changes_nothing(pair):
    pred, truth = pair
    renumbered = np.array([0, 70_000, 3, 2_000_000_000, 1])[pred]
    for threshold in (0.3, 0.5, 0.8):
        assert match(overlaps(renumbered, truth), threshold).tp == match(overlaps(pred, truth), threshold).tp


@given(maps)
@settings(max_examples=50)
def test_contingency_counts_every_pixel_once(pair):
    pred, truth = pair
    found = contingency(pred, truth)
    assert found.pixels.sum() == pred.size
    assert sorted(zip(found.truth.tolist(), found.pred.tolist(), strict=True)) == list(
        zip(found.truth.tolist(), found.pred.tolist(), strict=True)
    )
    for t, p, pixels in zip(found.truth, found.pred, found.pixels, strict=True):
        assert pixels == ((truth == t) & (pred == p)).sum() > 0


def test_chain_below_one_half_needs_an_assignment():
    # each truth overlaps two predictions; the best pair alone would cost the other truth its partner
    truth = np.array([[1] * 6 + [2] * 6])
    pred = np.array([[1] * 2 + [2] * 6 + [0] * 4])
    found = overlaps(pred, truth)
    assert found.iou.tolist() == [1 / 3, 0.5, 0.2]
    assert match(found, 0.2).tp == 2
    assert match(found, 0.4).tp == 1


def test_an_exact_half_counts_once():
    assert [match(overlaps(np.array([[1, 2]]), np.array([[1, 1]])), t).tp for t in (0.5, 0.55)] == [1, 0]


def test_thresholds_are_the_nearest_floats():
    assert THRESHOLDS == (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


def test_no_objects_on_both_sides_is_perfect_on_one_is_nothing():
    none, one = np.zeros((3, 3), int), np.ones((3, 3), int)
    for threshold in (0.2, 0.5):
        assert [metric(match(overlaps(none, none), threshold)) for metric in (f1, ap)] == [1, 1]
        assert [metric(match(overlaps(one, none), threshold)) for metric in (f1, ap)] == [0, 0]
        assert [metric(match(overlaps(none, one), threshold)) for metric in (f1, ap)] == [0, 0]


def test_70000_objects_and_volumes():
    truth = np.arange(70_000).reshape(10, 70, 100)
    found = match(overlaps(truth[:, ::-1], truth[:, ::-1]), 0.5)
    assert (found.tp, found.fp, found.fn) == (69_999, 0, 0)


def test_different_sizes_are_named():
    with pytest.raises(InputError, match=r"\(2, 3\) and the truth \(3, 2\)"):
        overlaps(np.zeros((2, 3), int), np.zeros((3, 2), int))
