"""ROC and precision-recall equal scikit-learn's, tie by tie; sets add up; one class is nan; NaN is refused where it counts."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from microtome.core.errors import InputError
from microtome.measure.metrics.precision_recall import ap_pixel, precision_recall
from microtome.measure.metrics.roc import roc, roc_auc
from microtome.measure.metrics.score_counts import score_counts

sizes = st.integers(2, 30)
drawn = sizes.flatmap(
    lambda n: st.tuples(arrays(np.float64, n, elements=st.sampled_from([-2.0, 0.0, -0.0, 0.1, 0.5, 7.5])), arrays(bool, n))
)


@given(drawn.filter(lambda pair: 0 < pair[1].sum() < len(pair[1])), st.sampled_from([np.float16, np.float32, np.float64]))
@settings(max_examples=150)
def test_equal_scikit_learn(pair, dtype):
    scores, truth = pair[0].astype(dtype), pair[1]
    counts = score_counts(scores, truth)
    wide = scores.astype(np.float64)
    assert roc_auc(counts) == pytest.approx(roc_auc_score(truth, wide))
    assert ap_pixel(counts) == pytest.approx(average_precision_score(truth, wide))
    for ours, theirs in zip(roc(counts), roc_curve(truth, wide, drop_intermediate=False), strict=True):
        np.testing.assert_allclose(ours, theirs)
    precision, recall, thresholds = precision_recall_curve(truth, wide)
    curve = precision_recall(counts)
    np.testing.assert_allclose(curve.precision, precision[-2::-1])
    np.testing.assert_allclose(curve.recall, recall[-2::-1])
    np.testing.assert_allclose(curve.thresholds, thresholds[::-1])


@given(drawn)
@settings(max_examples=60)
def test_order_scale_and_sums(pair):
    scores, truth = pair
    whole = score_counts(scores, truth)
    parts = score_counts(scores[:1], truth[:1]) + score_counts(scores[1:], truth[1:])
    assert whole.positives.sum() + whole.negatives.sum() == len(truth)
    for name in ("scores", "positives", "negatives"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(parts, name))
    for metric in (roc_auc, ap_pixel):
        assert metric(score_counts(scores[::-1], truth[::-1])) == pytest.approx(metric(whole), nan_ok=True)
        assert metric(score_counts(np.arctan(scores), truth)) == pytest.approx(metric(whole), nan_ok=True)
    assert roc_auc(score_counts(-scores, truth)) == pytest.approx(1 - roc_auc(whole), nan_ok=True)


@given(arrays(bool, st.integers(2, 20)).filter(lambda truth: 0 < truth.sum() < len(truth)))
@settings(max_examples=30)
def test_the_truth_as_score_is_best_and_a_constant_is_chance(truth):
    assert [metric(score_counts(truth.astype(np.float32), truth)) for metric in (roc_auc, ap_pixel)] == [1, 1]
    constant = score_counts(np.full(truth.shape, 0.3), truth)
    assert roc_auc(constant) == 0.5
    assert ap_pixel(constant) == pytest.approx(truth.mean())


def test_one_class_or_no_pixel_is_nan():
    for truth in (np.zeros(3, bool), np.ones(3, bool), np.zeros(0, bool)):
        counts = score_counts(np.linspace(0, 1, len(truth)), truth)
        assert math.isnan(roc_auc(counts))
        assert math.isnan(ap_pixel(counts))
    assert np.isnan(roc(score_counts(np.array([0.1, 0.2]), np.ones(2, bool))).fpr).all()


def test_only_pixels_inside_the_mask_count_and_only_they_need_a_score():
    random = np.random.default_rng(0)
    scores, truth, mask = random.random((20, 30)), random.random((20, 30)) < 0.3, random.random((20, 30)) < 0.6
    expected = roc_auc(score_counts(scores[mask], truth[mask]))
    scores[~mask] = math.nan
    labels = np.where(mask, truth, 255)
    assert roc_auc(score_counts(scores, labels, mask=mask)) == expected


def test_integer_scores_and_infinite_ones():
    truth = np.array([0, 1, 0, 1])
    assert roc_auc(score_counts(np.array([10, 200, 10, 255], np.uint8), truth)) == 1
    assert roc_auc(score_counts(np.array([2**31 - 2, 2**31 - 1, 0, 2**31 - 1], np.int32), truth)) == 1
    assert roc_auc(score_counts(np.array([1, 2**53, 1, 2**53 - 1]), truth)) == 1
    assert roc_auc(score_counts([1, 2, 1, 3], [0, 1, 0, 1])) == 1
    assert roc_auc(score_counts(np.array([-math.inf, 1, 0, math.inf]), truth)) == 1


def test_a_volume_counts_like_a_line():
    random = np.random.default_rng(0)
    scores, truth = random.random((4, 5, 6), np.float32), random.random((4, 5, 6)) < 0.5
    assert roc_auc(score_counts(scores, truth)) == roc_auc(score_counts(scores.ravel(), truth.ravel()))


def test_what_cannot_be_counted_is_named():
    scores, truth = np.zeros((2, 3)), np.zeros((2, 3), bool)
    with pytest.raises(InputError, match=r"\(2, 3\) and the truth \(3, 2\)"):
        score_counts(scores, truth.T)
    with pytest.raises(InputError, match="the mask is int"):
        score_counts(scores, truth, mask=np.zeros((2, 3), int))
    with pytest.raises(InputError, match="found 255 and 1 more"):
        score_counts(scores, np.array([[0, 1, 255], [255, 0, 0]]))
    with pytest.raises(InputError, match="complex"):
        score_counts(scores.astype(complex), truth)
    with pytest.raises(InputError, match=r"integers up to 2\*\*53"):
        score_counts(np.array([[2**53 + 1, 2, 3]] * 2), truth)
    scores[1, :2] = math.nan
    with pytest.raises(InputError, match=r"2 scores are NaN, the first at \(1, 0\)"):
        score_counts(scores, truth)
    with pytest.raises(InputError, match=r"1 scores are NaN, the first at \(1, 1\)"):
        score_counts(scores, truth, mask=np.array([[True] * 3, [False, True, True]]))
