"""What the how-to pages show is true: their Python runs, their recipes are sound."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import numpy as np
import pytest

import microtome

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"


def blocks(page: str, language: str) -> list[str]:
    text = (HOW_TO / page).read_text(encoding="utf-8")
    return [textwrap.dedent(block) for block in re.findall(rf"^ *```{language}\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)]


@pytest.mark.parametrize("text", blocks("recipes.md", "yaml"))
def test_recipes_are_sound(text):
    recipe = microtome.Recipe.from_yaml(text)
    assert recipe.steps


def test_the_three_forms_say_the_same():
    recipe = microtome.Recipe.from_yaml(blocks("recipes.md", "yaml")[-1])
    assert eval(blocks("recipes.md", "python")[0], {"microtome": microtome}) == recipe
    assert recipe.to_shell() in blocks("recipes.md", "sh")[0]


def test_a_mistake_names_its_place():
    said = next(block for block in blocks("recipes.md", "text") if "did you mean" in block)
    steps = ["gaussian", "otsu", ("split_touching", {"min_distanc": 7})]
    with pytest.raises(microtome.RecipeError) as error:
        microtome.Recipe.of(*steps)
    assert str(error.value) == said.strip().removeprefix("my.yaml: ")


def test_a_step_of_your_own_works():
    names: dict[str, object] = {}
    source = blocks("own-steps.md", "python")[0]
    exec(source, names)
    invert = names["invert"]
    assert invert(np.zeros((2, 2))).pixels.tolist() == [[255, 255], [255, 255]]
    with pytest.raises(microtome.RecipeError, match="top"):
        invert(np.zeros((2, 2)), top=0)
