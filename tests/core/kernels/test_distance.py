"""The distance transform against a slow, obvious one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from microtome.core.kernels.bands import set_threads, threads
from microtome.core.kernels.distance import distance, squared_distance


def by_looking_everywhere(labels: np.ndarray, aspect: tuple[float, ...]) -> np.ndarray:
    """The least distance to any pixel of another label; 0 outside, infinite where there is none."""
    places = np.argwhere(np.ones(labels.shape, bool)) * np.array(aspect)
    apart = np.linalg.norm(places[:, None] - places[None], axis=-1)
    apart[labels.ravel()[:, None] == labels.ravel()[None]] = np.inf
    return np.where(labels > 0, apart.min(axis=1).reshape(labels.shape), 0)


LABELS = {"elements": st.integers(0, 2)}


@given(arrays.arrays(np.int32, arrays.array_shapes(min_dims=2, max_dims=2, max_side=9), **LABELS))
def test_square_pixels(labels):
    assert np.array_equal(distance(labels, (1.0, 1.0)), by_looking_everywhere(labels, (1.0, 1.0)).astype(np.float32))


@given(arrays.arrays(np.int32, (6, 7), **LABELS), st.sampled_from([(3.0, 1.0), (1.0, 2.5)]))
def test_pixels_that_are_not_square(labels, aspect):
    assert distance(labels, aspect) == pytest.approx(by_looking_everywhere(labels, aspect), rel=1e-6)


@given(arrays.arrays(np.int32, (4, 5, 3), **LABELS), st.sampled_from([(1.0, 1.0, 1.0), (3.0, 1.0, 1.0)]))
def test_volumes(labels, aspect):
    assert distance(labels, aspect) == pytest.approx(by_looking_everywhere(labels, aspect), rel=1e-6)


def test_one_object_everywhere_is_infinitely_deep():
    assert np.isinf(distance(np.ones((4, 5), bool), (1.0, 1.0))).all()


def test_one_thread_or_two_the_same_bytes():
    labels = (np.random.default_rng(0).random((700, 900)) < 0.97).astype(np.int32)
    before = threads()
    try:
        set_threads(1)
        alone = squared_distance(labels, (1.0, 1.0))
        set_threads(2)
        assert np.array_equal(squared_distance(labels, (1.0, 1.0)), alone)
    finally:
        set_threads(before)
