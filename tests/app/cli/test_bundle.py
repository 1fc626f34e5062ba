"""``microtome bundle`` and ``segment --model`` as their users call them."""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from microtome.app.cli.main import app
from microtome.core.errors import MicrotomeError
from microtome.core.raster import Image
from microtome.run.bundle import Example, open_bundle, write_bundle
from microtome.run.pipeline import segment

sys.path.insert(0, str(Path(__file__).parents[2] / "run"))
from networks import brightness_network

STEPS = [{"network": {"weights": "main", "layers": ["background", "interior", "border"], "window": 64}}, "interior_border"]


def microtome(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if isinstance(result.exception, MicrotomeError):
        return 2, result.stdout, str(result.exception)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def bright_square():
    pixels = np.zeros((60, 80), np.uint8)
    pixels[5:25, 5:25] = 200
    return pixels


@pytest.fixture
def model(tmp_path):
    document, networks, facts = {"microtome": 1, "steps": STEPS}, {"main": brightness_network()}, {"tolerance": 1.0, "diameter_px": 20}
    first = write_bundle(tmp_path / "first.zip", document, networks, card="Squares.", facts=facts)
    example = Example(Image(bright_square()), segment(bright_square(), open_bundle(first).recipe).mask)
    return write_bundle(tmp_path / "squares.zip", document, networks, card="Squares.", facts=facts, example=example)


def test_a_model_segments_files(model, tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), bright_square())
    code, out, _ = microtome("segment", tmp_path / "a.png", "--model", model, "--out", tmp_path / "out", "--json")
    assert code == 0
    assert json.loads(out)["counts"] == {"a.png": 1}
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["recipe_name"] == "squares"
    assert len(record["recipe"]["steps"][0]["network"]["sha256"]) == 64


def test_it_shows_its_card_and_proves_itself(model):
    code, out, _ = microtome("bundle", "show", model)
    assert code == 0
    assert "diameter_px: 20" in out
    assert "Squares." in out
    assert "interior_border" in out
    code, out, _ = microtome("bundle", "verify", model)
    assert (code, out) == (0, "5 files are as they were; the example agrees to 100.0000 % (at least 100.00 %)\n")


def test_an_example_that_comes_out_otherwise_is_exit_1(tmp_path):
    mask = segment(bright_square(), open_bundle(write(tmp_path, None)).recipe).mask
    wrong = write(tmp_path, Example(Image(bright_square()), mask.with_pixels(np.roll(mask.pixels, 5))))
    assert microtome("bundle", "verify", wrong)[0] == 1


def write(folder, example):
    return write_bundle(
        folder / "b.zip", {"microtome": 1, "steps": STEPS}, {"main": brightness_network()}, card="x", facts={}, example=example
    )


def test_one_way_to_say_what_to_do(model, tmp_path):
    code, _, message = microtome("segment", "a.png", "--model", model, "--recipe", "coins", "--out", tmp_path / "out")
    assert (code, "--recipe and --model were given" in message) == (2, True)
    code, _, message = microtome("segment", "a.png", "--model", "nuclie", "--out", tmp_path / "out")
    assert (code, "no model 'nuclie'" in message) == (2, True)


def test_objects_are_brought_to_the_trained_size(tmp_path):
    facts = {"spacing": [0.5, 0.5], "unit": "um", "diameter": 40, "diameter_range": [30, 50]}
    model = write_bundle(tmp_path / "m.zip", {"microtome": 1, "steps": STEPS}, {"main": brightness_network()}, card="x", facts=facts)
    cv2.imwrite(str(tmp_path / "a.png"), bright_square())

    def segmented(*options):
        code, out, error = microtome(
            "segment", tmp_path / "a.png", "--model", model, "--out", tmp_path / "out", "--json", "--overwrite", *options
        )
        assert code == 0, error
        return json.loads((tmp_path / "out" / "run.json").read_text())["recipe"]["steps"][0]["network"].get("scale"), json.loads(out)[
            "warnings"
        ]

    scale, said = segmented()
    assert scale is None
    assert "median diameter of 22.6 px" in said[0]
    assert segmented("--diameter", "20") == (2.0, [])
    scale, said = segmented("--spacing", "0.25 um")
    assert scale == 0.5
    assert "for 60 to 100 px" in said[0]


