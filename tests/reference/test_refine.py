"""Numbers for refining masks, by hand; what scikit-image and SciPy do otherwise stands beside them."""

import numpy as np
from scipy import ndimage
from skimage import morphology

from microtome import steps


def test_only_enclosed_holes_are_filled_not_a_notch():
    mask = np.ones((7, 7), bool)
    mask[3, 3] = mask[1, 1] = mask[0, 3] = False
    assert mask.sum() == 46
    assert steps.fill_holes(mask).pixels.sum() == 48
    assert morphology.remove_small_holes(mask, max_size=1).sum() == 49  # fills the notch too


def test_a_ring_closed_by_corners_only_holds_a_hole():
    ring = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], bool)
    assert steps.fill_holes(ring).pixels.sum() == 5
    assert ndimage.binary_fill_holes(ring, np.ones((3, 3))).sum() == 4


def test_areas_below_the_least_go():
    mask = np.array([[1, 0, 1, 1, 0, 1, 1], [0, 0, 0, 0, 0, 1, 1]], bool)
    assert steps.drop_small(mask, min_area=2).pixels.sum() == 6
    assert morphology.remove_small_objects(mask, max_size=2, connectivity=1).sum() == 4  # removes areas up to max_size
