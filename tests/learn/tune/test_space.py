"""What is searched is what the steps' annotations allow, narrowed as the user says."""

import pytest

from microtome.core.errors import RecipeError
from microtome.learn.tune.space import apply, as_parameters, search_space, start_of
from microtome.run.recipe import Recipe

CHAIN = Recipe.of(("gaussian", {"sigma": 1}), "otsu", "fill_holes", ("drop_small", {"min_area": 15}))


def by_place(recipe, **options):
    return {knob.place: knob for knob in search_space(recipe, **options)}


def test_ranges_are_those_of_the_annotations():
    knobs = by_place(CHAIN)
    sigma, area = knobs["gaussian.sigma"], knobs["drop_small.min_area"]
    assert (sigma.low, sigma.high, sigma.whole, sigma.log, sigma.start) == (0.5, 4, False, False, 1)
    assert (area.low, area.high, area.whole, area.log, area.start) == (5, 500, True, True, 15)
    assert knobs["otsu.foreground"].choices == ("bright", "dark")
    assert (knobs["otsu.classes"].low, knobs["otsu.classes"].high) == (2, 5)
    assert knobs["fill_holes.max_area"].optional


def test_odd_sizes_stay_odd():
    (knob,) = search_space(Recipe.of("median", "otsu"), only=["median.size"])
    assert (knob.odd, knob.low, knob.high) == (True, 3, 9)
    assert as_parameters([knob], {"median.size": 5}) == {"median.size": 2}


def test_a_length_with_its_unit_keeps_it():
    (knob,) = search_space(Recipe.of(("gaussian", {"sigma": "2 um"}), "otsu"), only=["gaussian"])
    assert (knob.low, knob.high, knob.unit, knob.log) == (0.5, 8, "um", True)
    assert as_parameters([knob], {"gaussian.sigma": "2 um"}) == {"gaussian.sigma": 2}


def test_only_keep_and_range():
    assert list(by_place(CHAIN, only=["gaussian", "otsu.classes"])) == ["gaussian.sigma", "otsu.classes"]
    assert "otsu.classes" not in by_place(CHAIN, keep=["otsu"])
    knob = by_place(CHAIN, ranges={"gaussian.sigma": (0, 2)})["gaussian.sigma"]
    assert (knob.low, knob.high) == (0, 2)
    threshold = by_place(Recipe.of(("threshold", {"value": 100})), ranges={"threshold.value": (50, 150)})
    assert threshold["threshold.value"].high == 150  # no bounds of its own: searched because it has one here


def test_a_setting_given_by_axis_is_left_alone():
    assert "gaussian.sigma" not in by_place(Recipe.of(("gaussian", {"sigma": [1, 2]}), "otsu"))


def test_a_step_that_occurs_twice_is_named_by_its_place():
    knobs = by_place(Recipe.of("median", "gaussian", "median", "otsu"))
    assert {"median[0].size", "median[2].size", "gaussian.sigma"} <= set(knobs)
    recipe = Recipe.of("median", "gaussian", "median", "otsu")
    chosen = {**start_of(search_space(recipe)), "median[2].size": 7}
    assert [use.settings for use in apply(recipe, search_space(recipe), chosen).steps] == [{}, {}, {"size": 7}, {}]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"only": ["gaussian.sgima"]}, "did you mean gaussian.sigma"),
        ({"keep": ["otzu"]}, "did you mean otsu"),
        ({"ranges": {"gaussian.sigma": (3, 1)}}, "cannot be searched from 3 to 1"),
        ({"ranges": {"drop_small.min_area": (0, 10)}}, "cannot be searched from 0 to 10; allowed: from 1 px"),
        ({"only": ["otsu"], "keep": ["otsu"]}, "nothing to search"),
        ({"ranges": {"otsu.foreground": (0, 1)}}, "otsu.foreground: is one of bright, dark, and has no range"),
        ({"ranges": {"gaussian.sigma": (0, float("inf"))}}, "cannot be searched from 0 to inf"),
        ({"ranges": {"otsu.classes": (2.2, 2.9)}}, "cannot be searched from 2.2 to 2.9"),
    ],
)
def test_mistakes_are_named(options, message):
    with pytest.raises(RecipeError, match=message):
        search_space(CHAIN, **options)


def test_the_given_settings_give_the_given_recipe():
    recipe = Recipe.of({"gaussian": {"sigma": 1}, "as": "smooth"}, {"otsu": {}, "from": {"image": "smooth"}, "over": "set"}, about="x")
    knobs = search_space(recipe)
    assert apply(recipe, knobs, start_of(knobs)).document() == recipe.document()


def test_what_has_no_range_is_not_left_out_silently():
    recipe = Recipe.of("gaussian", ("threshold", {"value": 100}))
    with pytest.raises(RecipeError, match=r"threshold\.value: cannot be searched: it has no range of its own"):
        search_space(recipe, only=["gaussian", "threshold.value"])
    with pytest.raises(RecipeError, match=r"gaussian\.sigma: cannot be searched"):
        search_space(Recipe.of(("gaussian", {"sigma": [1, 2]}), "otsu"), ranges={"gaussian.sigma": (1, 3)})


def test_whole_numbers_stay_within_the_range_given():
    classes = by_place(CHAIN, ranges={"otsu.classes": (2.5, 4.5)})["otsu.classes"]
    assert (classes.low, classes.high) == (3, 4)
    size = by_place(Recipe.of("median", "otsu"), ranges={"median.size": (3.5, 8.5)})["median.size"]
    assert (size.low, size.high) == (5, 7)


def test_a_length_may_be_searched_from_0():
    recipe = Recipe.of(("gaussian", {"sigma": "2 um"}), "otsu")
    (knob,) = search_space(recipe, only=["gaussian"], ranges={"gaussian.sigma": (0, 4)})
    assert (knob.low, knob.high, knob.log) == (0, 4, False)
    with pytest.raises(RecipeError, match="cannot be searched from 4 to 1 um"):
        search_space(recipe, ranges={"gaussian.sigma": (4, 1)})
