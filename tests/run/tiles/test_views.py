"""Views come back to where they were, vectors with them."""

from __future__ import annotations

import numpy as np
import pytest

from microtome.run.tiles.views import View, views


@pytest.mark.parametrize(
    ("ndim", "flips", "turns", "count"), [(2, True, False, 4), (2, False, True, 4), (2, True, True, 8), (3, True, True, 16)]
)
def test_they_are_different_and_come_back(ndim, flips, turns, count):
    windows = np.random.default_rng(0).random((2, *(6,) * ndim, 3), np.float32)
    every = views(ndim, flips=flips, turns=turns)
    assert len({view.seen(windows).tobytes() for view in every}) == count
    for view in every:
        np.testing.assert_array_equal(view.back(view.seen(windows), {}), windows)


def test_turns_mirror_nothing():
    window = np.arange(9, dtype=np.float32).reshape(1, 3, 3, 1)
    seen = {view.seen(window)[0, ..., 0].tobytes() for view in views(2, flips=False, turns=True)}
    assert seen == {np.ascontiguousarray(np.rot90(window[0, ..., 0], k)).tobytes() for k in range(4)}


@pytest.mark.parametrize("ndim", [2, 3])
def test_vectors_turn_along(ndim):
    """A network that says of each pixel the way to the brightest one says the same in every view."""

    def ways(windows):
        answers = np.empty((*windows.shape[:-1], 1 + ndim), np.float32)
        for window, answer in zip(windows[..., 0], answers, strict=True):
            brightest = np.unravel_index(window.argmax(), window.shape)
            answer[..., 0] = window
            answer[..., 1:] = np.moveaxis(np.array(brightest).reshape(-1, *(1,) * ndim) - np.indices(window.shape), 0, -1)
        return answers

    windows = np.random.default_rng(0).random((3, *(5,) * ndim, 1), np.float32)
    layers = {axis: axis for axis in range(1, ndim + 1)}
    for view in views(ndim, flips=True, turns=True):
        np.testing.assert_array_equal(view.back(ways(view.seen(windows)), layers), ways(windows))


def test_the_plain_view_is_the_window_itself():
    assert views(2, flips=False, turns=False) == [View()]
