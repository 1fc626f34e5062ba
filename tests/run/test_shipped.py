"""A shipped model is found by its name and comes with the package; what is named by the wrong option is told the right one."""

from __future__ import annotations

import json
import shutil
import sys
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from microtome.app.cli.complete import complete_model, complete_recipe
from microtome.app.cli.main import app
from microtome.core.errors import InputError, MicrotomeError, RecipeError
from microtome.core.raster import Image
from microtome.run import shipped
from microtome.run.bundle import Example, find_bundle, open_bundle, verify, write_bundle
from microtome.run.pipeline import segment
from microtome.run.shipped import find_recipe, model_names

sys.path.insert(0, str(Path(__file__).parent))
from networks import brightness_network

ROOT = Path(__file__).parents[2]
DOCUMENT = {
    "microtome": 1,
    "about": "Bright squares",
    "steps": [
        {"network": {"weights": "main", "layers": ["background", "interior", "border"], "window": 64}},
        "interior_border",
    ],
}


def square():
    pixels = np.zeros((60, 80), np.uint8)
    pixels[5:25, 5:25] = 200
    return pixels


def write_model(path):
    networks, facts = {"main": brightness_network()}, {"tolerance": 1.0, "diameter": 20}
    first = write_bundle(path, DOCUMENT, networks, card="Squares.", facts=facts)
    example = Example(Image(square()), segment(square(), open_bundle(first).recipe, engine="onnxruntime").mask)
    return write_bundle(path, DOCUMENT, networks, card="Squares.", facts=facts, example=example)


@pytest.fixture
def models(tmp_path, monkeypatch):
    """A package that ships one model, of the name that one of its recipes has."""
    (tmp_path / "shipped").mkdir()
    write_model(tmp_path / "shipped" / "nuclei.zip")
    real = shipped._folder
    monkeypatch.setattr(shipped, "_folder", lambda kind: tmp_path / "shipped" if kind == "models" else real(kind))
    return tmp_path / "shipped"


def microtome(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if isinstance(result.exception, MicrotomeError):
        return 2, result.stdout, str(result.exception)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def test_a_model_and_a_recipe_of_one_name_are_told_apart_by_the_option(models, tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), square())
    steps = {}
    for option in ("--model", "--recipe"):
        code, _, error = microtome("segment", tmp_path / "a.png", option, "nuclei", "--out", tmp_path / option)
        assert code == 0, error
        record = json.loads((tmp_path / option / "run.json").read_text())
        steps[option] = [use if isinstance(use, str) else next(iter(use)) for use in record["recipe"]["steps"]]
    assert steps["--model"] == ["network", "interior_border"]
    assert "network" not in steps["--recipe"]


def test_it_is_listed_shown_verified_and_completed(models):
    assert model_names() == ("nuclei",)
    assert (complete_model("nu"), complete_model("x")) == (["nuclei"], [])
    assert "nuclei" in complete_recipe("nu")
    assert microtome("models")[1] == "nuclei  Bright squares\n"
    assert json.loads(microtome("models", "--json")[1]) == {"nuclei": "Bright squares"}
    shown = microtome("models", "nuclei")[1]
    assert shown == microtome("bundle", "show", "nuclei")[1]
    assert "diameter: 20" in shown
    told = json.loads(microtome("models", "nuclei", "--json")[1])
    assert (told["facts"]["diameter"], told["card"]) == (20, "Squares.")
    assert verify("nuclei").sound
    assert microtome("bundle", "verify", "nuclei")[0] == 0


def test_an_installation_without_models_says_so(models):
    (models / "nuclei.zip").unlink()
    assert "no models are shipped" in microtome("models")[1]
    with pytest.raises(RecipeError, match=r"no model 'nuclei' \(there is a recipe 'nuclei': --recipe nuclei\)"):
        find_bundle("nuclei")


def test_near_names_and_what_there_is_are_told(models):
    with pytest.raises(RecipeError, match="did you mean nuclei"):
        find_bundle("nucley")
    assert "models: nuclei" in microtome("segment", "a.png", "--out", "x")[2]
    (models / "nuclei.zip").rename(models / "stars.zip")
    with pytest.raises(RecipeError, match="there is a model 'stars': --model stars"):
        find_recipe("stars")


def test_the_help_says_where_the_names_are():
    shown = " ".join(microtome("segment", "--help")[1].replace("│", " ").split())
    assert "(`microtome models`)" in shown


def test_what_is_named_by_the_wrong_option_is_told_the_right_one(models, tmp_path):
    model = models / "nuclei.zip"
    with zipfile.ZipFile(model) as archive:
        archive.extractall(tmp_path / "folder")
    for path in (model, tmp_path / "folder"):
        with pytest.raises(RecipeError, match="is a model, which brings its recipe along; name it with --model"):
            find_recipe(str(path))
    shutil.copy(tmp_path / "folder" / "recipe.yaml", tmp_path / "mine.yaml")
    with pytest.raises(RecipeError, match="is a recipe, not a model; name it with --recipe"):
        find_bundle(tmp_path / "mine.yaml")
    with pytest.raises(RecipeError, match="is a network without a recipe"):
        find_bundle(tmp_path / "folder" / "networks" / "main.onnx")
    (tmp_path / "run").mkdir()
    shutil.copy(model, tmp_path / "run" / "model.zip")
    with pytest.raises(RecipeError, match="is the folder of a training; its model is"):
        find_bundle(tmp_path / "run")
    with zipfile.ZipFile(tmp_path / "again.zip", "w") as archive:
        for file in (tmp_path / "folder").rglob("*.*"):
            archive.write(file, f"nuclei/{file.relative_to(tmp_path / 'folder').as_posix()}")
    with pytest.raises(RecipeError, match="holds a bundle one folder down"):
        find_bundle(tmp_path / "again.zip")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"has no recipe\.yaml"):
        find_bundle(tmp_path / "empty")


def test_the_wheel_takes_models_along(tmp_path):
    """Nothing in pyproject.toml or .gitignore leaves a zip out."""
    wheel = pytest.importorskip("hatchling.builders.wheel")
    for name in ("pyproject.toml", ".gitignore", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path / name)
    folder = tmp_path / "src" / "microtome" / "shipped"
    (folder / "models").mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("")
    (folder / "models" / "nuclei.zip").write_bytes(b"PK")
    packed = [file.distribution_path for file in wheel.WheelBuilder(str(tmp_path)).recurse_included_files()]
    assert "microtome/shipped/models/nuclei.zip" in packed
