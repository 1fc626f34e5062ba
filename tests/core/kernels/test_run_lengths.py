"""Run lengths: there and back, and what two masks share."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from microtome.core.errors import InputError
from microtome.core.kernels.run_lengths import decode, encode, encode_each, shared_pixels
from microtome.core.objects import Runs

shapes = st.tuples(st.integers(0, 8), st.integers(0, 8))
masks = shapes.flatmap(lambda shape: arrays(bool, shape))


@given(masks)
def test_there_and_back(mask):
    runs = encode(mask)
    np.testing.assert_array_equal(decode(runs), mask)
    assert (runs.counts[1:] > 0).all()


@given(st.tuples(st.integers(1, 8), st.integers(1, 8)).flatmap(lambda shape: st.tuples(arrays(bool, shape), arrays(bool, shape))))
def test_shared_pixels_are_those_of_the_masks(pair):
    first, second = pair
    assert shared_pixels(encode(first), encode(second)) == (first & second).sum()


@given(st.tuples(st.integers(1, 8), st.integers(1, 8)).flatmap(lambda s: arrays(np.int32, s, elements=st.sampled_from([0, 1, 2, 70000]))))
def test_every_object_of_a_map_in_one_pass(labels):
    each = encode_each(labels)
    assert list(each) == [number for number in np.unique(labels).tolist() if number]
    for number, runs in each.items():
        np.testing.assert_array_equal(decode(runs), labels == number)


@pytest.mark.parametrize(("counts", "message"), [([2, 2], "cover 4 pixels, a mask of 2 x 3 has 6"), ([7, -1], "none can be negative")])
def test_runs_that_do_not_fit_are_refused_before_anything_is_made(counts, message):
    with pytest.raises(InputError, match=message):
        decode(Runs((2, 3), np.array(counts)))
