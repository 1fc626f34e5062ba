"""Colours: neighbours differ, ids are kept."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from microtome.app.report.palette import CIVIDIS, OBJECTS, colours_apart, dense, rgb


@given(arrays(np.int32, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.sampled_from([0, 1, 2, 5, 70_000, 2**31 - 1])))
def test_dense_numbers_give_back_the_labels(labels: NDArray[np.int32]) -> None:
    numbers, ids = dense(labels)
    np.testing.assert_array_equal(np.concatenate([[0], ids])[numbers], labels)
    assert len(ids) == numbers.max()


@given(arrays(np.int32, (7, 8), elements=st.integers(0, 4)))
def test_touching_objects_differ_in_colour(labels: NDArray[np.int32]) -> None:
    numbers, ids = dense(labels)
    colours = colours_apart(numbers, len(ids))
    for down, right in ((0, 1), (1, 0), (1, 1)):
        one, two = numbers[: 7 - down, : 8 - right], numbers[down:, right:]
        touch = (one > 0) & (two > 0) & (one != two)
        assert np.all(colours[one[touch] - 1] != colours[two[touch] - 1])


def test_many_neighbours_share_six_colours() -> None:
    numbers = np.arange(1, 101, dtype=np.int32).reshape(10, 10)
    colours = colours_apart(numbers, 100)
    assert set(colours.tolist()) == set(range(len(OBJECTS)))


def test_cividis_rises_in_lightness() -> None:
    lightness = CIVIDIS.astype(float) @ [0.2126, 0.7152, 0.0722]
    assert np.all(np.diff(lightness) > -0.5)
    assert rgb(OBJECTS).shape == (6, 3)
