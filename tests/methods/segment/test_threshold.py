import numpy as np
import pytest

from microtome.core.errors import RecipeError
from microtome.core.events import MicrotomeWarning
from microtome.core.raster import Image
from microtome.methods.segment.threshold import threshold

IMAGE = np.array([[0, 99, 100, 101, 255]], np.uint8)


def test_the_threshold_belongs_to_the_dark_class():
    assert threshold(IMAGE, value=100).pixels.tolist() == [[0, 0, 0, 1, 1]]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("value", [100, 100.0, 99.5, 100.5])
def test_dark_is_the_exact_complement_of_bright(dtype, value):
    bright = threshold(IMAGE.astype(dtype), value=value).pixels
    dark = threshold(IMAGE.astype(dtype), value=value, foreground="dark").pixels
    np.testing.assert_array_equal(bright, value < IMAGE)
    np.testing.assert_array_equal(dark, 1 - bright)


@pytest.mark.parametrize(("value", "foreground", "expected"), [(255, "bright", 0), (300.5, "dark", 1), (-1, "bright", 1), (-1, "dark", 0)])
def test_a_value_outside_the_range_takes_all_or_nothing_and_warns(value, foreground, expected):
    with pytest.warns(MicrotomeWarning, match="0 to 255, on one side"):
        mask = threshold(IMAGE, value=value, foreground=foreground)
    assert (mask.pixels == expected).all()


def test_the_mask_keeps_the_place_of_the_image():
    image = Image(np.arange(24.0).reshape(2, 3, 4), axes="zyx", spacing=(2, 1, 1), unit="um", source="stack.tif")
    mask = threshold(image, value=5)
    assert (mask.axes, mask.spacing, mask.unit, mask.source) == ("zyx", (2, 1, 1), "um", "stack.tif")
    assert mask.classes.values("background") == (0,)


def test_the_value_must_be_given():
    with pytest.raises(RecipeError, match="needs this setting"):
        threshold(IMAGE)
