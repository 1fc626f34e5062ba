import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from microtome.core.errors import InputError
from microtome.core.kernels.histogram import Extent, Histogram, extent, histogram
from microtome.core.raster import Image


def histogram_of(pixels: np.ndarray) -> Histogram:
    image = Image(pixels)
    return histogram(image, None, extent(image))


INTEGERS = [np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32, np.uint64, np.int64]


@pytest.mark.parametrize("dtype", INTEGERS)
def test_every_integer_level_is_counted_under_its_own_value(dtype, rng):
    low = 0 if np.dtype(dtype).kind == "u" else -100
    pixels = rng.integers(low, 120, (37, 41)).astype(dtype)
    found = histogram_of(pixels)
    levels, counts = np.unique(pixels, return_counts=True)
    occurring = found.counts > 0
    np.testing.assert_array_equal(found.levels[occurring], levels)
    np.testing.assert_array_equal(found.counts[occurring], counts)


@pytest.mark.parametrize(("dtype", "bins"), [(np.uint8, 256), (np.int8, 256), (np.uint16, 65536), (np.int16, 65536)])
def test_small_integers_have_a_bin_for_every_level_of_their_type(dtype, bins):
    found = histogram_of(np.array([[np.iinfo(dtype).min, np.iinfo(dtype).max]], dtype))
    assert found.counts.size == bins
    assert found.counts[0] == found.counts[-1] == 1
    assert (found.levels[0], found.levels[-1]) == (np.iinfo(dtype).min, np.iinfo(dtype).max)


@pytest.mark.parametrize("dtype", [np.int64, np.uint64, np.int32, np.uint32])
def test_wide_integers_share_bins_of_equal_whole_width_that_end_at_their_level(dtype):
    info = np.iinfo(dtype)
    middle = info.min + (info.max - info.min) // 3
    found = histogram_of(np.array([[info.min, middle, info.max]], dtype))
    assert found.width == (1 << (8 * np.dtype(dtype).itemsize)) // 65536
    at = np.flatnonzero(found.counts)
    ends = [int(level) for level in found.levels[at]]
    assert all(end - found.width < value <= end for value, end in zip((info.min, middle, info.max), ends, strict=True))


@settings(max_examples=150, deadline=None)
@given(
    hnp.arrays(np.float64, (5, 9), elements=st.floats(-1e3, 1e3)) | hnp.arrays(np.float32, (4, 7), elements=st.floats(-1e6, 1e6, width=32))
)
def test_floats_are_counted_between_evenly_spaced_edges(pixels):
    low, high = pixels.min(), pixels.max()
    found = histogram_of(pixels)
    if low == high:
        assert found.counts.tolist() == [pixels.size]
        assert found.levels.tolist() == [low]
        return
    edges = np.linspace(low, high, 257)  # of the type of the pixels
    assert edges.dtype == pixels.dtype
    bins = np.clip(np.searchsorted(edges, pixels.ravel(), side="right") - 1, 0, 255)
    np.testing.assert_array_equal(found.counts, np.bincount(bins, minlength=256))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_are_counted_as_numpy_counts_them(dtype, rng):
    pixels = rng.normal(size=(300, 200)).astype(dtype)
    counts, edges = np.histogram(pixels, 256)
    found = histogram_of(pixels)
    np.testing.assert_array_equal(found.counts, counts)
    np.testing.assert_array_equal(found.levels, (edges[:-1] + edges[1:]) / 2)


@pytest.mark.parametrize("dtype", [*INTEGERS, np.float16, np.float32, np.float64])
def test_the_histograms_of_tiles_add_up_to_that_of_the_whole(dtype, rng):
    pixels = (rng.random((50, 60)) * 100).astype(dtype)
    whole = histogram_of(pixels)
    tiles = [Image(tile) for rows in np.array_split(pixels, [7, 30]) for tile in np.array_split(rows, [11, 40], axis=1)]
    span = extent(tiles[0])
    for tile in tiles[1:]:
        span = span.merge(extent(tile))
    total = histogram(tiles[0], None, span)
    for tile in reversed(tiles[1:]):
        total = total.merge(histogram(tile, None, span))
    np.testing.assert_array_equal(total.counts, whole.counts)
    np.testing.assert_array_equal(total.levels, whole.levels)


def test_images_of_different_types_share_a_histogram():
    eight, sixteen = Image(np.array([[3, 250]], np.uint8)), Image(np.array([[3, 4000]], np.uint16))
    floats = Image(np.array([[0.5, 250.0]], np.float32))
    both = extent(eight).merge(extent(sixteen))
    merged = histogram(eight, None, both).merge(histogram(sixteen, None, both))
    assert merged.counts[[3, 250, 4000]].tolist() == [2, 1, 1]
    all_three = both.merge(extent(floats))
    assert sum(histogram(image, None, all_three).counts.sum() for image in (eight, sixteen, floats)) == 6


def test_counts_stay_exact_beyond_what_float32_can_count():
    pixels = np.zeros((1, (1 << 24) + 3), np.uint8)
    pixels[0, -1] = 1
    assert histogram_of(pixels).counts[:2].tolist() == [(1 << 24) + 2, 1]


def test_volumes_and_channels_are_counted_alike(rng):
    pixels = rng.integers(0, 255, (3, 8, 9, 2), dtype=np.uint8)
    image = Image(pixels[::-1, :, ::2], axes="zyxc")
    np.testing.assert_array_equal(histogram(image, None, extent(image)).counts, np.bincount(image.pixels.ravel(), minlength=256))


def test_bool_and_overflowing_floats_are_refused():
    with pytest.raises(InputError, match="mask already"):
        extent(Image(np.zeros((2, 2), bool)))
    with pytest.raises(InputError, match="too wide"):
        extent(Image(np.array([[-1.5e308, 1.5e308]])))


def test_the_least_and_the_greatest_of_an_image_show_nan():
    image = Image(np.array([[1.0, np.nan], [3.0, -np.inf]]))
    assert np.isnan(image.extremes).all()
    assert image.not_finite == 2
    assert Image(np.array([[2, 7]], np.uint16)).extremes == (2, 7)
    assert Extent(0, 5, np.dtype(np.uint8)).merge(Extent(-3, 4, np.dtype(np.int8))) == Extent(-3, 5, np.dtype(np.int16))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)
