"""The largest stay; ties go to the lower number."""

import numpy as np
import pytest

from microtome import steps
from microtome.core.events import MicrotomeWarning

AREAS = np.array([[5, 5, 0, 2, 2, 0, 9, 9, 9, 0, 1]])


@pytest.mark.parametrize(("count", "kept"), [(1, [9]), (2, [2, 9]), (3, [2, 5, 9]), (4, [1, 2, 5, 9])])
def test_the_largest_stay_and_of_equals_the_lower_number(count, kept):
    assert np.unique(steps.keep_largest(AREAS, count=count).pixels)[1:].tolist() == kept


def test_a_mask_is_taken_piece_by_piece_and_of_equals_the_first_stays():
    assert steps.keep_largest(np.array([[1, 0, 1]], bool)).pixels.tolist() == [[1, 0, 0]]


def test_no_object_to_keep_is_said():
    with pytest.warns(MicrotomeWarning, match="0 objects where 1"):
        assert not steps.keep_largest(np.zeros((3, 3), bool)).pixels.any()
