"""U-Net's weights, beside a distance transform for every object."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from microtome.core.errors import RecipeError
from microtome.core.kernels import bands
from microtome.core.raster import InstanceMap
from microtome.targets._nearest_two import nearest_two
from microtome.targets.weight_map import weight_map

from .shapes import label_images, nearest_objects


def slow(labels, spacing, w0, sigma, background, inside):
    distances = nearest_objects(labels, spacing)
    term = w0 * np.exp(-((distances[:2].sum(0)) ** 2) / (2 * sigma**2)) if len(distances) > 1 else 0
    return np.where(labels > 0, inside, background + term)


@pytest.mark.parametrize("ndim", [2, 3])
@given(data=st.data(), sigma=st.sampled_from([0.5, 2.0, 5.0]), coarse=st.sampled_from([1.0, 2.5]))
def test_equals_one_distance_an_object(ndim, data, sigma, coarse):
    labels = data.draw(label_images(ndim))
    spacing = (coarse,) + (1.0,) * (ndim - 1)
    mask = InstanceMap(labels, axes="zyx"[-ndim:], spacing=spacing, unit="um")
    found = weight_map(mask, sigma=sigma, class_weights=(0.7, 1.3))
    np.testing.assert_allclose(found, slow(labels, spacing, 10, sigma, 0.7, 1.3), rtol=1e-5)


@given(labels=label_images())
def test_both_distances_are_exact(labels):
    distances = nearest_objects(labels, (1, 1))
    found = nearest_two(labels, (1.0, 1.0), 1000.0)
    outside = labels == 0
    for k, squared in enumerate((found.near, found.far)):
        expected = np.rint(distances[k] ** 2) if len(distances) > k else np.full(labels.shape, np.inf)
        assert np.array_equal(squared[outside], expected[outside])


def test_fewer_than_two_objects():
    one = np.zeros((6, 8), int)
    assert np.unique(weight_map(InstanceMap(one))).tolist() == [0.5]
    one[2:4, 2:4] = 9
    found = weight_map(InstanceMap(one))
    assert np.unique(found[one == 0]).tolist() == pytest.approx([48 / (2 * 44)])
    assert np.unique(found[one == 9]).tolist() == pytest.approx([48 / (2 * 4)])


def test_bands_and_threads_change_nothing():
    labels = np.kron(np.arange(1, 26).reshape(5, 5), np.pad(np.ones((30, 30), int), 5))
    before = list(bands._limit)
    found = []
    for threads in (1, 3):
        bands.set_threads(threads)
        found.append(weight_map(InstanceMap(labels)).tobytes())
    bands._limit[:] = before
    assert found[0] == found[1]


def test_two_class_weights():
    with pytest.raises(RecipeError, match="found 3 numbers, expected 2"):
        weight_map(InstanceMap(np.ones((2, 2), int)), class_weights=(1, 2, 3))
