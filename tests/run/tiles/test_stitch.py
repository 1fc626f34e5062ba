"""Windows cover an image, and what a network says of them is blended into one map."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from microtome.run.tiles.cover import corners, starts
from microtome.run.tiles.stitch import blend_weights, over_windows


@given(length=st.integers(1, 200), window=st.integers(2, 64), overlap=st.integers(0, 31))
def test_windows_cover_every_pixel_from_the_origin_on(length, window, overlap):
    step = window - min(overlap, window - 1)
    first = starts(length, window, step)
    covered = np.zeros(length + window, bool)
    for place in first:
        covered[place : place + window] = True
    assert covered[:length].all()
    assert first[0] == 0
    assert all(place < length for place in first)


def test_neighbours_of_a_ramp_sum_to_one():
    weights = blend_weights((10,), (4,), "ramp")
    np.testing.assert_allclose(weights[-4:] + weights[:4], 1)
    assert (weights[4:6] == 1).all()


@pytest.mark.parametrize("shape", [(50, 70), (16, 16), (5, 9), (1, 30), (6, 20, 20)])
@pytest.mark.parametrize("batch", [1, 3])
def test_what_each_pixel_says_of_itself_comes_back_exactly_where_it_was(shape, batch):
    pixels = np.random.default_rng(0).random((*shape, 2)).astype(np.float32)
    window = (16,) * len(shape)
    found = over_windows(pixels, lambda windows: 2 * windows[..., :1], window=window, overlap=(5,) * len(shape), batch=batch)
    np.testing.assert_allclose(found, 2 * pixels[..., :1], rtol=1e-6)


def test_a_margin_is_mirrored_and_a_valid_network_loses_nothing():
    pixels = np.random.default_rng(0).random((40, 33, 1)).astype(np.float32)

    def blur(windows):  # a 5 x 5 mean without padding
        view = np.lib.stride_tricks.sliding_window_view(windows, (5, 5), axis=(1, 2))
        return view.mean(axis=(-1, -2)).astype(np.float32)

    found = over_windows(pixels, blur, window=(16, 16), overlap=(0, 0), margin=2, blend="none")
    mirrored = np.pad(pixels, ((2, 2), (2, 2), (0, 0)), mode="reflect")
    np.testing.assert_allclose(found, blur(mirrored[None])[0], rtol=1e-5)


def test_the_number_of_windows_at_once_changes_nothing():
    pixels = np.random.default_rng(1).random((61, 45, 1)).astype(np.float32)
    options = {"window": (16, 16), "overlap": (4, 4)}
    one, many = (over_windows(pixels, np.sqrt, batch=batch, **options) for batch in (1, 7))
    np.testing.assert_array_equal(one, many)
    assert len(list(corners((61, 45), (16, 16), (12, 12)))) == 5 * 4
