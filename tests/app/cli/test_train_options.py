"""Options of `microtome train` reach the recipe that is written."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

pytest.importorskip("torch")

from tests.learn.training.launch import arguments, data_folder, recipe_file

from microtome.app.cli.main import app
from microtome.run import yaml_text


@pytest.mark.parametrize(("option", "expected"), [(["--oriented"], True), (["--turned"], False), ([], False)])
def test_whether_pictures_have_an_up(tmp_path, option, expected):
    data = data_folder(tmp_path / "data")
    file = recipe_file(tmp_path / "recipe.yaml", budget={"steps": 2}, validation={"every": 2, "pictures": 0})
    given = arguments(data, tmp_path / "run", "--recipe", file, "--quiet", *option)
    assert CliRunner().invoke(app, given, catch_exceptions=False).exit_code == 0
    written = yaml_text.load((tmp_path / "run" / "train.yaml").read_text(), "train.yaml")
    assert written["train"]["oriented"] is expected
    choices = json.loads((tmp_path / "run" / "choices.json").read_text())
    (reason,) = (one["reason"] for one in choices if one["place"] == "oriented")
    assert (reason == "as you said") is bool(option)
