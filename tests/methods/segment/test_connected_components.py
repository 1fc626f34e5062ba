"""Touching pixels of one value become one object, numbered in raster order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from skimage import measure

from microtome import steps
from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.raster import InstanceMap, SemanticMap


@pytest.mark.parametrize("connectivity", ["full", "faces"])
@given(mask=arrays.arrays(bool, (9, 11)) | arrays.arrays(bool, (3, 4, 5)))
def test_the_numbering_is_scikit_images_raster_order(connectivity, mask):
    noun = SemanticMap(mask, axes="zyx" if mask.ndim == 3 else "yx")
    expected = measure.label(mask, connectivity=mask.ndim if connectivity == "full" else 1)
    assert np.array_equal(steps.connected_components(noun, connectivity=connectivity).pixels, expected)


@given(pixels=arrays.arrays(np.uint8, (8, 9), elements=st.integers(0, 3)))
def test_classes_are_kept_apart_and_handed_on(pixels):
    found = steps.connected_components(SemanticMap(pixels, classes=ClassTable.numbered(4)))
    assert np.array_equal(found.pixels, measure.label(pixels, connectivity=2))
    if len(np.unique(pixels[pixels > 0])) > 1:
        assert all((pixels[found.pixels == number] == value).all() for number, value in found.object_class.items())
        assert len(found.object_class) == len(found)


def test_background_and_ignored_classes_are_no_objects_wherever_they_are_numbered():
    classes = ClassTable((ClassEntry(0, "cell"), ClassEntry(1, "ground", "background"), ClassEntry(2, "unsure", "ignore")))
    found = steps.connected_components(SemanticMap(np.array([[0, 1, 2, 0]], np.uint8), classes=classes))
    assert found.pixels.tolist() == [[1, 0, 0, 2]]


def test_an_object_in_two_pieces_becomes_two_of_its_class_and_score():
    mask = InstanceMap(np.array([[4, 0, 4, 7]]), object_class={4: 2, 7: 1}, object_score={4: 0.25})
    found = steps.connected_components(mask)
    assert found.pixels.tolist() == [[1, 0, 2, 3]]
    assert (found.object_class, found.object_score) == ({1: 2, 2: 2, 3: 1}, {1: 0.25, 2: 0.25})


def test_70_000_objects():
    dots = np.zeros((800, 800), bool)
    dots[::3, ::3] = True
    assert len(steps.connected_components(dots)) == 267**2


def test_nothing_stays_nothing():
    assert len(steps.connected_components(np.zeros((4, 4), bool))) == 0
