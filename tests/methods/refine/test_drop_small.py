"""What is smaller than min_area goes; the rest keeps its number, class and score."""

import numpy as np
import pytest
from skimage import morphology

from microtome import steps
from microtome.core.errors import RecipeError
from microtome.core.raster import InstanceMap, SemanticMap


def test_an_area_of_exactly_min_area_stays():
    areas = np.array([[1, 0, 2, 2, 0, 3, 3, 3]])
    assert np.unique(steps.drop_small(areas, min_area=2).pixels).tolist() == [0, 2, 3]


def test_a_mask_is_taken_piece_by_piece_across_corners():
    mask = np.random.default_rng(0).random((60, 70)) < 0.3
    expected = morphology.remove_small_objects(mask, max_size=5, connectivity=2)
    assert np.array_equal(steps.drop_small(mask, min_area=6).pixels > 0, expected)


def test_classes_that_touch_count_together():
    pixels = np.array([[1, 2, 0, 1]], np.uint8)
    assert steps.drop_small(pixels.astype(bool), min_area=2).pixels.tolist() == [[1, 1, 0, 0]]
    assert steps.drop_small(SemanticMap(pixels), min_area=2).pixels.tolist() == [[1, 2, 0, 0]]


def test_survivors_keep_number_class_and_score():
    mask = InstanceMap(np.array([[7, 7, 0, 2_000_000_000]]), object_class={7: 1, 2_000_000_000: 2}, object_score={7: 0.5})
    kept = steps.drop_small(mask, min_area=2)
    assert kept.pixels.tolist() == [[7, 7, 0, 0]]
    assert (kept.object_class, kept.object_score) == ({7: 1}, {7: 0.5})
    assert mask.pixels.max() == 2_000_000_000


def test_nothing_stays_nothing():
    assert not steps.drop_small(np.zeros((3, 3), bool)).pixels.any()


def test_70_000_objects():
    dots = np.zeros((800, 800), bool)
    dots[::3, ::3] = True
    dots[1, 1] = True
    assert int(steps.drop_small(dots, min_area=2).pixels.sum()) == 2


def test_an_area_below_one_pixel_is_refused():
    with pytest.raises(RecipeError, match="min_area"):
        steps.drop_small(np.zeros((3, 3), bool), min_area=0)
