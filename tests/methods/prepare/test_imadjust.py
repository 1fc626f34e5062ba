import numpy as np
import pytest

from microtome.core.errors import InputError, RecipeError
from microtome.core.events import MicrotomeWarning
from microtome.core.explain import listen
from microtome.core.raster import Image
from microtome.methods.prepare.imadjust import imadjust


def limits_by_definition(pixels, tol):
    values, counts = np.unique(pixels, return_counts=True)
    upto = np.cumsum(counts)
    low = values[np.flatnonzero(upto * 1000 > round(tol[0] * 1000) * pixels.size)[0]]
    high = values[np.flatnonzero(upto * 1000 >= round(tol[1] * 1000) * pixels.size)[0]]
    return float(low), float(high)


@pytest.mark.parametrize("tol", [(0.01, 0.99), (0.0, 1.0), (0.25, 0.5), (0.1, 0.9)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
def test_integers_fill_their_range(dtype, tol):
    pixels = np.random.default_rng(0).integers(20, 90, (40, 25)).astype(dtype)
    low, high = limits_by_definition(pixels, tol)
    black, white = np.iinfo(dtype).min, np.iinfo(dtype).max
    expected = black + np.floor((white - black) * np.clip((pixels.astype(float) - low) / (high - low), 0, 1) + 0.5)
    found = imadjust(pixels, tol=tol).pixels
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_come_out_between_zero_and_one(dtype):
    pixels = (np.random.default_rng(1).normal(size=(50, 40)) * 1000 - 300).astype(dtype)
    low, high = limits_by_definition(pixels, (0.01, 0.99))
    found = imadjust(pixels).pixels
    assert found.dtype == dtype
    np.testing.assert_allclose(
        found, np.clip((pixels.astype(float) - low) / (high - low), 0, 1), atol=1e-3 if dtype == np.float16 else 1e-7
    )


def test_negative_levels_find_their_place():
    pixels = np.array([[-32768, -100, 0, 100, 32767]], np.int16)
    np.testing.assert_array_equal(imadjust(pixels, tol=(0, 1)).pixels, pixels)


@pytest.mark.parametrize("channels", [1, 2, 3, 7])
def test_each_channel_is_stretched_alone(channels):
    pixels = np.random.default_rng(2).integers(0, 99, (20, 21, channels), np.uint8) // np.arange(1, channels + 1, dtype=np.uint8)
    found = imadjust(Image(pixels, axes="yxc")).pixels
    for c in range(channels):
        np.testing.assert_array_equal(found[..., c], imadjust(pixels[..., c]).pixels)


def test_a_volume_and_not_contiguous():
    pixels = np.random.default_rng(3).integers(0, 99, (6, 30, 20), np.uint8)[::2, ::-3]
    found = imadjust(Image(pixels, axes="zyx")).pixels
    np.testing.assert_array_equal(found.reshape(-1, 20), imadjust(pixels.copy().reshape(-1, 20)).pixels)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_tiled_equals_whole_with_one_summary(dtype):
    pixels = np.random.default_rng(4).integers(0, 200, (50, 40)).astype(dtype)
    tiles = [pixels[:, :11], pixels[:, 11:]]
    shared = imadjust.summarise(tiles)
    np.testing.assert_array_equal(imadjust(tiles[1], summary=shared).pixels, imadjust(pixels).pixels[:, 11:])


@pytest.mark.parametrize("shape", [(1, 1), (6, 7)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_a_constant_is_returned_unchanged_and_says_so(shape, dtype):
    flat = np.full(shape, 7, dtype)
    with pytest.warns(MicrotomeWarning, match="both limits are 7"):
        np.testing.assert_array_equal(imadjust(flat).pixels, flat)


def test_it_explains_its_limits():
    with listen() as heard:
        imadjust(np.arange(100, dtype=np.uint8).reshape(10, 10))
    assert heard[0].data["thresholds"] == [1.0, 98.0]
    assert heard[0].data["counts"].sum() == 100


def test_what_is_refused():
    with pytest.raises(RecipeError, match="below the second"):
        imadjust(np.zeros((2, 2)), tol=(0.5, 0.5))
    with pytest.raises(RecipeError, match="gamma"):
        imadjust(np.zeros((2, 2)), gamma=0)
    with pytest.raises(InputError, match=r"int64.*float32 first"):
        imadjust(np.zeros((2, 2), np.int64))
    with pytest.raises(InputError, match="mask"):
        imadjust(np.zeros((2, 2), bool))
