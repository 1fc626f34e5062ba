import numpy as np
import pytest
from scipy import ndimage

from microtome.core.errors import RecipeError
from microtome.core.raster import Image
from microtome.methods.prepare.median import median

DTYPES = [np.uint8, np.uint16, np.int16, np.uint32, np.int64, np.float32, np.float64]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (13, 3), (40, 33)])
@pytest.mark.parametrize("size", [3, 5, 7, 21])
def test_one_border_rule_in_every_dtype_and_size(dtype, shape, size):
    pixels = (np.random.default_rng(size).random(shape) * 200).astype(dtype)
    np.testing.assert_array_equal(median(pixels, size=size).pixels, ndimage.median_filter(pixels, size, mode="reflect"))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_a_volume_takes_a_cube(dtype):
    pixels = (np.random.default_rng(0).random((19, 8, 11)) * 99).astype(dtype)
    np.testing.assert_array_equal(median(Image(pixels, axes="zyx")).pixels, ndimage.median_filter(pixels, 3, mode="reflect"))


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 7])
def test_each_channel_is_filtered_alone(channels):
    pixels = np.random.default_rng(1).integers(0, 255, (20, 21, channels), np.uint8)
    found = median(Image(pixels, axes="yxc"), size=5).pixels
    for c in range(channels):
        np.testing.assert_array_equal(found[..., c], median(pixels[..., c], size=5).pixels)


def test_bool_and_half_floats_keep_their_dtype():
    mask = np.random.default_rng(2).random((20, 20)) < 0.5
    np.testing.assert_array_equal(median(mask).pixels, ndimage.median_filter(mask.view(np.uint8), 3).view(bool))
    half = mask.astype(np.float16)
    np.testing.assert_array_equal(median(half).pixels, median(mask).pixels.astype(np.float16))
    assert median(half).pixels.dtype == np.float16


def test_many_levels_are_told_apart():
    pixels = np.random.default_rng(3).permutation(300 * 300).reshape(300, 300).astype(np.float64)
    np.testing.assert_array_equal(median(pixels, size=3).pixels, ndimage.median_filter(pixels, 3))


def test_size_one_is_the_identity():
    pixels = np.arange(6).reshape(2, 3)
    np.testing.assert_array_equal(median(pixels, size=1).pixels, pixels)


def test_not_contiguous():
    pixels = np.random.default_rng(4).integers(0, 255, (40, 60), np.uint8)[::2, ::-3]
    np.testing.assert_array_equal(median(pixels).pixels, median(pixels.copy()).pixels)


def test_an_even_window_has_no_middle():
    with pytest.raises(RecipeError, match="odd"):
        median(np.zeros((4, 4)), size=4)
