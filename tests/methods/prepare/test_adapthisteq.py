import cv2
import numpy as np
import pytest

from microtome.core.errors import InputError, RecipeError
from microtome.core.events import MicrotomeWarning
from microtome.core.raster import Image
from microtome.core.tiling import Whole
from microtome.methods.prepare.adapthisteq import adapthisteq


def picture(shape=(61, 94), dtype=np.uint8):
    noise = np.random.default_rng(0).random(shape)
    return ((noise + np.linspace(0, 2, shape[-1])) * 60).astype(dtype)


@pytest.mark.parametrize("tiles", [8, (3, 5), 1])
@pytest.mark.parametrize("clip", [1.0, 2.0, 40.0, None])
def test_eight_bits_are_those_of_opencv(tiles, clip):
    down, across = tiles if isinstance(tiles, tuple) else (tiles, tiles)
    expected = cv2.createCLAHE(clip or 0, (across, down)).apply(picture())
    np.testing.assert_array_equal(adapthisteq(picture(), tiles=tiles, clip=clip).pixels, expected)


@pytest.mark.parametrize("tiles", [8, (3, 5)])
@pytest.mark.parametrize("clip", [2.0, None])
def test_eight_bits_in_one_plane_agree_with_opencv_but_for_rounding(tiles, clip):
    # 64 by 120 divides into both grids, so no axis is widened.
    pixels = picture((64, 120) if tiles == 8 else (63, 120))
    flat = (tiles, tiles) if isinstance(tiles, int) else tiles
    found = adapthisteq(Image(pixels[None], axes="zyx"), tiles=(1, *flat), clip=clip).pixels[0]
    expected = adapthisteq(pixels, tiles=tiles, clip=clip).pixels
    assert np.abs(found.astype(int) - expected).max() <= 1


def test_sixteen_bits_and_floats_do_the_same():
    pixels = picture((64, 96))
    low, high = int(pixels.min()), int(pixels.max())
    stretched = ((pixels.astype(float) - low) / (high - low)).astype(np.float32)
    floats = adapthisteq(stretched).pixels
    assert floats.dtype == np.float32
    assert 0 <= floats.min() <= floats.max() <= 1
    words = adapthisteq((stretched * 65535).astype(np.uint16)).pixels
    assert words.dtype == np.uint16
    assert np.abs(words / 65535 - floats).max() < 0.02
    same = ((stretched * 65535).astype(np.uint16).astype(int) - 32768).astype(np.int16)
    np.testing.assert_array_equal(adapthisteq(same).pixels.astype(int) + 32768, words)


@pytest.mark.parametrize("channels", [1, 2, 3, 7])
def test_each_channel_is_equalised_alone(channels):
    pixels = picture((20, 31, channels))
    found = adapthisteq(Image(pixels, axes="yxc")).pixels
    for c in range(channels):
        np.testing.assert_array_equal(found[..., c], adapthisteq(pixels[..., c]).pixels)


@pytest.mark.parametrize("shape", [(1, 9), (9, 1), (3, 2), (9, 8)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_pictures_smaller_than_the_grid(shape, dtype):
    pixels = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    found = adapthisteq(pixels).pixels
    assert found.shape == shape
    assert found.dtype == dtype


def test_a_volume_brightens_with_its_values():
    pixels = picture((6, 20, 24), np.float64)
    found = adapthisteq(Image(pixels, axes="zyx"), tiles=1, clip=None).pixels
    assert np.corrcoef(found.ravel(), np.argsort(np.argsort(pixels.ravel())))[0, 1] > 0.999


def test_not_contiguous():
    pixels = picture((40, 60))[::2, ::-3]
    np.testing.assert_array_equal(adapthisteq(pixels).pixels, adapthisteq(pixels.copy()).pixels)


@pytest.mark.parametrize("shape", [(1, 1), (6, 7)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_a_constant_is_returned_unchanged_and_says_so(shape, dtype):
    flat = np.full(shape, 7, dtype)
    with pytest.warns(MicrotomeWarning, match="constant"):
        np.testing.assert_array_equal(adapthisteq(flat).pixels, flat)


def test_tiles_of_a_large_image_are_refused_by_name():
    assert isinstance(adapthisteq.tiling, Whole)
    assert "grid" in adapthisteq.tiling.why


def test_what_is_refused():
    with pytest.raises(RecipeError, match="found 3 numbers for the 2 axes"):
        adapthisteq(picture(), tiles=(2, 2, 2))
    with pytest.raises(RecipeError, match="clip"):
        adapthisteq(picture(), clip=0)
    with pytest.raises(InputError, match=r"int32.*float32 first"):
        adapthisteq(picture(dtype=np.int32))
    with pytest.raises(InputError, match="mask"):
        adapthisteq(np.zeros((2, 2), bool))
