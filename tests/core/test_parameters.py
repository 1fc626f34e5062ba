"""Settings and lengths: one annotation checks, explains and converts."""

import inspect
from typing import Annotated, Literal

import numpy as np
import pytest

from microtome.core.errors import InputError, RecipeError
from microtome.core.parameters import Length, Odd, Range, Setting
from microtome.core.units import length_in_pixels, parse_length, parse_spacing


def setting(annotation, default=inspect.Parameter.empty):
    return Setting("size", annotation, default)


@pytest.mark.parametrize("value", [1, 6, 2.5, "x", True, None, float("nan")])
def test_a_whole_number_in_a_range_refuses_everything_else_and_says_the_range(value):
    with pytest.raises(RecipeError, match=r"steps\[0\]\.size: found .*, expected a whole number \(from 2 to 5\)"):
        setting(Annotated[int, Range(2, 5)]).check(value, "steps[0].size")


def test_a_whole_number_serves_as_a_number_and_a_list_as_numbers_an_axis():
    assert setting(Annotated[float, Range(0, 5)]).check(3, "p") == 3.0
    assert setting(Annotated[float | tuple[float, ...], Length(min=0)]).check([1, 2], "p") == (1.0, 2.0)


def test_words_are_told():
    with pytest.raises(RecipeError, match="one of bright, dark"):
        setting(Literal["bright", "dark"]).check("light", "p")


def test_an_even_window_is_refused():
    assert setting(Annotated[int, Odd(1)]).check(5, "p") == 5
    with pytest.raises(RecipeError, match="odd"):
        setting(Annotated[int, Odd(1)]).check(4, "p")


def test_above_excludes_the_end():
    with pytest.raises(RecipeError, match="above 0"):
        setting(Annotated[float, Range(above=0)]).check(0.0, "p")


def test_a_length_with_a_unit_becomes_pixels_of_the_finest_axis():
    length = setting(Annotated[float, Length(min=0)])
    assert length.in_pixels(length.check("3 um", "p"), (2.0, 0.5, 0.5), "um") == 6.0
    assert length.in_pixels("3000 nm", (0.5, 0.5), "um") == 6.0
    assert length.in_pixels(4.0, (0.5, 0.5), "um") == 4.0


def test_a_length_per_axis_becomes_one_number_an_axis():
    length = setting(Annotated[float | tuple[float, ...], Length(min=0, per_axis=True)])
    assert length.in_pixels("3 um", (2.0, 0.5, 0.5), "um") == (1.5, 6.0, 6.0)


def test_a_length_with_a_unit_needs_a_spacing_and_says_how_to_give_one():
    with pytest.raises(InputError, match="--spacing"):
        length_in_pixels("3 um", None, "px")


@pytest.mark.parametrize(("text", "expected"), [("3", (3.0, "px")), ("0.65 µm", (0.65, "um")), ("2e3nm", (2000.0, "nm")), (7, (7.0, "px"))])
def test_lengths_are_read(text, expected):
    assert parse_length(text) == expected


@pytest.mark.parametrize("text", ["", "um", "3 furlongs", "-3 um", "1.2.3 um", "3 um um"])
def test_what_is_no_length_is_refused(text):
    with pytest.raises(RecipeError):
        parse_length(text)


def test_spacing_may_differ_by_axis_and_is_given_in_one_unit():
    numbers, unit = parse_spacing("2 um, 500 nm, 500 nm")
    assert unit == "nm"
    np.testing.assert_allclose(numbers, (2000, 500, 500))
    with pytest.raises(RecipeError, match="no unit"):
        parse_spacing("0.65")
    with pytest.raises(RecipeError, match="above zero"):
        parse_spacing("0 um")
