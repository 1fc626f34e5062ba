"""Signed distances: clipped, normalised, by spacing, beside scipy's."""

import numpy as np
import pytest
from scipy import ndimage

from microtome.core.raster import InstanceMap, ScoreMap
from microtome.targets import catalogue
from microtome.targets.instance.signed_distance import encode, signed_distance


def blobs(shape=(40, 50), seed=0):
    labels, count = ndimage.label(ndimage.gaussian_filter(np.random.default_rng(seed).random(shape), 1.5) > 0.53)
    assert count > 2
    return labels.astype(np.int32)


@pytest.mark.parametrize(("shape", "spacing"), [((40, 50), (1, 1)), ((40, 50), (3, 1)), ((12, 20, 24), (2.5, 1, 1))])
def test_distances_equal_scipy(shape, spacing):
    labels = blobs(shape)
    mask = InstanceMap(labels, axes="zyx"[-len(shape) :], spacing=spacing, unit="um")
    inside, outside = (ndimage.distance_transform_edt(part, spacing) for part in (labels > 0, labels == 0))
    expected = np.clip(inside - outside, -6, 6)
    np.testing.assert_allclose(encode(mask, clip=6, normalise="none")["distance"], expected, rtol=1e-5)
    np.testing.assert_allclose(encode(mask, clip=6)["distance"], expected / 6, rtol=1e-5)
    halves = np.clip(inside - outside - 0.5 * np.sign(labels - 0.5), -6, 6)
    np.testing.assert_allclose(encode(mask, clip=6, normalise="none", half_pixel=True)["distance"], halves, rtol=1e-5)


def test_each_object_peaks_at_one():
    labels = blobs()
    found = encode(InstanceMap(labels), normalise="object")["distance"]
    peaks = ndimage.maximum(found, labels, np.unique(labels[labels > 0]))
    np.testing.assert_allclose(peaks, 1)
    assert found.min() >= -1


def test_no_object_and_nothing_else():
    assert (encode(InstanceMap(np.zeros((4, 5), int)), clip=3, normalise="none")["distance"] == -3).all()
    for normalise in ("clip", "object", "none"):
        assert (encode(InstanceMap(np.zeros((4, 5), int)), normalise=normalise)["distance"] < 0).all()
    full = encode(InstanceMap(np.ones((3, 3), int)), normalise="none")["distance"]
    assert full.tolist() == [[1, 1, 1], [1, 2, 1], [1, 1, 1]]  # to a ring around the frame


def test_a_length_with_a_unit_is_the_mask_s():
    labels = blobs()
    mask = InstanceMap(labels, spacing=(0.5, 0.5), unit="um")
    by_unit = catalogue.load("signed_distance", {"clip": "3 um"}).encode(mask)["distance"]
    assert np.array_equal(by_unit, encode(mask, clip=6)["distance"])


def test_depth_decides_where_objects_part():
    row = np.array([[-1, 1, 2, 3, 1.5, 4, 2, -1]])
    cut = signed_distance(ScoreMap(np.repeat(row, 3, 0)), interior=1.9).pixels
    assert cut[0].tolist() == [0, 1, 1, 1, 2, 2, 2, 0]  # the deeper side floods the valley first
    assert len(signed_distance(ScoreMap(row), interior=1.2)) == 1
    assert len(signed_distance(ScoreMap(row), interior=1.9, min_interior=3)) == 1
    assert (signed_distance(ScoreMap(row), foreground=1.7, interior=1.9).pixels > 0).sum() == 4
