"""Splitting what touches: at waists, by size or by shape, and never a pixel lost."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as arrays

from microtome import steps
from microtome.core.raster import InstanceMap, SemanticMap


def discs(*places, shape=(40, 80)) -> np.ndarray:
    y, x = np.ogrid[: shape[0], : shape[1]]
    return np.any([np.hypot(y - cy, x - cx) < r for cy, cx, r in places], axis=0)


def test_two_discs_become_two_and_one_stays_one():
    assert len(steps.split_touching(discs((20, 20, 12), (20, 40, 12)))) == 2
    assert len(steps.split_touching(discs((20, 20, 12)))) == 1


@pytest.mark.parametrize("scale", [1, 2])
def test_a_neck_means_the_same_for_small_and_large_objects(scale):
    places = [(20 * scale, 20 * scale, 12 * scale), (20 * scale, 32 * scale, 12 * scale)]  # waist about .87 of the width
    mask = discs(*places, shape=(40 * scale, 60 * scale))
    assert len(steps.split_touching(mask, min_distance=2, h=0, neck=1)) == 2
    assert len(steps.split_touching(mask, min_distance=2, h=0, neck=0.8)) == 1


def test_h_joins_parts_that_hardly_rise_above_their_waist():
    mask = discs((20, 20, 12), (20, 34, 12))
    assert len(steps.split_touching(mask, min_distance=2, h=0)) == 2
    assert len(steps.split_touching(mask, min_distance=2, h=3)) == 1


def test_min_distance_may_be_a_physical_length():
    mask = SemanticMap(discs((20, 20, 12), (20, 40, 12)), spacing=(0.5, 0.5), unit="um")
    assert len(steps.split_touching(mask, min_distance="3 um")) == 2
    assert len(steps.split_touching(mask, min_distance="15 um")) == 1


def test_spacing_decides_what_is_round():
    """Two balls above each other, in planes three times as far apart as pixels: a waist only where spacing is heeded."""
    z, y, x = np.ogrid[:18, :31, :31]
    mask = (np.hypot(np.hypot((z - 5) * 3, y - 15), x - 15) < 12) | (np.hypot(np.hypot((z - 12) * 3, y - 15), x - 15) < 12)
    assert len(steps.split_touching(SemanticMap(mask, axes="zyx", spacing=(3.0, 1.0, 1.0), unit="um"), min_distance=4)) == 2


def test_each_object_of_an_instance_map_is_split_on_its_own_and_keeps_class_and_score():
    labels = discs((20, 20, 12)).astype(int) * 5
    labels[discs((20, 38, 8), (20, 52, 8))] = 9
    mask = InstanceMap(labels, object_class={5: 1, 9: 2}, object_score={9: 0.5})
    found = steps.split_touching(mask, min_distance=4)
    assert len(found) == 3
    assert sorted(found.object_class.values()) == [1, 2, 2]
    assert list(found.object_score.values()) == [0.5, 0.5]


def test_thin_neighbours_of_different_objects_or_classes_are_never_joined():
    stripes = np.repeat([[1, 1, 2, 2, 1, 1]], 8, axis=0)
    objects = np.repeat([[1, 1, 2, 2, 3, 3]], 8, axis=0)
    assert len(steps.split_touching(InstanceMap(objects))) == 3
    found = steps.split_touching(SemanticMap(stripes))
    assert list(found.object_class.values()) == [1, 2, 1]


def test_objects_are_numbered_by_their_first_pixels():
    found = steps.split_touching(discs((20, 20, 8), (10, 60, 8), (30, 60, 8))).pixels
    first = [int(np.flatnonzero(found == k)[0]) for k in range(1, found.max() + 1)]
    assert first == sorted(first)


@given(arrays.arrays(bool, (9, 11)))
def test_no_pixel_is_lost_and_none_is_won(mask):
    assert np.array_equal(steps.split_touching(mask, min_distance=2).pixels > 0, mask)


def test_nothing_stays_nothing_and_everything_is_one():
    assert len(steps.split_touching(np.zeros((5, 5), bool))) == 0
    assert len(steps.split_touching(np.ones((5, 5), bool))) == 1
