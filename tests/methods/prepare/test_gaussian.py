import numpy as np
import pytest
from scipy import ndimage

from microtome.core.errors import InputError, RecipeError
from microtome.core.raster import Image
from microtome.methods.prepare.gaussian import gaussian


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (5, 2), (40, 33), (300, 70)])
@pytest.mark.parametrize("sigma", [0.05, 0.7, 1.0, (0.0, 2.5), (3.0, 1.0)])
def test_agrees_with_scipy_on_floats(shape, sigma):
    pixels = np.random.default_rng(1).random(shape)
    np.testing.assert_allclose(gaussian(pixels, sigma=sigma).pixels, ndimage.gaussian_filter(pixels, sigma), atol=1e-13)


def test_a_volume_is_smoothed_along_every_axis():
    pixels = np.random.default_rng(2).random((7, 12, 20))
    found = gaussian(Image(pixels, axes="zyx"), sigma=(0.8, 2.0, 1.1)).pixels
    np.testing.assert_allclose(found, ndimage.gaussian_filter(pixels, (0.8, 2.0, 1.1)), atol=1e-13)


@pytest.mark.parametrize(("axes", "shape"), [("yxc", (31, 17)), ("zyxc", (4, 11, 9))])
@pytest.mark.parametrize("channels", [1, 2, 3, 5, 7])
def test_each_channel_is_smoothed_alone(axes, shape, channels):
    pixels = np.random.default_rng(3).random((*shape, channels)).astype(np.float32)
    found = gaussian(Image(pixels, axes=axes), sigma=1.3).pixels
    for c in range(channels):
        np.testing.assert_array_equal(found[..., c], gaussian(Image(pixels[..., c], axes=axes[:-1]), sigma=1.3).pixels)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.int32])
def test_integers_keep_their_dtype_and_round_to_the_nearest_level(dtype):
    pixels = np.random.default_rng(4).integers(0, 120, (50, 61)).astype(dtype)
    exact = ndimage.gaussian_filter(pixels.astype(float), 2.0)
    found = gaussian(pixels, sigma=2.0).pixels
    assert found.dtype == dtype
    assert np.abs(found - exact).max() <= 0.5 + 1e-4


@pytest.mark.parametrize("value", [0, 7, 255])
def test_a_constant_stays(value):
    flat = np.full((9, 30), value, np.uint8)
    np.testing.assert_array_equal(gaussian(flat, sigma=3).pixels, flat)
    top = np.full((9, 30), 65535, np.uint16)
    np.testing.assert_array_equal(gaussian(top, sigma=3).pixels, top)


def test_float_width_is_kept():
    for dtype in (np.float16, np.float32, np.float64):
        assert gaussian(np.ones((5, 5), dtype)).pixels.dtype == dtype


def test_sigma_zero_is_the_identity():
    pixels = np.arange(12, dtype=np.float32).reshape(3, 4)
    np.testing.assert_array_equal(gaussian(pixels, sigma=0).pixels, pixels)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_tiled_equals_whole_to_the_bit(dtype):
    rng = np.random.default_rng(5)
    pixels = (rng.random((90, 75)) * 255).astype(dtype)
    whole = gaussian(pixels, sigma=1.6).pixels
    halo = gaussian.tiling.reach(_Settings(sigma=1.6))
    assert halo == 6
    for _ in range(60):
        top, left = rng.integers(0, 70, 2)
        bottom, right = top + rng.integers(1, 20), left + rng.integers(1, 20)
        y, x = max(top - halo, 0), max(left - halo, 0)
        tile = gaussian(pixels[y : bottom + halo, x : right + halo], sigma=1.6).pixels
        inside = whole[top:bottom, left:right]
        np.testing.assert_array_equal(tile[top - y :, left - x :][: inside.shape[0], : inside.shape[1]], inside)


class _Settings:
    def __init__(self, **values):
        self.__dict__.update(values)


def test_the_halo_is_the_widest_axis():
    assert gaussian.tiling.reach(_Settings(sigma=(0.0, 2.0))) == 8


def test_a_length_follows_the_spacing_of_each_axis():
    pixels = np.random.default_rng(6).random((8, 9, 10))
    volume = Image(pixels, axes="zyx", spacing=(2.0, 0.5, 0.5), unit="um")
    np.testing.assert_array_equal(gaussian(volume, sigma="1 um").pixels, gaussian(volume, sigma=(0.5, 2.0, 2.0)).pixels)


def test_not_contiguous_and_untouched():
    pixels = np.random.default_rng(7).random((40, 60))[::2, ::-3]
    before = pixels.copy()
    np.testing.assert_array_equal(gaussian(pixels).pixels, gaussian(before).pixels)
    np.testing.assert_array_equal(pixels, before)


def test_a_mask_is_refused():
    with pytest.raises(InputError, match="mask"):
        gaussian(np.zeros((3, 3), bool))


def test_one_sigma_an_axis():
    with pytest.raises(RecipeError, match="found 3 numbers for the 2 axes"):
        gaussian(np.zeros((3, 3)), sigma=(1, 2, 3))
