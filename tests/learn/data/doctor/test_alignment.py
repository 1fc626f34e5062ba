"""Shifts and turns of masks against pictures, made and found again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from microtome.learn.data.doctor.alignment import REACH, TURNS, Alignment, best_turn, borders, edges, fit, measure, turned
from microtome.learn.data.doctor.faults.shifted_mask import is_shifted
from microtome.learn.data.doctor.faults.turned_mask import is_turned


@pytest.fixture(scope="module")
def mask(coins: NDArray[Any]) -> NDArray[np.uint8]:
    return (coins > 120).astype(np.uint8)


def test_a_mask_that_fits_is_in_place(coins: NDArray[Any], mask: NDArray[Any]) -> None:
    found = measure(coins, mask)
    assert isinstance(found, Alignment)
    assert found.in_place
    assert not is_shifted(found)
    assert not is_turned(found)


@settings(max_examples=8)
@given(down=st.integers(-12, 12), right=st.integers(-12, 12))
def test_a_shift_is_found_to_the_pixel(coins: NDArray[Any], mask: NDArray[Any], down: int, right: int) -> None:
    found = measure(coins, np.roll(mask, (down, right), (0, 1)))
    assert isinstance(found, Alignment)
    assert found.shift == (-down, -right)
    assert is_shifted(found) or max(abs(down), abs(right)) < 5


def test_brightness_and_direction_of_contrast_do_not_matter(coins: NDArray[Any], mask: NDArray[Any]) -> None:
    moved = np.roll(mask, 6, 0)
    for image in (coins // 4 + 100, 255 - coins, coins.astype(np.uint16) * 200, coins / 255.0, np.dstack([coins] * 3)):
        found = measure(image, moved)
        assert found is not None
        assert found.shift == (-6, 0)


@pytest.mark.parametrize("turn", range(1, 8))
def test_every_orientation_of_a_square_is_found(coins: NDArray[Any], mask: NDArray[Any], turn: int) -> None:
    image, labels = coins[:300, :300], mask[:300, :300]
    wrong = turned(labels, turn)
    found, near = best_turn(image, wrong)
    assert np.array_equal(turned(wrong, found), labels), TURNS[found]
    assert near > 4.5


def test_nothing_is_said_where_nothing_can_be_told(coins: NDArray[Any], mask: NDArray[Any]) -> None:
    assert measure(coins, np.zeros_like(mask)) is None
    assert measure(coins[:20, :20], mask[:20, :20]) is None
    assert fit(edges(coins), borders(mask[:100])) is None


def test_a_large_picture_is_judged_by_its_busiest_part(coins: NDArray[Any], mask: NDArray[Any]) -> None:
    image, labels = np.full((2300, 2500), 70, np.uint8), np.zeros((2300, 2500), np.uint8)
    image[1700:2003, 2100:2484], labels[1703:2006, 2096:2480] = coins, mask
    found = measure(image, labels)
    assert found is not None
    assert found.shift == (-3, 4)


def test_noise_fits_nothing() -> None:
    rng = np.random.default_rng(1)
    labels = np.zeros((200, 200), np.uint8)
    labels[60:140, 50:150] = 1
    found = measure(rng.integers(0, 255, (200, 200)), labels)
    assert found is not None
    assert not found.in_place
    assert not is_turned(found)
    assert max(map(abs, found.shift)) <= REACH


def test_borders_are_on_both_sides() -> None:
    assert borders(np.array([[0, 0, 5, 5]])).tolist() == [[0, 1, 1, 0]]
