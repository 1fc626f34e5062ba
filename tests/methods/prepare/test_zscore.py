from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from microtome.core.errors import InputError
from microtome.core.events import MicrotomeWarning
from microtome.core.kernels import bands
from microtome.core.kernels.moments import moments_of
from microtome.core.raster import Image
from microtome.methods.prepare.zscore import zscore

UNIT = Fraction(1, 1 << 1074)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
def test_it_has_mean_zero_and_deviation_one(dtype):
    pixels = (np.random.default_rng(0).random((60, 70)) * 250).astype(dtype)
    found = zscore(pixels).pixels
    assert found.dtype == np.float32
    wide = pixels.astype(float)
    np.testing.assert_allclose(found, (wide - wide.mean()) / wide.std(), rtol=1e-6, atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(arrays(np.float64, st.tuples(st.integers(1, 9), st.integers(1, 9)),
              elements=st.floats(-1e120, 1e120, allow_nan=False).filter(lambda x: x == 0 or abs(x) > 1e-120)))  # fmt: skip
def test_sums_have_no_rounding_at_all(pixels):
    exact = [Fraction(float(value)) for value in pixels.ravel()]
    found = moments_of(Image(pixels))
    assert found.total * UNIT == sum(exact)
    assert found.squares * UNIT == sum(value * value for value in exact)
    assert found.mean == float(sum(exact) / len(exact))


def test_subnormal_numbers_add_up_too():
    tiny = np.full((3, 3), 5e-324)
    assert moments_of(Image(tiny)).total == 9
    assert moments_of(Image(-tiny)).mean == -5e-324


def test_a_large_offset_loses_nothing():
    """Mean of squares less square of the mean is 0 here, or below, in 64 bits."""
    pixels = 1e9 + np.tile([0.0, 1.0], (8, 8))
    assert (pixels**2).mean() - pixels.mean() ** 2 != 0.25
    found = moments_of(Image(pixels))
    assert (found.mean, found.deviation) == (1e9 + 0.5, 0.5)
    np.testing.assert_array_equal(np.unique(zscore(pixels).pixels), [-1, 1])


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_tiled_equals_whole_in_any_order(dtype):
    pixels = (np.random.default_rng(3).normal(size=(50, 40)) * 20 + 100).astype(dtype)
    tiles = [pixels[:20], pixels[20:, :13], pixels[20:, 13:]]
    shared = zscore.summarise(tiles)
    assert shared == zscore.summarise(tiles[::-1]) == zscore.summarise([pixels])
    np.testing.assert_array_equal(zscore(tiles[2], summary=shared).pixels, zscore(pixels).pixels[20:, 13:])


def test_threads_and_bands_change_nothing(monkeypatch):
    pixels = np.random.default_rng(3).normal(size=(300, 40)) * 10.0 ** np.arange(-20, 20)
    whole = moments_of(Image(pixels))
    cut = bands.bands
    monkeypatch.setattr(bands, "bands", lambda rows, height=256: cut(rows, 7))
    assert moments_of(Image(pixels)) == whole


def test_a_row_longer_than_what_is_added_at_once():
    pixels = np.ones((1, (1 << 20) + 5), np.float32)
    found = moments_of(Image(pixels))
    assert (found.count, found.mean, found.deviation) == ((1 << 20) + 5, 1.0, 0.0)


def test_each_channel_alone_or_all_together():
    pixels = np.random.default_rng(1).random((20, 30, 3)) * np.arange(1, 4)
    image = Image(pixels, axes="yxc")
    alone, joint = zscore(image).pixels, zscore(image, joint=True).pixels
    for c in range(3):
        np.testing.assert_array_equal(alone[..., c], zscore(pixels[..., c]).pixels)
    np.testing.assert_allclose(joint, (pixels - pixels.mean()) / pixels.std(), atol=1e-6)


def test_only_what_is_above_decides_and_everything_is_changed():
    pixels = np.array([[0, 0, 0, 1], [2, 3, 4, 0]], np.int16)
    inside = np.array([1.0, 2, 3, 4])
    np.testing.assert_allclose(zscore(pixels, above=0).pixels, (pixels - inside.mean()) / inside.std(), rtol=1e-6)


def test_a_constant_becomes_zero_and_says_so():
    with pytest.warns(MicrotomeWarning, match="all values are 7"):
        np.testing.assert_array_equal(zscore(np.full((3, 4), 7.0)).pixels, 0)
    with pytest.warns(MicrotomeWarning, match="no value is above 9"):
        np.testing.assert_array_equal(zscore(np.arange(6.0).reshape(2, 3), above=9).pixels, 0)


def test_what_is_refused():
    with pytest.raises(InputError, match="mask"):
        zscore(np.zeros((2, 2), bool))
    with pytest.raises(InputError, match="NaN"):
        zscore(np.array([[1.0, np.nan]]))
    with pytest.raises(InputError, match="no squares"):
        zscore(np.array([[1.0, -1e200]]))
