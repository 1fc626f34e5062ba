"""The training recipe: what is read, what is refused and with which words."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from microtome.core.errors import RecipeError
from microtome.learn.training.recipe import TrainingRecipe, seconds_of
from microtome.run import yaml_text


def document(**train):
    return {"microtome": 1, "train": train}


def test_a_document_goes_there_and_back():
    given = document(network={"unet": {"depth": 3}}, budget={"time": "5m"}, validation={"share": 0.3}, augment=["flips", {"gamma": {}}])
    recipe = TrainingRecipe.from_document(given)
    again = TrainingRecipe.from_document(yaml_text.load(yaml_text.dump(recipe.document()), "again"))
    assert again == recipe
    assert recipe.document()["train"]["network"] == {"unet": {"depth": 3}}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "a training recipe is a mapping"),
        ({"microtome": 1, "steps": []}, "a training recipe is a mapping"),
        ({"microtome": 2, "train": {}}, "microtome: found 2, this version reads 1"),
        ({"microtome": 1, "train": {}, "abuot": "x"}, "unknown key 'abuot'; did you mean about"),
        (document(netwrok={}), r"train\.netwrok: unknown key; did you mean network"),
        (document(budget={"epoch": 1}), r"train\.budget\.epoch: unknown key; did you mean epochs"),
        (document(validation={"share": 1}), r"train\.validation\.share: .* found 1"),
        (document(batch=0), r"train\.batch: .* found 0"),
        (document(precision="float16"), r"train\.precision: .* found 'float16'"),
        (document(average=1), r"train\.average: .* found 1"),
    ],
)
def test_a_mistake_names_its_place(given, message):
    with pytest.raises(RecipeError, match=message):
        TrainingRecipe.from_document(given)


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("batch", "write PLACE=VALUE"),
        ("=3", "write PLACE=VALUE"),
        ("batch.size=3", "batch has no settings of its own"),
        ("bacth=3", r"train\.bacth: unknown key; did you mean batch"),
    ],
)
def test_an_assignment_that_is_none_is_refused(assignment, message):
    with pytest.raises(RecipeError, match=message):
        TrainingRecipe(batch=2).changed([assignment])


def test_assignments_are_yaml_and_reach_into_what_is_there():
    recipe = TrainingRecipe(network={"unet": {"depth": 3}}).changed(["network.unet.root=8", "loss=[dice]", "budget.time=1h"])
    assert recipe.network == {"unet": {"depth": 3, "root": 8}}
    assert recipe.loss == ["dice"]
    assert recipe.budget.time == "1h"


def test_a_file_that_is_missing_no_text_or_no_yaml_is_refused_with_its_name(tmp_path):
    with pytest.raises(RecipeError, match=r"none\.yaml: cannot be read"):
        TrainingRecipe.read(tmp_path / "none.yaml")
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RecipeError, match=r"a\.yaml: cannot be read as text"):
        TrainingRecipe.read(tmp_path / "a.yaml")
    (tmp_path / "b.yaml").write_text("microtome: 1\ntrain: {batch: ")
    with pytest.raises(RecipeError, match=r"b\.yaml"):
        TrainingRecipe.read(tmp_path / "b.yaml")


@pytest.mark.parametrize(
    ("text", "seconds"), [("20m", 1200), ("1h30m", 5400), ("90", 90), (90, 90), ("1.5 h", 5400), ("2min 5s", 125), ("1d", 86400)]
)
def test_times(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-5m", "0", "5 fortnights", "5m later", "nan"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(RecipeError, match=r"budget\.time: found"):
        seconds_of(text, "budget.time")