def test_diameter_belongs_to_a_model(model, tmp_path):
    code, _, message = microtome("segment", "a.png", "--recipe", "coins", "--diameter", "20", "--out", tmp_path / "out")
    assert (code, "--diameter: belongs to --model" in message) == (2, True)
    code, _, message = microtome("segment", "a.png", "--model", model, "--diameter", "20", "--out", tmp_path / "out")
    assert (code, "names no diameter" in message) == (2, True)


def test_the_engine_is_chosen_once_and_told(model, tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), bright_square())
    code, _, error = microtome("segment", tmp_path / "a.png", "--model", model, "--out", tmp_path / "out", "--engine", "onnxruntime")
    assert code == 0, error
    assert json.loads((tmp_path / "out" / "run.json").read_text())["engine"]["name"] == "onnxruntime"
    code, _, message = microtome("segment", tmp_path / "a.png", "--model", model, "--out", tmp_path / "o2", "--engine", "tensorflow")
    assert (code, "engine 'tensorflow'; known:" in message) == (2, True)


def test_a_model_is_evaluated_on_a_data_set(model, tmp_path):
    from microtome.core.raster import InstanceMap
    from microtome.io.masks import write_mask

    (tmp_path / "data" / "images").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "data" / "images" / "a.png"), bright_square())
    write_mask(InstanceMap((bright_square() > 0).astype(np.int32)), tmp_path / "data" / "labels" / "a")
    code, out, error = microtome("evaluate", tmp_path / "data", "--model", model, "--json")
    assert code == 0, error
    assert json.loads(out)["ap_50"] == 1
    code, _, message = microtome("evaluate", tmp_path / "data", "--model", model, "--recipe", "coins")
    assert (code, "--recipe and --model were given" in message) == (2, True)


def test_evaluate_brings_objects_to_the_trained_size_too(tmp_path):
    from microtome.core.raster import InstanceMap
    from microtome.io.masks import write_mask

    facts = {"spacing": [0.5, 0.5], "unit": "um", "diameter": 40, "diameter_range": [30, 50]}
    model = write_bundle(tmp_path / "m.zip", {"microtome": 1, "steps": STEPS}, {"main": brightness_network()}, card="x", facts=facts)
    (tmp_path / "data" / "images").mkdir(parents=True)
    for name in "ab":
        cv2.imwrite(str(tmp_path / "data" / "images" / f"{name}.png"), bright_square())
        write_mask(InstanceMap((bright_square() > 0).astype(np.int32)), tmp_path / "data" / "labels" / name)

    def evaluated(*options):
        code, out, error = microtome("evaluate", tmp_path / "data", "--model", model, "--out", tmp_path / "out", "--json", *options)
        assert code == 0, error
        steps = json.loads((tmp_path / "out" / "segmented" / "run.json").read_text())["recipe"]["steps"]
        return steps[0]["network"].get("scale"), " ".join(json.loads(out)["notes"])

    scale, notes = evaluated()
    assert scale is None
    assert "a.png: " in notes
    assert "median diameter of 22.6 px" in notes
    assert "1 more of the images have notes" in notes
    assert "b.png: " not in notes
    scale, notes = evaluated("--diameter", "20")
    assert scale == 2.0
    assert "diameter" not in notes
    assert evaluated("--spacing", "0.25 um")[0] == 0.5
    code, _, message = microtome("evaluate", tmp_path / "data", tmp_path / "data", "--diameter", "20")
    assert (code, "--diameter: brings images to the size" in message) == (2, True)
    code, _, message = microtome("evaluate", tmp_path / "data", "--recipe", "coins", "--diameter", "20")
    assert (code, "--diameter: belongs to --model" in message) == (2, True)
