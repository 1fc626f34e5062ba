import numpy as np
import pytest
from skimage import color, data

from microtome.core.errors import InputError
from microtome.core.events import MicrotomeWarning
from microtome.core.raster import Image
from microtome.methods.prepare.separate_stains import separate_stains

VECTORS = np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]])
LENGTHS = np.linalg.norm(VECTORS, axis=1)


def test_scikit_image_says_the_same_but_for_its_units():
    picture = data.immunohistochemistry()
    found = separate_stains(Image(picture, axes="yxc")).pixels
    dark = (picture == 0).any(axis=-1)  # a level of 0 is a millionth there, half a level here
    np.testing.assert_allclose(found[~dark], (color.rgb2hed(picture) * 6 * LENGTHS)[~dark], atol=2e-6)


@pytest.mark.parametrize(
    ("dtype", "white"), [(np.uint8, None), (np.uint16, None), (np.float32, None), (np.float64, None), (np.uint16, 4095)]
)
def test_what_was_mixed_is_told_apart(dtype, white):
    amounts = np.random.default_rng(0).uniform(0, 0.4, (20, 30, 3))
    light = white or (np.iinfo(dtype).max if np.dtype(dtype).kind == "u" else 1)
    values = light * 10 ** -(amounts @ (VECTORS / LENGTHS[:, None]))
    pixels = values.astype(dtype) if np.dtype(dtype).kind == "f" else np.floor(values + 0.5).astype(dtype)
    found = separate_stains(Image(pixels, axes="yxc"), white=white)
    assert found.channels == ("haematoxylin", "eosin", "dab")
    np.testing.assert_allclose(found.pixels, amounts, atol=0.02 if dtype == np.uint8 else 2e-3)


def test_a_volume_keeps_its_place():
    volume = Image(np.full((2, 3, 4, 3), 200, np.uint8), axes="zyxc", spacing=(2, 1, 1), unit="um", source="a.tif")
    found = separate_stains(volume)
    assert (found.axes, found.spacing, found.unit, found.source) == ("zyxc", (2, 1, 1), "um", "a.tif")
    assert separate_stains(volume, stain="dab").axes == "zyx"


def test_one_stain_is_the_channel_of_all():
    image = Image(data.immunohistochemistry()[:40, :50], axes="yxc")
    every = separate_stains(image)
    for name in every.channels:
        one = separate_stains(image, stain=name)
        np.testing.assert_array_equal(one.pixels, every.channel(name).pixels)
        assert one.channels == (name,)


def test_white_is_no_stain_and_black_is_finite():
    ends = Image(np.array([[[255, 255, 255], [0, 0, 0]]], np.uint8), axes="yxc")
    found = separate_stains(ends).pixels
    np.testing.assert_array_equal(found[0, 0], 0)
    np.testing.assert_allclose(found[0, 1], np.maximum(np.full(3, np.log10(510)) @ np.linalg.inv(VECTORS / LENGTHS[:, None]), 0), rtol=1e-6)
    lighter = Image(np.full((1, 1, 3), 1.3), axes="yxc")  # a resampled white
    np.testing.assert_array_equal(separate_stains(lighter).pixels, 0)


def test_alpha_is_left_out_and_said():
    pixels = np.random.default_rng(0).integers(0, 255, (5, 6, 4)).astype(np.uint8)
    with pytest.warns(MicrotomeWarning, match="alpha"):
        found = separate_stains(Image(pixels, axes="yxc")).pixels
    np.testing.assert_array_equal(found, separate_stains(Image(pixels[..., :3], axes="yxc")).pixels)


@pytest.mark.parametrize(
    ("pixels", "said"),
    [
        (np.zeros((2, 2), np.uint8), "1 channel"),
        (np.zeros((2, 2, 2), np.uint8), "2 channel"),
        (np.zeros((2, 2, 3), bool), "mask"),
        (np.zeros((2, 2, 3), np.int32), "say with `white`"),
        (np.full((2, 2, 3), 200.0), "values up to 200"),
    ],
)
def test_what_is_refused(pixels, said):
    with pytest.raises(InputError, match=said):
        separate_stains(Image(pixels, axes="yxc" if pixels.ndim == 3 else "yx"))
