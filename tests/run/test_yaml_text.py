"""Recipe text: data only, one place says one thing, words stay words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microtome.core.errors import RecipeError
from microtome.run import yaml_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("on", "on"),
        ("no", "no"),
        ("1e-3", 0.001),
        ("1.5", 1.5),
        (".5", 0.5),
        ("3", 3),
        ("true", True),
        ("2 um", "2 um"),
        ("2026-01-01", "2026-01-01"),
    ],
)
def test_words_stay_words_and_numbers_are_numbers(text, expected):
    assert yaml_text.load(text) == expected


@pytest.mark.parametrize("text", ["!!python/object/apply:os.system ['true']", "a: !!python/name:os.system", "!thing {a: 1}"])
def test_tags_that_would_run_code_are_refused_by_name(text):
    with pytest.raises(RecipeError, match=r"the tag .* is refused"):
        yaml_text.load(text)


def test_aliases_are_refused_so_that_a_small_text_stays_small():
    bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]"
    with pytest.raises(RecipeError, match="no anchors"):
        yaml_text.load(bomb)


def test_a_key_given_twice_is_refused_with_its_line():
    with pytest.raises(RecipeError, match="line 2: 'sigma' stands twice"):
        yaml_text.load("sigma: 1\nsigma: 2\n")


@pytest.mark.parametrize("text", ["a: [", "\t- x", "a: b: c", "\x00", "[" * 5000, "? [a]: 1"])
def test_broken_text_is_an_error_of_ours(text):
    with pytest.raises(RecipeError):
        yaml_text.load(text)


scalars = st.one_of(st.booleans(), st.integers(-(10**9), 10**9), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=20))


@given(st.one_of(scalars, st.lists(scalars, max_size=4), st.dictionaries(st.text(min_size=1, max_size=8), scalars, max_size=4)))
def test_a_value_written_on_one_line_reads_back_the_same(value):
    text = yaml_text.dump_value(value)
    assert "\n" not in text
    assert yaml_text.load(text) == value
