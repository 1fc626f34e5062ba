from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data, filters

from microtome.core.errors import InputError
from microtome.core.events import MicrotomeWarning
from microtome.core.explain import listen
from microtome.core.kernels.histogram import Histogram
from microtome.core.raster import Image
from microtome.methods.segment.otsu import otsu, thresholds


def between_classes(counts: np.ndarray, cuts: tuple[int, ...]) -> float:
    """Otsu's criterion as the paper writes it."""
    share = counts / counts.sum()
    levels = np.arange(counts.size)
    mean = share @ levels
    bounds = [0, *(cut + 1 for cut in cuts), counts.size]
    parts = [(share[a:b], levels[a:b]) for a, b in pairwise(bounds)]
    return sum(p.sum() * ((p @ x) / p.sum() - mean) ** 2 for p, x in parts if p.sum())


def histogram_of(counts: list[int]) -> Histogram:
    return Histogram(np.array(counts, np.int64), np.arange(len(counts)))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=6, max_size=12), st.integers(2, 5))
def test_no_thresholds_are_better_than_the_ones_found(counts, classes):
    if np.count_nonzero(counts) < classes:
        return
    found = thresholds(histogram_of(counts), classes)
    best = max(between_classes(np.array(counts), cuts) for cuts in combinations(range(len(counts) - 1), classes - 1))
    assert between_classes(np.array(counts), found) == pytest.approx(best, rel=1e-12)


@given(st.lists(st.integers(0, 9), min_size=2, max_size=6))
def test_of_equal_thresholds_the_smallest_wins(half):
    counts = half + half[::-1]  # mirrored: every threshold has an equally good twin
    if np.count_nonzero(counts) < 2:
        return
    (found,) = thresholds(histogram_of(counts))
    assert found <= len(half) - 1


def test_dark_is_the_exact_complement_of_bright():
    bright, dark = otsu(data.coins()).pixels, otsu(data.coins(), foreground="dark").pixels
    np.testing.assert_array_equal(bright, data.coins() > 107)
    np.testing.assert_array_equal(dark, 1 - bright)


def test_more_classes_rise_with_brightness_or_fall():
    expected = np.digitize(data.coins(), [63, 107, 156], right=True)
    np.testing.assert_array_equal(otsu(data.coins(), classes=4).pixels, expected)
    mask = otsu(data.coins(), classes=4, foreground="dark")
    np.testing.assert_array_equal(mask.pixels, 3 - expected)
    assert [entry.role for entry in mask.classes] == ["background", "stuff", "stuff", "stuff"]


@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.int32])
@pytest.mark.parametrize("classes", [2, 3])
def test_other_integers_give_the_mask_of_the_same_picture_in_bytes(dtype, classes):
    shifted = data.coins().astype(dtype) * 100 - (5000 if np.dtype(dtype).kind == "i" else 0)
    np.testing.assert_array_equal(otsu(shifted, classes=classes).pixels, otsu(data.coins(), classes=classes).pixels)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_are_cut_at_the_centre_of_a_bin_as_scikit_image_does(dtype):
    image = data.camera().astype(dtype) / 255
    np.testing.assert_array_equal(otsu(image).pixels, image > filters.threshold_otsu(image))


def test_sixteen_bits_are_cut_exactly_into_several_classes():
    noise = np.random.default_rng(0).integers(0, 256, data.coins().shape, dtype=np.uint16)
    image = data.coins() * np.uint16(256) + noise
    found = otsu(image, classes=3).pixels
    coarse = np.digitize(image // 256, filters.threshold_multiotsu((image // 256).astype(np.uint8), 3), right=True)
    assert np.mean(found != coarse) < 0.01


def test_a_constant_image_is_all_dark_and_says_so():
    for image in (np.full((3, 4), 9, np.uint8), np.full((3, 4), 0.1), np.full((3, 4), -7, np.int32)):
        with pytest.warns(MicrotomeWarning, match="every pixel is"):
            assert not otsu(image).pixels.any()
        with pytest.warns(MicrotomeWarning, match="every pixel is"):
            assert otsu(image, foreground="dark").pixels.all()


def test_fewer_values_than_classes_are_refused():
    with pytest.raises(InputError, match="3 distinct values, found 2"):
        otsu(np.array([[1, 1, 5]], np.uint8), classes=3)


def test_integers_of_a_wide_range_say_how_coarse_the_threshold_is():
    with pytest.warns(MicrotomeWarning, match="bins of 16 levels"):
        mask = otsu(np.array([[0, 3, 1_000_000, 1_000_001]], np.int32))
    assert mask.pixels.tolist() == [[0, 0, 1, 1]]


def test_channels_and_masks_are_refused():
    with pytest.raises(InputError, match="3 channels"):
        otsu(Image(np.zeros((4, 4, 3), np.uint8), axes="yxc"))
    with pytest.raises(InputError, match="mask already"):
        otsu(np.zeros((4, 4), bool))


def test_it_explains_itself_with_the_histogram():
    with listen() as heard:
        otsu(data.coins())
    assert heard[0].kind == "histogram"
    assert heard[0].data["thresholds"] == (107,)
    assert heard[0].data["counts"].sum() == data.coins().size
