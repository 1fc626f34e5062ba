"""Another size: as OpenCV has it along flat images, the mean kept, constants kept, and the same on any number of threads."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from microtome.core.kernels.bands import set_threads, threads
from microtome.run.tiles.resize import resized, scaled_shape


def noise(*shape):
    return np.random.default_rng(0).random(shape, np.float32)


@pytest.mark.parametrize("shape", [(20, 30), (17, 23), (5, 7), (1, 1), (39, 59)])
def test_smaller_is_opencv_s_mean_of_areas(shape):
    pixels = noise(40, 60, 3)
    expected = cv2.resize(pixels, shape[::-1], interpolation=cv2.INTER_AREA).reshape(*shape, 3)
    np.testing.assert_allclose(resized(pixels, shape), expected, atol=2e-6)


@pytest.mark.parametrize("shape", [(80, 120), (41, 61), (133, 64)])
def test_larger_is_opencv_s_linear(shape):
    pixels = noise(40, 60, 3)
    expected = cv2.resize(pixels, shape[::-1], interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(resized(pixels, shape), expected, atol=2e-6)


def test_a_volume_is_its_planes_and_its_depth():
    volume = noise(9, 20, 30, 2)
    planes = np.stack([cv2.resize(plane, (15, 10), interpolation=cv2.INTER_AREA) for plane in volume])
    np.testing.assert_allclose(resized(volume, (9, 10, 15)), planes, atol=2e-6)
    np.testing.assert_allclose(resized(volume, (3, 20, 30)), volume.reshape(3, 3, 20, 30, 2).mean(1), atol=2e-6)


def test_the_same_size_is_the_same_array():
    pixels = noise(8, 9, 1)
    assert resized(pixels, (8, 9)) is pixels


@given(st.tuples(*[st.integers(1, 12)] * 2), st.tuples(*[st.integers(1, 30)] * 2))
def test_a_constant_stays_and_nothing_leaves_its_range(old, new):
    assert np.allclose(resized(np.full((*old, 1), 3.7, np.float32), new), 3.7, atol=1e-5)
    pixels = noise(*old, 2)
    found = resized(pixels, new)
    assert found.shape == (*new, 2)
    assert found.min() >= pixels.min() - 1e-5
    assert found.max() <= pixels.max() + 1e-5


@given(st.integers(1, 40), st.integers(1, 40))
def test_the_mean_of_areas_keeps_the_mean(a, b):
    old, new = max(a, b), min(a, b)
    pixels = noise(3, old, 1)
    np.testing.assert_allclose(resized(pixels, (3, new)).mean(), pixels.mean(), rtol=1e-5)


def test_threads_do_not_matter():
    pixels, before = noise(700, 900, 1), threads()
    try:
        found = []
        for count in (1, 3):
            set_threads(count)
            found.append(resized(pixels, (1000, 500)).tobytes())
    finally:
        set_threads(before)
    assert found[0] == found[1]


def test_scaled_shapes_are_never_empty():
    assert scaled_shape((100, 100, 2), (0.5, 1.5, 0.1)) == (50, 150, 1)
