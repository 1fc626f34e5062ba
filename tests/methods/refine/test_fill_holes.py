"""Holes belong to what encloses them; notches and gaps between objects do not."""

import numpy as np
from hypothesis import given
from hypothesis.extra import numpy as arrays
from scipy import ndimage

from microtome import steps
from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.raster import InstanceMap, SemanticMap


@given(arrays.arrays(bool, (9, 11)))
def test_a_flat_mask_is_filled_as_scipy_fills_it(mask):
    assert np.array_equal(steps.fill_holes(mask).pixels > 0, ndimage.binary_fill_holes(mask))


@given(arrays.arrays(bool, (4, 5, 6)))
def test_a_volume_is_filled_as_scipy_fills_it(mask):
    assert np.array_equal(steps.fill_holes(SemanticMap(mask, axes="zyx")).pixels > 0, ndimage.binary_fill_holes(mask))


@given(arrays.arrays(np.int32, (7, 9), elements={"min_value": 0, "max_value": 3}))
def test_each_object_is_filled_as_if_it_were_alone(labels):
    filled = steps.fill_holes(labels).pixels
    assert np.array_equal(filled[labels > 0], labels[labels > 0])
    around = [number for number in (1, 2, 3) if (labels == number).any()]
    enclosed = {number: ndimage.binary_fill_holes(labels == number) & (labels == 0) for number in around}
    assert np.array_equal(filled > 0, np.any([labels > 0, *enclosed.values()], axis=0))
    for number in around:
        assert enclosed[number][(filled == number) & (labels == 0)].all()


def test_of_two_rings_the_inner_one_gets_what_it_encloses():
    rings = np.zeros((9, 9), np.int32)
    rings[1:8, 1:8], rings[2:7, 2:7], rings[3:6, 3:6], rings[4, 4] = 1, 0, 2, 0
    filled = steps.fill_holes(rings).pixels
    assert filled[4, 4] == 2
    assert filled[2, 2] == 1


def test_a_gap_that_two_objects_enclose_only_together_stays_open():
    halves = np.array([[1, 1, 2, 2], [1, 0, 0, 2], [1, 1, 2, 2]])
    assert np.array_equal(steps.fill_holes(halves).pixels, halves)


def test_larger_holes_than_max_area_stay_open():
    holes = np.ones((5, 9), bool)
    holes[2, 2], holes[2, 5:7] = False, False
    assert (steps.fill_holes(holes, max_area=1).pixels == 0).sum() == 2


def test_a_hole_takes_the_class_that_borders_most_of_it_and_ignored_pixels_stay():
    classes = ClassTable((ClassEntry(0, "ground", "background"), ClassEntry(1, "a"), ClassEntry(2, "b"), ClassEntry(9, "unsure", "ignore")))
    pixels = np.array([[1, 2, 2, 2], [1, 0, 9, 2], [1, 2, 2, 2]], np.uint8)
    filled = steps.fill_holes(SemanticMap(pixels, classes=classes))
    assert filled.pixels.tolist() == [[1, 2, 2, 2], [1, 2, 9, 2], [1, 2, 2, 2]]
    assert filled.classes == classes


def test_classes_scores_and_geometry_survive():
    ring = np.pad(np.zeros((1, 1), np.int32), 1, constant_values=4)
    mask = InstanceMap(ring, spacing=(2.0, 2.0), unit="um", object_class={4: 1}, object_score={4: 0.5})
    filled = steps.fill_holes(mask)
    assert (filled.pixels == 4).all()
    assert (filled.object_class, filled.object_score, filled.spacing) == ({4: 1}, {4: 0.5}, (2.0, 2.0))
