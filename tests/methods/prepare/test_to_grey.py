import numpy as np
import pytest

from microtome.core.errors import InputError
from microtome.core.events import collect_warnings
from microtome.core.raster import Image
from microtome.methods.prepare.to_grey import to_grey


def colours(dtype=np.uint8, channels=3, top=256):
    pixels = (np.random.default_rng(channels).random((30, 41, channels)) * top).astype(dtype)
    return Image(pixels, axes="yxc", spacing=(0.5, 0.5), unit="um", source="a.png")


@pytest.mark.parametrize(("weights", "parts"), [("601", (299, 587, 114)), ("709", (2125, 7154, 721)), ("mean", (1, 1, 1))])
@pytest.mark.parametrize(("dtype", "top"), [(np.uint8, 256), (np.uint16, 65536), (np.int32, 2**31), (np.int64, 2**40)])
def test_integers_are_weighed_and_rounded_without_error(weights, parts, dtype, top):
    image = colours(dtype, top=top)
    found = to_grey(image, weights=weights).pixels
    sums, whole = image.pixels.astype(object) @ np.array(parts, object), sum(parts)
    exact = (2 * sums + whole) // (2 * whole)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, exact.astype(dtype))


def test_the_extremes_stay():
    for value in (0, 255):
        white = Image(np.full((2, 2, 3), value, np.uint8), axes="yxc")
        for weights in ("601", "709", "mean"):
            assert (to_grey(white, weights=weights).pixels == value).all()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_keep_their_width(dtype):
    image = colours(dtype, top=1)
    found = to_grey(image).pixels
    assert found.dtype == dtype
    np.testing.assert_allclose(found, image.pixels.astype(float) @ [0.299, 0.587, 0.114], rtol=1e-6 if dtype != np.float16 else 2e-3)


def test_geometry_stays_and_channels_go():
    grey = to_grey(colours())
    assert (grey.axes, grey.spacing, grey.unit, grey.source) == ("yx", (0.5, 0.5), "um", "a.png")


def test_alpha_is_left_out_with_a_warning():
    image = colours(channels=4)
    with collect_warnings() as said:
        found = to_grey(image).pixels
    assert len(said) == 1
    assert "alpha" in said[0]
    np.testing.assert_array_equal(found, to_grey(Image(image.pixels[..., :3], axes="yxc")).pixels)


def test_a_volume():
    pixels = np.random.default_rng(0).integers(0, 256, (3, 5, 6, 3), np.uint8)
    found = to_grey(Image(pixels, axes="zyxc"))
    assert found.axes == "zyx"
    np.testing.assert_array_equal(found.pixels[1], to_grey(Image(pixels[1], axes="yxc")).pixels)


def test_grey_stays_grey():
    pixels = np.arange(6, dtype=np.uint8).reshape(2, 3)
    np.testing.assert_array_equal(to_grey(pixels).pixels, pixels)
    single = to_grey(Image(pixels[..., None], axes="yxc"))
    assert single.axes == "yx"
    np.testing.assert_array_equal(single.pixels, pixels)


@pytest.mark.parametrize("channels", [2, 5, 7])
def test_other_channels_are_not_colours(channels):
    with pytest.raises(InputError, match=f"has {channels} channels"):
        to_grey(colours(channels=channels))


def test_huge_numbers_are_refused():
    with pytest.raises(InputError, match="2\\^48"):
        to_grey(Image(np.full((1, 1, 3), 2**50), axes="yxc"))
    with pytest.raises(InputError, match="true and false"):
        to_grey(Image(np.zeros((1, 1, 3), bool), axes="yxc"))
