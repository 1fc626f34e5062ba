"""Weights of classes, beside scikit-learn's."""

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from microtome.core.errors import InputError
from microtome.losses.class_weights import balanced, median_frequency


def test_balanced_equals_scikit_learn():
    labels = np.repeat([0, 1, 2], [50, 30, 7])
    np.testing.assert_allclose(balanced(np.bincount(labels)), compute_class_weight("balanced", classes=np.arange(3), y=labels))


def test_absent_classes_weigh_nothing():
    assert balanced([8, 0, 2]).tolist() == pytest.approx([10 / 24, 0, 10 / 6])
    assert median_frequency([8, 0, 2]).tolist() == pytest.approx([0.5 / 0.8, 0, 0.5 / 0.2])
    assert balanced([0, 0]).tolist() == median_frequency([0, 0]).tolist() == [0, 0]


def test_a_class_is_as_frequent_as_where_it_occurs():
    # class 1 has 10 pixels, all in one of two images of 100
    assert median_frequency([190, 10], [200, 100]).tolist() == pytest.approx([(0.95 + 0.1) / 2 / 0.95, (0.95 + 0.1) / 2 / 0.1])


@pytest.mark.parametrize("counts", [[], [1, -1], [[1, 2]], [float("nan")]])
def test_what_cannot_be_counts(counts):
    with pytest.raises(InputError, match="expected one number of pixels a class"):
        balanced(counts)


def test_totals_that_do_not_fit():
    with pytest.raises(InputError, match="do not fit"):
        median_frequency([5, 5], [10, 4])
