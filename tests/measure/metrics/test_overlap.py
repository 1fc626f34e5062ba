"""Precision, recall, weighted IoU, kappa and MCC of classes equal scikit-learn's, and are nan where they have no meaning."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import cohen_kappa_score, jaccard_score, matthews_corrcoef, precision_score, recall_score

from microtome.measure.metrics.confusion import Confusion, confusion
from microtome.measure.metrics.overlap import fwiou, kappa, mcc, precision, recall

maps = arrays(np.uint8, (4, 5), elements=st.integers(0, 3))


@given(maps, maps)
@settings(max_examples=100)
def test_equal_scikit_learn(pred, truth):
    found, p, t = confusion(pred, truth), pred.ravel(), truth.ravel()
    for ours, theirs in ((precision, precision_score), (recall, recall_score)):
        expected = theirs(t, p, average=None, zero_division=np.nan, labels=found.classes)
        assert list(ours(found).values()) == pytest.approx(expected.tolist(), nan_ok=True)
        assert list(ours(found)) == list(found.classes)
    assert fwiou(found) == pytest.approx(jaccard_score(t, p, average="weighted", zero_division=0))
    if len(np.unique(t)) > 1 and len(np.unique(p)) > 1:
        assert kappa(found) == pytest.approx(cohen_kappa_score(t, p))
        assert mcc(found) == pytest.approx(matthews_corrcoef(t, p))


@given(maps, maps)
@settings(max_examples=60)
def test_symmetry_and_the_truth_itself(pred, truth):
    there, back = confusion(pred, truth), confusion(truth, pred)
    for metric in (kappa, mcc):
        assert metric(there) == pytest.approx(metric(back), nan_ok=True)
    assert precision(there) == pytest.approx(recall(back), nan_ok=True)
    same = confusion(truth, truth)
    assert {*precision(same).values(), *recall(same).values(), fwiou(same)} == {1.0}
    if len(same.classes) > 1:
        assert [kappa(same), mcc(same)] == pytest.approx([1, 1])


@given(arrays(np.uint8, (4, 5), elements=st.sampled_from([0, 1, 255])), arrays(np.uint8, (4, 5), elements=st.sampled_from([0, 1, 255])))
@settings(max_examples=60)
def test_an_ignored_prediction_is_wrong_as_if_it_were_a_class_of_its_own(pred, truth):
    found, valid = confusion(pred, truth, ignore=(255,)), truth != 255
    p, t = pred[valid], truth[valid]
    if len(np.unique(t)) > 1 and len(np.unique(p)) > 1:
        assert kappa(found) == pytest.approx(cohen_kappa_score(t, p))
        assert mcc(found) == pytest.approx(matthews_corrcoef(t, p))
        assert fwiou(found) == pytest.approx(jaccard_score(t, p, average="weighted", zero_division=0))


def test_no_pixel_and_one_class_have_no_agreement():
    none, one = confusion(np.zeros((0, 2), int), np.zeros((0, 2), int)), confusion(np.zeros((2, 2), int), np.zeros((2, 2), int))
    assert all(math.isnan(metric(none)) for metric in (fwiou, kappa, mcc))
    assert all(math.isnan(metric(one)) for metric in (kappa, mcc))
    assert precision(none) == recall(none) == {}
    constant = confusion(np.zeros((1, 2), int), np.array([[0, 1]]))
    assert kappa(constant) == 0
    assert math.isnan(mcc(constant))


def test_pixels_beyond_what_products_of_64_bits_hold():
    small = Confusion((0, 1), np.array([[4, 1], [2, 5]]), np.zeros(2, np.int64))
    large = Confusion((0, 1), small.counts * 10**15, small.unanswered)
    assert [kappa(large), mcc(large), fwiou(large)] == pytest.approx([kappa(small), mcc(small), fwiou(small)])
