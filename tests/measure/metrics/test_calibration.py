"""Bins take their edges as they say, tables add up, and the errors are those of a plain loop and of scikit-learn."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import brier_score_loss

from microtome.core.errors import InputError, RecipeError
from microtome.measure.metrics.calibration import brier, ece, mce, reliability

tenths = st.integers(0, 20).map(lambda k: k / 20)
drawn = st.integers(1, 30).flatmap(lambda n: st.tuples(arrays(np.float64, n, elements=tenths), arrays(bool, n)))


@given(drawn, st.sampled_from(["right", "left"]), st.integers(1, 20))
@settings(max_examples=100)
def test_equal_to_a_plain_loop(pair, closed, bins):
    confidence, correct = pair
    gaps = []
    for k in range(bins):
        low, high = k / bins, (k + 1) / bins
        inside = (confidence > low) & (confidence <= high) if closed == "right" else (confidence >= low) & (confidence < high)
        inside |= (confidence == 0) & (k == 0) if closed == "right" else (confidence == 1) & (k == bins - 1)
        if inside.any():
            gaps.append((inside.sum(), abs(correct[inside].mean() - confidence[inside].mean())))
    table = reliability(confidence, correct, bins=bins, closed=closed)
    assert ece(table) == pytest.approx(sum(n * gap for n, gap in gaps) / len(correct))
    assert mce(table) == pytest.approx(max(gap for _, gap in gaps))
    assert ece(table) <= mce(table) + 1e-12
    assert brier(table) == pytest.approx(brier_score_loss(correct, confidence, pos_label=True))


@given(drawn)
@settings(max_examples=50)
def test_tables_add_up(pair):
    confidence, correct = pair
    whole, parts = reliability(confidence, correct), reliability(confidence[:3], correct[:3]) + reliability(confidence[3:], correct[3:])
    np.testing.assert_array_equal(whole.count, parts.count)
    assert whole.count.sum() == len(correct)
    for metric in (ece, mce, brier):
        assert metric(whole) == pytest.approx(metric(parts))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_an_edge_belongs_to_one_bin_in_every_precision(dtype):
    edges = (np.arange(11) / 10).astype(dtype)
    right, left = (reliability(edges, np.ones(11, bool), bins=10, closed=closed).count.tolist() for closed in ("right", "left"))
    assert right == [2] + [1] * 9
    assert left == [1] * 9 + [2]


def test_sure_and_right_is_0_sure_and_wrong_is_1():
    sure = np.ones(5, np.float32)
    assert [metric(reliability(sure, np.ones(5, bool))) for metric in (ece, mce, brier)] == [0, 0, 0]
    assert [metric(reliability(sure, np.zeros(5, bool))) for metric in (ece, mce, brier)] == [1, 1, 1]


def test_the_table_says_how_full_how_sure_and_how_right_each_bin_is():
    table = reliability(np.array([[0.1, 0.3], [0.3, 0.9]]), np.array([[0, 1], [0, 1]]), bins=2)
    assert table.edges.tolist() == [0, 0.5, 1]
    assert table.count.tolist() == [3, 1]
    assert table.confidence.tolist() == pytest.approx([0.7 / 3, 0.9])
    assert table.accuracy.tolist() == pytest.approx([1 / 3, 1])
    assert math.isnan(reliability(np.array([0.1]), np.array([1]), bins=2).accuracy[1])


def test_nothing_predicted_is_nan():
    none = reliability(np.zeros(0), np.zeros(0, bool))
    assert all(math.isnan(metric(none)) for metric in (ece, mce, brier))


def test_what_is_no_confidence_is_named():
    sure, right = np.full((2, 2), 0.5), np.ones((2, 2), bool)
    with pytest.raises(InputError, match="one answer for each"):
        reliability(sure, right[0])
    with pytest.raises(InputError, match="uint8"):
        reliability(sure.astype(np.uint8), right)
    with pytest.raises(InputError, match="found other values"):
        reliability(sure, np.full((2, 2), 255))
    with pytest.raises(RecipeError, match="bins 0"):
        reliability(sure, right, bins=0)
    with pytest.raises(RecipeError, match=r"bins 2\.5"):
        reliability(sure, right, bins=2.5)
    with pytest.raises(RecipeError, match="closed 'both'"):
        reliability(sure, right, closed="both")
    with pytest.raises(InputError, match="same bins"):
        reliability(sure, right) + reliability(sure, right, bins=10)
    sure[1, 0], sure[1, 1] = math.nan, 3.5
    with pytest.raises(InputError, match=r"2 confidences are outside 0 to 1, the first nan at \(1, 0\)"):
        reliability(sure, right)
