"""The watershed step: what it needs, what it keeps, and what it says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from microtome import steps
from microtome.core.errors import InputError
from microtome.core.events import MicrotomeWarning
from microtome.core.raster import Image, InstanceMap, SemanticMap


def test_what_a_relief_needs_is_named():
    with pytest.raises(InputError, match="needs the mask"):
        steps.watershed(np.zeros((3, 3), np.uint8))
    with pytest.raises(InputError, match="needs the image"):
        steps.watershed(mask=np.ones((3, 3), bool), on="gradient")


def test_inputs_of_different_size_are_refused():
    with pytest.raises(InputError, match=r"image \(3, 3\), markers \(4, 4\)"):
        steps.watershed(np.zeros((3, 3), np.uint8), markers=InstanceMap(np.eye(4, dtype=int)), on="image")


def test_markers_keep_their_numbers():
    markers = InstanceMap(np.array([[7, 0, 0, 0, 300]]))
    assert steps.watershed(Image(np.array([[0, 1, 9, 1, 0]], np.uint8)), markers=markers, on="image").pixels.tolist() == [
        [7, 7, 7, 300, 300]
    ]


def test_a_piece_without_a_marker_becomes_its_own_object_and_is_told():
    mask = SemanticMap(np.array([[1, 1, 0, 1, 1]], np.uint8))
    markers = InstanceMap(np.array([[4, 0, 0, 0, 0]]))
    with pytest.warns(MicrotomeWarning, match="1 pieces of the mask hold no marker"):
        assert steps.watershed(mask=mask, markers=markers).pixels.tolist() == [[4, 4, 0, 5, 5]]


def test_markers_outside_the_mask_are_told():
    mask = SemanticMap(np.array([[1, 1, 0]], np.uint8))
    with pytest.warns(MicrotomeWarning, match="1 of the markers lie outside"):
        assert steps.watershed(mask=mask, markers=InstanceMap(np.array([[3, 0, 9]]))).pixels.tolist() == [[3, 3, 0]]
    with pytest.warns(MicrotomeWarning), pytest.raises(InputError, match="no marker lies inside"):
        steps.watershed(mask=mask, markers=InstanceMap(np.array([[0, 0, 9]])))


@given(arrays.arrays(np.uint8, (7, 9), elements=st.integers(0, 5)), st.booleans())
def test_every_pixel_of_a_picture_is_flooded(relief, corners):
    markers = np.zeros(relief.shape, int)
    markers[0, 0], markers[-1, -1] = 1, 2
    found = steps.watershed(relief, markers=InstanceMap(markers), on="image", connectivity="full" if corners else "faces").pixels
    assert set(np.unique(found)) == {1, 2}


def test_automatic_markers_outline_what_differs():
    picture = np.full((40, 40), 20, np.uint8)
    picture[10:30, 10:30] = 200
    found = steps.watershed(picture, on="gradient", min_distance=8).pixels
    assert len(np.unique(found[12:28, 12:28])) == 1
    assert found[20, 20] not in np.unique(found[:8, :])
