"""The recipe: three forms that say the same, and mistakes that name their place."""

import pytest

from microtome.core.errors import RecipeError
from microtome.run.graph import plan
from microtome.run.recipe import Recipe
from microtome.run.shipped import find_recipe, recipe_names

LINEAR = """\
microtome: 1
about: Fluorescent nuclei, touching ones split
input: {channel: 0, spacing: 0.65 um}
steps:
  - gaussian: {sigma: 1.0}
  - otsu
  - split_touching: {min_distance: 7}
  - drop_small: {min_area: 30}
measure: [area, mean_intensity]
"""

GRAPH = """\
microtome: 1
steps:
  - otsu: {}
    from: {image: image.dapi}
    as: bright
  - connected_components: {}
    as: seeds
  - watershed: {on: image}
    from: {image: image.membrane, markers: seeds}
    as: cells
outputs: {nuclei: seeds, cells: cells}
"""


def test_a_recipe_prints_as_it_was_written():
    assert Recipe.from_yaml(LINEAR).to_yaml() == LINEAR


@pytest.mark.parametrize("text", [LINEAR, GRAPH])
def test_every_form_says_the_same(text):
    recipe = Recipe.from_yaml(text)
    assert Recipe.from_yaml(recipe.to_yaml()) == recipe
    assert eval(recipe.to_python(), {"Recipe": Recipe}) == recipe


def test_the_shell_form_says_the_same_where_it_can():
    recipe = Recipe.of(("gaussian", {"sigma": [1, 2]}), ("otsu", {"foreground": "dark"}))
    assert recipe.to_shell() == "--step 'gaussian:sigma=[1, 2]' --step otsu:foreground=dark"
    assert Recipe.from_shell(["gaussian:sigma=[1, 2]", "otsu:foreground=dark"]) == recipe
    with pytest.raises(RecipeError, match="no shell form"):
        Recipe.from_yaml(GRAPH).to_shell()


