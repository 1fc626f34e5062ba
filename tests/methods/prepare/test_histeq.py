import cv2
import numpy as np
import pytest

from microtome.core.errors import InputError
from microtome.core.events import MicrotomeWarning
from microtome.core.raster import Image
from microtome.methods.prepare.histeq import histeq


def test_eight_bits_are_as_in_opencv():
    pixels = np.random.default_rng(0).poisson(60, (80, 90)).clip(0, 255).astype(np.uint8)
    # OpenCV computes in 32 bits, and may land on the other side of a half.
    assert np.abs(histeq(pixels).pixels.astype(int) - cv2.equalizeHist(pixels)).max() <= 1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
@pytest.mark.parametrize("levels", [2, 64, 256])
def test_integers_follow_the_definition(dtype, levels):
    pixels = np.random.default_rng(1).integers(10, 60, (30, 31)).astype(dtype)
    upto = (pixels[..., None, None] >= pixels).sum(axis=(2, 3))
    share = (upto - upto.min()) / (pixels.size - upto.min())
    black, white = np.iinfo(dtype).min, np.iinfo(dtype).max
    greys = np.floor((levels - 1) * share + 0.5) / (levels - 1)
    found = histeq(pixels, levels=levels).pixels
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, black + np.floor((white - black) * greys + 0.5))
    assert len(np.unique(found)) <= levels


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_come_out_flat_between_zero_and_one(dtype):
    pixels = np.random.default_rng(2).normal(size=(200, 200)).astype(dtype)
    found = histeq(pixels).pixels
    assert found.dtype == dtype
    assert (found.min(), found.max()) == (0, 1)
    assert np.abs(np.histogram(found, bins=8)[0] / found.size - 1 / 8).max() < 0.02
    order = np.argsort(pixels, axis=None)
    assert (np.diff(found.ravel()[order]) >= 0).all()


@pytest.mark.parametrize("channels", [1, 2, 3, 7])
def test_each_channel_is_equalised_alone(channels):
    pixels = np.random.default_rng(3).integers(0, 99, (20, 21, channels), np.uint8)
    found = histeq(Image(pixels, axes="yxc")).pixels
    for c in range(channels):
        np.testing.assert_array_equal(found[..., c], histeq(pixels[..., c]).pixels)


def test_a_volume_and_not_contiguous():
    pixels = np.random.default_rng(4).integers(0, 99, (6, 30, 20), np.uint8)[::2, ::-3]
    found = histeq(Image(pixels, axes="zyx")).pixels
    np.testing.assert_array_equal(found.reshape(-1, 20), histeq(pixels.copy().reshape(-1, 20)).pixels)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_tiled_equals_whole_with_one_summary(dtype):
    pixels = (np.random.default_rng(5).random((50, 40)) * 200).astype(dtype)
    tiles = [pixels[:, :11], pixels[:, 11:]]
    shared = histeq.summarise(tiles)
    np.testing.assert_array_equal(histeq(tiles[1], summary=shared).pixels, histeq(pixels).pixels[:, 11:])


@pytest.mark.parametrize("shape", [(1, 1), (6, 7)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_a_constant_is_returned_unchanged_and_says_so(shape, dtype):
    flat = np.full(shape, 7, dtype)
    with pytest.warns(MicrotomeWarning, match="constant"):
        np.testing.assert_array_equal(histeq(flat).pixels, flat)


def test_what_is_refused():
    with pytest.raises(InputError, match=r"uint32.*float32 first"):
        histeq(np.zeros((2, 2), np.uint32))
    with pytest.raises(InputError, match="mask"):
        histeq(np.zeros((2, 2), bool))
