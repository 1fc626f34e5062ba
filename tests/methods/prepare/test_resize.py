import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data
from skimage.transform import resize as other

from microtome.core.errors import InputError, RecipeError
from microtome.core.events import MicrotomeWarning
from microtome.core.raster import Image, InstanceMap, SemanticMap
from microtome.core.regrid import nearest, onto
from microtome.methods.prepare.resize import resize

COINS = data.coins()


@pytest.mark.parametrize("spacing", [2, 1.5, 3.7, 0.5, 0.7, (2, 0.5)])
def test_scikit_image_gives_the_same(spacing):
    image = COINS[:101, :130].astype(np.float64)
    found = resize(image, spacing=spacing).pixels
    expected = other(image, found.shape, order=1, mode="symmetric", anti_aliasing=True, preserve_range=True)
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_a_volume_and_scikit_image():
    image = np.random.default_rng(0).random((9, 20, 24))
    found = resize(Image(image, axes="zyx"), spacing=(0.5, 2, 2)).pixels
    assert found.shape == (18, 10, 12)
    np.testing.assert_allclose(found, other(image, found.shape, order=1, mode="symmetric", anti_aliasing=True), atol=1e-12)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32, np.float64])
def test_the_dtype_stays_and_integers_are_rounded(dtype):
    image = (COINS[:60, :61] * (1 if dtype == np.uint8 else 3)).astype(dtype)
    found = resize(image, spacing=1.7).pixels
    exact = resize(image.astype(np.float64), spacing=1.7).pixels
    assert found.dtype == dtype
    tolerance = 0.5 + 1e-3 if np.dtype(dtype).kind in "ui" else 1e-3
    assert np.abs(found - exact).max() <= tolerance


def test_a_length_follows_the_spacing_of_each_axis_and_gives_cubes():
    volume = Image(np.zeros((10, 40, 60)), axes="zyx", spacing=(2.0, 0.5, 0.5), unit="um")
    found = resize(volume, spacing="1000 nm")
    assert found.shape == (20, 20, 30)
    assert found.spacing == (1.0, 1.0, 1.0)
    assert found.unit == "um"


def test_the_spacing_it_has_is_said_not_the_one_asked_for():
    found = resize(Image(np.zeros((5, 7)), spacing=(1.0, 1.0), unit="mm"), spacing=2)
    assert found.shape == (3, 4)  # 2.5 and 3.5, a half upwards
    assert found.spacing == pytest.approx((5 / 3, 7 / 4))


@pytest.mark.parametrize("direction", [None, (0, 0, 1, 0, 1, 0, 1, 0, 0), (0, 0, -1, 0, -1, 0, 1, 0, 0)])
def test_the_corners_of_the_field_stay_where_they_are_in_the_world(direction):
    def corners(image):
        turn = np.array(direction or (0, 0, 1, 0, 1, 0, 1, 0, 0)).reshape(3, 3)
        at = [-0.5 * np.ones(3), np.array(image.shape) - 0.5]
        return [np.array(image.origin) + turn @ (np.array(image.spacing) * place) for place in at]

    volume = Image(np.zeros((6, 10, 15)), axes="zyx", spacing=(3.0, 1.0, 0.5), unit="mm", origin=(10.0, -20.0, 30.0), direction=direction)
    found = resize(volume, spacing="1.3 mm")
    assert found.shape != volume.shape
    np.testing.assert_allclose(corners(found), corners(volume), atol=1e-9)


def test_antialiasing_takes_out_what_is_finer_than_the_new_pixels():
    stripes = np.tile([0.0, 1.0, 0.0, 0.0], (8, 32))
    plain, smooth = (resize(stripes, spacing=(1, 3), antialias=on).pixels for on in (False, True))
    assert smooth.std() < 0.6 * plain.std()
    assert smooth.mean() == pytest.approx(0.25, abs=0.01)