@pytest.mark.parametrize("name", recipe_names())
def test_every_shipped_recipe_is_sound_and_says_when_to_use_it(name):
    recipe = find_recipe(name)
    assert len(recipe.about) > 30
    assert Recipe.from_yaml(recipe.to_yaml()) == recipe


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "begins with 'microtome: 1'"),
        ("[]", "begins with 'microtome: 1'"),
        ("steps: [otsu]", "begins with 'microtome: 1', which is missing"),
        ("microtome: 2\nsteps: [otsu]", "written in format 2, newer than this Microtome reads"),
        ("microtome: one\nsteps: [otsu]", "'one' is not a format number"),
        ("microtome: 1", "steps: needs a list"),
        ("microtome: 1\nsteps: []", "steps: needs a list"),
        ("microtome: 1\nsteps: [otsu]\noutpts: {}", "unknown key 'outpts'; did you mean outputs"),
        ("microtome: 1\ninput: {chanel: 0}\nsteps: [otsu]", "input.chanel: unknown key; did you mean channel"),
        ("microtome: 1\ninput: {spacing: 0.65}\nsteps: [otsu]", "input.spacing"),
        ("microtome: 1\ninput: {spacing: 3}\nsteps: [otsu]", "input.spacing"),
        ("microtome: 1\ninput: {axes: yxx}\nsteps: [otsu]", "axes 'yxx': write y and then x, and z, c, t"),
        ("microtome: 1\ninput: {axes: xyc}\nsteps: [otsu]", "axes 'xyc': write y and then x"),
        ("microtome: 1\ninput: {axes: zc}\nsteps: [otsu]", "axes 'zc': write y and then x"),
        ("microtome: 1\nsteps: [ostu]", r"steps\[0\]: unknown step 'ostu'; did you mean otsu"),
        ("microtome: 1\nsteps: [{otsu: {}, gaussian: {}}]", r"steps\[0\]: one step an entry"),
        (
            "microtome: 1\nsteps: [otsu, {drop_small: {min_aera: 3}}]",
            r"steps\[1\]\.min_aera: drop_small has no such setting; did you mean min_area",
        ),
        ("microtome: 1\nsteps: [{otsu: {classes: 9}}]", r"steps\[0\]\.classes: found 9, expected a whole number \(from 2 to 5\)"),
        ("microtome: 1\nsteps: [{otsu: {classes: two}}]", r"steps\[0\]\.classes: found 'two'"),
        ("microtome: 1\nsteps: [{otsu: [2]}]", r"steps\[0\]\.otsu: settings are written"),
        ("microtome: 1\nsteps: [{otsu: {classes: {a: 1}}}]", r"steps\[0\]\.classes: a setting is"),
        ("microtome: 1\nsteps: [otsu]\nmeasure: [aera]", r"measure\[0\]: unknown measurement 'aera'; did you mean area"),
        ("microtome: 1\nsteps: [gaussian]", "none of them makes a mask"),
        (
            "microtome: 1\nsteps: [drop_small]",
            r"steps\[0\]: drop_small needs SemanticMap or InstanceMap as its mask, and no step before it makes one",
        ),
        ("microtome: 1\nsteps: [otsu, {drop_small: {}, from: {mask: seeds}}]", r"steps\[1\]\.from\.mask: 'seeds' does not exist yet"),
        ("microtome: 1\nsteps: [{otsu: {}, from: {picture: image}}]", r"steps\[0\]\.from\.picture: otsu has no such input; known: image"),
        ("microtome: 1\nsteps: [otsu, {drop_small: {}, from: {mask: image}}]", r"'image' is Image, drop_small needs"),
        ("microtome: 1\nsteps: [{otsu: {}, as: image}]", r"steps\[0\]\.as: 'image' is taken"),
        ("microtome: 1\nsteps: [{otsu: {}, as: a}, {otsu: {}, as: a}]", r"steps\[1\]\.as: 'a' is taken"),
        ("microtome: 1\nsteps: [{otsu: {}, as: a b}]", r"'a b' is not a name"),
        ("microtome: 1\nsteps: [{otsu: {}, as: cells}]\noutputs: {x: cels}", "outputs.x: no mask is called 'cels'; did you mean cells"),
        ("microtome: 1\nsteps: [{gaussian: {}, over: set}, otsu]", r"steps\[0\]\.over: gaussian decides nothing"),
        ("microtome: 1\nsteps: [{otsu: {}, over: sets}]", "over"),
    ],
)
def test_a_mistake_names_its_place_and_the_way_out(text, message):
    with pytest.raises(RecipeError, match=message):
        Recipe.from_yaml(text)


def test_inputs_take_the_last_value_of_their_type():
    nodes = plan(Recipe.of("gaussian", "otsu", "drop_small", "split_touching")).nodes
    assert [node.inputs for node in nodes] == [{"image": "image"}, {"image": "#0"}, {"mask": "#1"}, {"mask": "#2"}]


def test_named_inputs_are_taken_where_they_are_named():
    settled = plan(Recipe.from_yaml(GRAPH))
    assert settled.nodes[0].inputs == {"image": "image.dapi"}
    assert settled.nodes[2].inputs == {"image": "image.membrane", "markers": "seeds"}
    assert settled.outputs == {"nuclei": "seeds", "cells": "cells"}


def test_the_fingerprint_follows_what_a_recipe_does_not_what_it_says_of_itself():
    recipe = Recipe.of("otsu")
    assert recipe.fingerprint() == Recipe.of("otsu", about="words").fingerprint()
    assert recipe.fingerprint() != Recipe.of(("otsu", {"classes": 3})).fingerprint()


def test_a_missing_recipe_offers_near_names(tmp_path):
    with pytest.raises(RecipeError, match="did you mean coins"):
        find_recipe("coin")
    with pytest.raises(RecipeError, match="cannot be read"):
        find_recipe(str(tmp_path / "none.yaml"))


def test_a_picture_is_not_a_recipe(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe")
    with pytest.raises(RecipeError, match="not a text file"):
        Recipe.read(path)
