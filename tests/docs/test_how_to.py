"""What the how-to pages show is true: their Python runs, their recipes are sound."""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import microtome
from microtome.run.bundle import Example, open_bundle, verify, write_bundle
from microtome.run.bundle_file import member_names

sys.path.insert(0, str(Path(__file__).parents[1] / "run"))
from networks import brightness_network

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


def test_a_bundle_runs_as_shown_and_holds_what_is_listed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    steps = [{"network": {"weights": "main", "layers": ["background", "interior", "border"]}}, "interior_border"]
    picture = np.zeros((30, 40), np.uint8)
    picture[8:20, 9:25] = 200
    network = brightness_network()
    first = write_bundle(tmp_path / "first.zip", {"microtome": 1, "steps": steps}, {"main": network}, card="x", facts={})
    example = Example(microtome.Image(picture), microtome.segment(picture, open_bundle(first).recipe).mask)
    write_bundle(tmp_path / "model.zip", {"microtome": 1, "steps": steps}, {"main": network}, card="x", facts={}, example=example)
    names: dict[str, object] = {"image": picture}
    exec(blocks("networks.md", "python")[0], names)
    assert len(names["result"].mask) == 1
    listed = re.findall(r"^\| `([^`]+)` \|", (HOW_TO / "networks.md").read_text(encoding="utf-8"), re.MULTILINE)
    said = {name.replace("NAME", "main") for name in listed}
    assert {name for name in member_names(tmp_path / "model.zip") if not name.startswith("example/")} <= said
    assert verify(tmp_path / "model.zip").sound


def test_a_step_of_your_own_works():
    names: dict[str, object] = {}
    source = blocks("own-steps.md", "python")[0]
    exec(source, names)
    invert = names["invert"]
    assert invert(np.zeros((2, 2))).pixels.tolist() == [[255, 255], [255, 255]]
    with pytest.raises(microtome.RecipeError, match="top"):
        invert(np.zeros((2, 2)), top=0)
