"""Objects are brought to the size a network knows, on the user's word only; and what is off that size is told."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from microtome.core.errors import InputError, RecipeError
from microtome.core.raster import Image, InstanceMap
from microtome.core.result import Result
from microtome.run.recipe import Recipe
from microtome.run.trained_size import fitted, median_diameter, remarks, trained_size

sys.path.insert(0, str(Path(__file__).parent))

SIZE = trained_size({"spacing": [0.5, 0.5], "unit": "um", "diameter": 30, "diameter_range": [20, 45]})
RECIPE = Recipe.of(("gaussian", {"sigma": 2.0}), ("network", {"weights": "a.onnx"}), "centre_offset", ("drop_small", {"min_area": 30}))


def settings(recipe):
    return {use.step: use.settings for use in recipe.steps}


def discs(diameter, count=4):
    labels = np.zeros((2 * diameter, 2 * diameter * count), np.int32)
    y, x = np.ogrid[: labels.shape[0], : labels.shape[1]]
    for k in range(count):
        labels[np.hypot(y - diameter, x - (2 * k + 1) * diameter) < diameter / 2] = k + 1
    return InstanceMap(labels)


@pytest.mark.parametrize(("spacing", "factor"), [("1 um", 2.0), ("250 nm", 0.5), ("0.001 mm", 2.0), ("1 um, 1 um", 2.0)])
def test_spacing_multiplies_the_scale(spacing, factor):
    recipe, size, _ = fitted(RECIPE, SIZE, spacing=spacing)
    assert settings(recipe)["network"]["scale"] == factor
    assert (size.factor, size.asked) == ((factor,), True)


def test_each_axis_of_a_volume_has_its_factor():
    size = trained_size({"spacing": [2.0, 0.5, 0.5], "unit": "um"})
    recipe, _, _ = fitted(Recipe.of(("network", {"weights": "a", "scale": 0.5}), "classes"), size, spacing="1 um, 1 um, 1 um")
    assert settings(recipe)["network"]["scale"] == [0.25, 1.0, 1.0]
    with pytest.raises(RecipeError, match="has 2 numbers, the model was trained on images of 3 axes"):
        fitted(recipe, size, spacing="1 um, 2 um")


def test_diameter_multiplies_the_scale_and_goes_before_spacing():
    once = Recipe.of(("network", {"weights": "a", "scale": 0.5}), "classes")
    recipe, _, _ = fitted(once, SIZE, diameter=60, spacing="3 um")
    assert settings(recipe)["network"]["scale"] == 0.25


def test_pixels_of_the_other_steps_come_along_even_defaults():
    """Objects twice as large: lengths doubled, areas fourfold."""
    recipe, _, _ = fitted(RECIPE, SIZE, diameter=60)
    found = settings(recipe)
    assert (found["gaussian"]["sigma"], found["centre_offset"]["min_distance"], found["drop_small"]["min_area"]) == (4, 6, 120)
    assert set(found["centre_offset"]) == {"min_distance"}


def test_voxels_go_with_the_cube_also_where_the_card_has_no_spacing():
    size = trained_size({"diameter": 10, "example_axes": "zyx"})
    recipe, _, _ = fitted(RECIPE, size, diameter=20)
    assert settings(recipe)["drop_small"]["min_area"] == 240
    flat, _, _ = fitted(RECIPE, trained_size({"diameter": 10, "example_axes": "yxc"}), diameter=20)
    assert settings(flat)["drop_small"]["min_area"] == 120


def test_a_length_with_a_unit_stays():
    recipe, _, _ = fitted(Recipe.of(("network", {"weights": "a"}), ("centre_offset", {"min_distance": "3 um"})), SIZE, diameter=60)
    assert settings(recipe)["centre_offset"]["min_distance"] == "3 um"


@pytest.mark.parametrize("diameter", [29, 30, 31])
def test_a_factor_next_to_one_changes_nothing(diameter):
    recipe, size, _ = fitted(RECIPE, SIZE, diameter=diameter)
    assert recipe == RECIPE
    assert size.asked


def test_what_the_card_does_not_say_cannot_be_asked_for():
    with pytest.raises(RecipeError, match="names no diameter"):
        fitted(RECIPE, trained_size({}), diameter=30)
    recipe, size, said = fitted(RECIPE, trained_size({}), spacing="1 um")
    assert (recipe, size.asked) == (RECIPE, False)
    assert "counts for measurements only" in said[0]
    with pytest.raises(RecipeError, match="must be above zero"):
        fitted(RECIPE, SIZE, diameter=0)


@pytest.mark.parametrize(("spacing", "told"), [(0.5, False), (0.6, False), (0.64, True), (0.41, False), (0.39, True)])
def test_a_spacing_off_by_more_than_a_quarter_is_told(spacing, told):
    result = Result("a.tif", image=Image(np.zeros((4, 4)), spacing=(spacing, spacing), unit="um"))
    said = remarks(SIZE, result)
    assert bool(said) == told
    if told:
        assert f"--spacing '{spacing} um' brings it to the trained size" in said[0]
    assert not remarks(fitted(RECIPE, SIZE, spacing="0.5 um")[1], result)


@pytest.mark.parametrize("image", [Image(np.zeros((4, 4))), Image(np.zeros((2, 4, 4)), axes="zyx", spacing=(9.0, 9.0, 9.0), unit="um")])
def test_a_spacing_that_cannot_be_compared_is_not_told(image):
    assert not remarks(SIZE, Result("a", image=image))


@pytest.mark.parametrize(("diameter", "told"), [(10, True), (18, True), (22, False), (44, False), (50, True)])
def test_objects_outside_of_the_trained_sizes_are_told(diameter, told):
    said = remarks(SIZE, Result("a", masks={"mask": discs(diameter)}))
    assert bool(said) == told
    assert not said or "--diameter" in said[0]


def test_the_objects_are_compared_at_the_size_the_network_saw():
    _, size, _ = fitted(RECIPE, SIZE, diameter=60)
    assert not remarks(size, Result("a", masks={"mask": discs(60)}))
    assert "for 40 to 90 px" in remarks(size, Result("a", masks={"mask": discs(30)}))[0]


def test_nothing_found_has_no_size():
    empty = InstanceMap(np.zeros((5, 5), np.int32))
    assert np.isnan(median_diameter(empty))
    assert not remarks(SIZE, Result("a", masks={"mask": empty}))


def test_the_median_diameter_is_that_of_discs_and_balls():
    assert median_diameter(discs(40)) == pytest.approx(40, rel=0.02)
    z, y, x = np.ogrid[-15:16, -15:16, -15:16]
    ball = InstanceMap((z**2 + y**2 + x**2 <= 144).astype(np.int32) * (1 << 30), axes="zyx")
    assert median_diameter(ball) == pytest.approx(24, rel=0.03)


def test_a_card_that_says_nonsense_is_named():
    for facts in (
        {"spacing": "wide"},
        {"spacing": [0, 1]},
        {"diameter": -3},
        {"diameter_range": 4},
        {"diameter_range": {5: 10, 95: 40}},
        {"diameter": [1]},
    ):
        with pytest.raises((InputError, RecipeError)):
            trained_size(facts, "b.zip: card.md")


@pytest.mark.parametrize("said", [{"spacing": "0.5 mm"}, {"diameter": 0.001}, {"diameter": 5000}])
def test_a_wrong_unit_is_told_instead_of_an_image_a_thousand_times_as_large(said):
    with pytest.raises(RecipeError, match=r"trained at a diameter of 30 px and a spacing of 0\.5 um: is the unit right"):
        fitted(RECIPE, SIZE, **said)
