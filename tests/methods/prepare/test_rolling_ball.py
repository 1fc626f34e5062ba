from types import SimpleNamespace

import numpy as np
import pytest
from skimage.restoration import ellipsoid_kernel
from skimage.restoration import rolling_ball as peer

from microtome.core.errors import InputError, RecipeError
from microtome.core.raster import Image
from microtome.methods.prepare.rolling_ball import rolling_ball


def scene(dtype, shape=(47, 300), seed=0):
    rng = np.random.default_rng(seed)
    slope = np.linspace(10, 90, shape[-1]) + 60 * (rng.random(shape) < 0.1) + 4 * rng.random(shape)
    return slope.astype(dtype)


def by_definition(pixels, radius):
    """Slow and obvious: for each pixel, the ball pushed up until it touches."""
    reach = int(radius)
    offsets = [(y, x) for y in range(-reach, reach + 1) for x in range(-reach, reach + 1) if y * y + x * x <= radius**2]
    background = np.full(pixels.shape, np.inf)
    rows, columns = pixels.shape
    for y, x in offsets:
        drop = radius - np.sqrt(radius**2 - y * y - x * x)
        here = np.s_[max(-y, 0) : rows - max(y, 0), max(-x, 0) : columns - max(x, 0)]
        there = np.s_[max(y, 0) : rows + min(y, 0), max(x, 0) : columns + min(x, 0)]
        background[here] = np.minimum(background[here], pixels[there] + drop)
    return background


@pytest.mark.parametrize("radius", [1, 2.5, 7, 13.4])
def test_it_follows_its_definition(radius):
    pixels = scene(np.float64, (40, 41))
    np.testing.assert_allclose(rolling_ball(pixels, radius=radius).pixels, pixels - by_definition(pixels, radius), atol=1e-12)


@pytest.mark.parametrize("radius", [1, 4.5, 25])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.int32, np.float32, np.float64])
def test_it_is_scikit_images_to_the_bit(dtype, radius):
    pixels = scene(dtype)
    found = rolling_ball(pixels, radius=radius).pixels
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, pixels - peer(pixels, radius=radius))


@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_a_volume_takes_a_ball(dtype):
    pixels = scene(dtype, (9, 14, 17))
    np.testing.assert_array_equal(rolling_ball(Image(pixels, axes="zyx"), radius=5).pixels, pixels - peer(pixels, radius=5))


def test_the_ball_is_round_in_the_world():
    pixels = scene(np.float64, (7, 19, 21))
    volume = Image(pixels, axes="zyx", spacing=(3.0, 1.0, 1.0), unit="um")
    # A sixth of the way down each side of the middle plane: a reach of 6 pixels in the plane, of 2 across it.
    expected = pixels - peer(pixels, kernel=ellipsoid_kernel((5, 13, 13), 6))
    np.testing.assert_allclose(rolling_ball(volume, radius=6).pixels, expected, atol=1e-12)
    np.testing.assert_array_equal(rolling_ball(volume, radius="6 um").pixels, rolling_ball(volume, radius=6).pixels)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
def test_dark_objects_are_bright_ones_inverted(dtype):
    pixels = scene(dtype)
    found = rolling_ball(pixels, radius=9, foreground="dark").pixels
    np.testing.assert_array_equal(found, ~rolling_ball(~pixels, radius=9).pixels)


def test_dark_objects_in_floats_lie_below_zero():
    pixels = -scene(np.float32)
    np.testing.assert_array_equal(rolling_ball(pixels, radius=9, foreground="dark").pixels, -rolling_ball(-pixels, radius=9).pixels)


@pytest.mark.parametrize("channels", [1, 2, 3, 7])
def test_each_channel_is_treated_alone(channels):
    pixels = scene(np.uint8, (20, channels, 31)).transpose(0, 2, 1)
    found = rolling_ball(Image(pixels, axes="yxc"), radius=4).pixels
    for c in range(channels):
        np.testing.assert_array_equal(found[..., c], rolling_ball(pixels[..., c], radius=4).pixels)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_tiled_equals_whole_to_the_bit(dtype):
    pixels = scene(dtype, (90, 95))
    halo = rolling_ball.tiling.reach(SimpleNamespace(radius=8.5))
    assert halo == 8
    whole = rolling_ball(pixels, radius=8.5).pixels
    tile = rolling_ball(pixels[30 - halo : 50 + halo, 41 - halo : 77 + halo], radius=8.5).pixels
    np.testing.assert_array_equal(tile[halo:-halo, halo:-halo], whole[30:50, 41:77])


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (6, 7)])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float16, np.float64])
def test_a_constant_leaves_nothing(shape, dtype):
    found = rolling_ball(np.full(shape, 7, dtype), radius=3).pixels
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, np.zeros(shape))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
def test_the_extremes_of_the_range_do_not_overflow(dtype):
    info = np.iinfo(dtype)
    pixels = np.where(np.random.default_rng(1).random((20, 20)) < 0.9, info.max, info.min).astype(dtype)
    expected = pixels.astype(int) - np.floor(by_definition(pixels.astype(float), 6)).astype(int)
    np.testing.assert_array_equal(rolling_ball(pixels, radius=6).pixels, expected.astype(dtype))


def test_not_contiguous():
    pixels = scene(np.uint8)[::2, ::-3]
    np.testing.assert_array_equal(rolling_ball(pixels, radius=6).pixels, rolling_ball(pixels.copy(), radius=6).pixels)


def test_what_is_refused():
    with pytest.raises(RecipeError, match="radius"):
        rolling_ball(np.zeros((3, 3)), radius=0)
    with pytest.raises(InputError, match="mask"):
        rolling_ball(np.zeros((3, 3), bool))
