"""What touches the frame goes."""

import numpy as np
import pytest
from skimage import measure, segmentation

from microtome import steps
from microtome.core.raster import InstanceMap


@pytest.mark.parametrize("buffer", [0, 1, 4])
def test_objects_near_the_frame_go_as_in_scikit_image(buffer):
    labels = measure.label(np.random.default_rng(0).random((36, 45)) < 0.3)
    assert np.array_equal(steps.clear_border(labels, buffer=buffer).pixels, segmentation.clear_border(labels, buffer_size=buffer))


def test_a_volume_has_a_first_and_a_last_plane():
    labels = np.zeros((3, 3, 3), np.int32)
    labels[1, 1, 1], labels[0, 1, 1] = 1, 2
    assert steps.clear_border(InstanceMap(labels, axes="zyx")).pixels.sum() == 1


def test_a_mask_is_taken_piece_by_piece():
    mask = np.zeros((5, 5), bool)
    mask[0, 0] = mask[1, 1] = mask[3, 3] = True
    assert np.argwhere(steps.clear_border(mask).pixels).tolist() == [[3, 3]]


def test_one_pixel_is_all_frame():
    assert steps.clear_border(np.ones((1, 1), bool)).pixels.tolist() == [[0]]
