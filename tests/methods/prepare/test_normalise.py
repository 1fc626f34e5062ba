import numpy as np
import pytest

from microtome.core.errors import InputError, RecipeError
from microtome.core.events import MicrotomeWarning
from microtome.core.raster import Image
from microtome.methods.prepare.normalise import normalise


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32, np.float64])
def test_two_percentiles_become_zero_and_one(dtype):
    pixels = (np.random.default_rng(0).random((60, 70)) * 250).astype(dtype)
    low, high = np.percentile(pixels.astype(float), (1, 99.8))
    found = normalise(pixels).pixels
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, (pixels.astype(float) - low) / (high - low), rtol=1e-6, atol=1e-7)


def test_a_large_offset_loses_nothing():
    ramp = 1e9 + np.arange(101.0).reshape(1, 101)
    np.testing.assert_allclose(normalise(ramp, lo=0, hi=100).pixels, np.arange(101).reshape(1, 101) / 100, atol=1e-7)


def test_clip():
    pixels = np.arange(200, dtype=np.uint8).reshape(10, 20)
    free, clipped = normalise(pixels).pixels, normalise(pixels, clip=True).pixels
    assert free.min() < 0
    assert free.max() > 1
    np.testing.assert_array_equal(clipped, np.clip(free, 0, 1))


@pytest.mark.parametrize("channels", [1, 2, 3, 5, 7])
def test_each_channel_alone_or_all_together(channels):
    pixels = np.random.default_rng(1).random((20, 30, channels)) * np.arange(1, channels + 1)
    image = Image(pixels, axes="yxc")
    alone, joint = normalise(image).pixels, normalise(image, joint=True).pixels
    for c in range(channels):
        np.testing.assert_array_equal(alone[..., c], normalise(pixels[..., c]).pixels)
    low, high = np.percentile(pixels, (1, 99.8))
    np.testing.assert_allclose(joint, (pixels - low) / (high - low), rtol=1e-6, atol=1e-7)


def test_a_volume_and_not_contiguous():
    pixels = np.random.default_rng(2).random((8, 30, 22))[::2, ::-3]
    found = normalise(Image(pixels, axes="zyx")).pixels
    np.testing.assert_array_equal(found.reshape(-1, 22), normalise(pixels.copy().reshape(-1, 22)).pixels)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_tiled_equals_whole_with_one_summary(dtype):
    pixels = (np.random.default_rng(3).normal(size=(50, 40)) * 20 + 100).astype(dtype)
    tiles = [pixels[:20], pixels[20:, :13], pixels[20:, 13:]]
    shared = normalise.summarise(tiles)
    whole = normalise(pixels).pixels
    np.testing.assert_array_equal(normalise(tiles[2], summary=shared).pixels, whole[20:, 13:])


@pytest.mark.parametrize("shape", [(1, 1), (6, 7)])
def test_a_constant_becomes_zero_and_says_so(shape):
    with pytest.warns(MicrotomeWarning, match="both 7"):
        found = normalise(np.full(shape, 7.0)).pixels
    np.testing.assert_array_equal(found, np.zeros(shape, np.float32))


def test_what_is_refused():
    with pytest.raises(RecipeError, match="below hi"):
        normalise(np.zeros((2, 2)), lo=50, hi=50)
    with pytest.raises(RecipeError, match="hi"):
        normalise(np.zeros((2, 2)), hi=100.5)
    with pytest.raises(InputError, match="mask"):
        normalise(np.zeros((2, 2), bool))
    with pytest.raises(InputError, match="NaN"):
        normalise(np.array([[1.0, np.nan]]))
