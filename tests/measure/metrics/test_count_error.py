"""Errors of counts keep their sign, and images without objects are left out of the relative one, and counted."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_error, mean_absolute_percentage_error

from microtome.core.errors import InputError
from microtome.measure.metrics.count_error import count_errors

pairs = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=10)


@given(pairs)
@settings(max_examples=60)
def test_means_equal_scikit_learn(drawn):
    pred, truth = (np.array(side) for side in zip(*drawn, strict=True))
    found = count_errors(pred, truth)
    assert found.bias == pytest.approx(pred.mean() - truth.mean())
    assert found.mae == pytest.approx(mean_absolute_error(truth, pred))
    there = truth > 0
    assert found.left_out == (~there).sum()
    if there.any():
        assert found.mape == pytest.approx(mean_absolute_percentage_error(truth[there], pred[there]))
    else:
        assert math.isnan(found.mape)
    assert count_errors(truth, truth).mae == 0


def test_each_image_has_its_own():
    found = count_errors([7, 3, 2], [5, 4, 0])
    assert found.error.tolist() == [2, -1, 2]
    assert found.absolute.tolist() == [2, 1, 2]
    assert found.relative[:2].tolist() == [0.4, 0.25]
    assert math.isnan(found.relative[2])


def test_too_many_and_too_few_cancel_in_the_bias_only():
    found = count_errors([4, 6], [5, 5])
    assert (found.bias, found.mae, found.mape) == (0, 1, 0.2)


def test_what_is_no_count_is_named():
    for pred, truth, words in (
        ([], [], "one number an image"),
        ([1], [1, 2], "1 predicted counts for 2 true ones"),
        ([1, -2], [1, 2], "predicted count of image 1 is -2"),
        ([1, 2], [1, 2.5], "true count of image 1 is 2.5"),
        ([1, math.nan], [1, 2], "predicted count of image 1 is nan"),
        ([[1]], [[1]], r"shape \(1, 1\)"),
        (["a"], [1], "one number an image"),
        ([1e30], [1], "image 0 is 1e"),
    ):
        with pytest.raises(InputError, match=words):
            count_errors(pred, truth)
