"""The step decorator: what it reads off a function, and what it checks before the function is called."""

from typing import Annotated, Literal, NamedTuple

import numpy as np
import pytest

from microtome.core.errors import InputError, RecipeError
from microtome.core.events import MicrotomeWarning, collect_warnings, warn
from microtome.core.explain import explain, listen
from microtome.core.parameters import Length, Range
from microtome.core.raster import Image, InstanceMap, SemanticMap
from microtome.core.step import step
from microtome.core.tiling import Local, Reducible


@step(tiling=Local(lambda p: int(p.radius)))
def brighter(
    image: Image, *, radius: Annotated[float, Length(min=0)] = 1.0, by: Annotated[int, Range(1, 9)] = 2, mode: Literal["a", "b"] = "a"
) -> Image:
    """Add something.

    Parameters
    ----------
    image : Image
        What is made brighter.
    radius : length
        How far
        it looks.
    """
    return image.with_pixels(image.pixels + by + radius)


class Both(NamedTuple):
    inside: SemanticMap
    objects: InstanceMap


@step(tiling=Local(0))
def both(mask: SemanticMap | InstanceMap, *, image: Image | None = None) -> Both:
    """Give two results."""
    return Both(SemanticMap(mask.pixels > 0), InstanceMap(mask.pixels))


class Total:
    def __init__(self, value):
        self.value = value

    def merge(self, other):
        return Total(self.value + other.value)


@step(tiling=Reducible(lambda image, settings, before: Total(image.pixels.sum())))
def share(image: Image, *, summary: Total) -> Image:
    """Divide by the sum of everything."""
    return image.with_pixels(image.pixels / summary.value)


def test_inputs_settings_and_results_are_read_off_the_function():
    assert list(brighter.inputs) == ["image"]
    assert list(brighter.settings) == ["radius", "by", "mode"]
    assert brighter.settings["radius"].about == "How far it looks."
    assert brighter.returns == {"brighter": (Image,)}
    assert both.inputs["image"].optional
    assert both.inputs["mask"].nouns == (SemanticMap, InstanceMap)
    assert both.returns == {"inside": (SemanticMap,), "objects": (InstanceMap,)}
    assert list(share.settings) == []


def test_it_is_called_like_the_function_with_plain_arrays_too():
    assert brighter(np.zeros((2, 2)), by=3, radius=0).pixels.tolist() == [[3, 3], [3, 3]]


def test_a_length_is_in_pixels_of_the_given_image():
    image = Image(np.zeros((2, 2)), spacing=(0.5, 0.5), unit="um")
    assert brighter(image, radius="2 um", by=1).pixels[0, 0] == 5.0


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((0, 3)), "is empty"),
        (np.array([[np.nan, np.inf, 1.0]]), r"2 of 3 values are NaN or infinite, the first at \(0, 0\)"),
        (np.array([[1j]]), "complex128"),
        (np.array([["a"]]), "real numbers"),
        (np.zeros((4, 4, 3)), r"Image\(a, axes='yxc'\)"),
        (Image(np.zeros((4, 4, 3)), axes="yxc"), "3 channels"),
    ],
)
def test_what_no_step_can_use_is_refused_with_place_and_count(array, message):
    with pytest.raises(InputError, match=message):
        brighter(array)


def test_a_wrong_noun_is_refused_by_name():
    with pytest.raises(InputError, match="image must be Image, got InstanceMap"):
        brighter(InstanceMap(np.zeros((2, 2), int)))


def test_unknown_settings_offer_near_spellings():
    with pytest.raises(RecipeError, match="did you mean radius"):
        brighter(np.zeros((2, 2)), radiu=2)


def test_a_shared_summary_makes_tiles_equal_the_whole():
    whole = Image(np.arange(12.0).reshape(3, 4))
    tiles = [Image(whole.pixels[:, :2]), Image(whole.pixels[:, 2:])]
    summary = share.summarise(tiles)
    together = np.hstack([share(tile, summary=summary).pixels for tile in tiles])
    assert np.array_equal(together, share(whole).pixels)


def test_a_step_without_a_summary_says_so():
    with pytest.raises(RecipeError, match="decides nothing over several images"):
        brighter.summarise([np.zeros((2, 2))])


def test_warnings_are_python_warnings_outside_a_run_and_gathered_inside():
    with pytest.warns(MicrotomeWarning, match="guessed"):
        warn("guessed")
    with collect_warnings() as messages:
        warn("guessed")
    assert messages == ["guessed"]


def test_explanations_reach_a_listener_only():
    explain("map", "nobody hears this")
    with listen() as heard:
        explain("map", "a distance", values=np.zeros(2))
    assert [item.about for item in heard] == ["a distance"]