def test_nearest_makes_no_new_value():
    labels = np.random.default_rng(0).choice([3, 50, 200], (31, 40)).astype(np.uint16)
    for spacing in (0.4, 1.7):
        assert set(np.unique(resize(labels, spacing=spacing, sampling="nearest").pixels)) <= {3, 50, 200}


def test_channels_keep_their_names():
    image = Image(np.random.default_rng(0).random((20, 30, 2)), axes="yxc", channels=("dapi", "actin"))
    found = resize(image, spacing=2)
    assert found.channels == ("dapi", "actin")
    np.testing.assert_array_equal(found.channel("actin").pixels, resize(image.channel("actin"), spacing=2).pixels)


@settings(max_examples=40, deadline=None)
@given(st.tuples(st.integers(1, 40), st.integers(1, 40)), st.floats(0.13, 30))
def test_a_ramp_stays_within_its_range_and_a_constant_stays(shape, spacing):
    ramp = np.arange(shape[0] * shape[1], dtype=np.float64).reshape(shape)
    found = resize(ramp, spacing=spacing).pixels
    assert found.shape == tuple(max(1, int(n / spacing + 0.5)) for n in shape)
    assert ramp.min() - 1e-9 <= found.min() <= found.max() <= ramp.max() + 1e-9
    np.testing.assert_allclose(resize(np.full(shape, 7.0), spacing=spacing).pixels, 7.0, rtol=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60))
def test_nearest_takes_the_pixel_in_which_the_middle_lies(old, new):
    np.testing.assert_array_equal(nearest(np.arange(old), (new,)), [int((i + 0.5) * old / new + 1e-12) for i in range(new)])


def test_a_mask_goes_back_to_the_pixels_of_its_image():
    image = Image(COINS[:100, :121], spacing=(0.5, 0.5), unit="um", source="coins.tif")
    coarse = resize(image, spacing="1 um")
    mask = InstanceMap(np.random.default_rng(0).integers(0, 4, coarse.shape, dtype=np.int32), object_class={1: 7}, **coarse.geometry())
    back = onto(mask, image)
    assert (back.shape, back.spacing, back.source) == (image.shape, image.spacing, "coins.tif")
    assert back.object_class == {1: 7}
    np.testing.assert_array_equal(nearest(back.pixels, coarse.shape), mask.pixels)
    assert onto(back, image) is back


def test_objects_that_are_lost_on_the_way_lose_their_class():
    fine = np.zeros((8, 8), np.int32)
    fine[0, 0], fine[2:6, 2:6] = 1, 2
    found = onto(InstanceMap(fine, object_class={1: 5, 2: 6}, object_score={1: 0.5, 2: 0.6}), Image(np.zeros((2, 2))))
    assert found.object_class == {2: 6}
    assert found.object_score == {2: 0.6}
    with pytest.raises(InputError, match="axes"):
        onto(SemanticMap(np.zeros((4, 4), np.uint8)), Image(np.zeros((2, 2, 2)), axes="zyx"))


def test_how_it_lies_in_memory_and_the_input_stay_out_of_it():
    image = COINS[:40, :50].copy()
    kept = image.copy()
    found = resize(image, spacing=1.3).pixels
    np.testing.assert_array_equal(resize(np.asfortranarray(image), spacing=1.3).pixels, found)
    np.testing.assert_array_equal(image, kept)


def test_much_larger_is_said():
    with pytest.warns(MicrotomeWarning, match="10 times as many"):
        resize(np.zeros((3, 4)), spacing=0.1)


def test_what_is_refused():
    with pytest.raises(RecipeError, match="found 3 numbers for the 2 axes"):
        resize(np.zeros((4, 4)), spacing=(1, 2, 3))
    with pytest.raises(InputError, match="needs the image's pixel spacing"):
        resize(np.zeros((4, 4)), spacing="1 um")
    with pytest.raises(RecipeError, match="needs this setting"):
        resize(np.zeros((4, 4)))
    with pytest.raises(InputError, match="mask"):
        resize(np.zeros((4, 4), bool), spacing=2)
