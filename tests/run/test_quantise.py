"""A bundle in 8 bits: it agrees as its card says, proves itself, and is smaller; what it cannot be made of is named."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from microtome.app.cli.main import app
from microtome.core.errors import InputError, MicrotomeError, RecipeError
from microtome.core.raster import Image, InstanceMap, SemanticMap
from microtome.run.bundle import Example, agreement, open_bundle, segmented_example, verify, write_bundle
from microtome.run.engines.choose import settle
from microtome.run.pipeline import segment
from microtome.run.quantise import quantise

sys.path.insert(0, str(Path(__file__).parent))
from networks import brightness_network

pytest.importorskip("onnx", reason="the quantiser is written with it")

STEPS = [
    "gaussian",
    {"network": {"weights": "main", "layers": ["background", "interior", "border"], "window": 64, "scale": 0.5}},
    "classes",
]


def squares(seed):
    pixels = np.zeros((120, 140), np.uint8)
    y, x = np.random.default_rng(seed).integers(0, 60, 2)
    pixels[y : y + 40, x : x + 50] = 200
    return pixels


@pytest.fixture
def model(tmp_path):
    document, networks = {"microtome": 1, "steps": STEPS}, {"main": brightness_network()}
    facts = {"tolerance": 0.99, "diameter": 40}
    first = open_bundle(write_bundle(tmp_path / "first.zip", document, networks, card="Squares.", facts=facts))
    example = Example(Image(squares(9)), segment(squares(9), first.recipe, engine="onnxruntime").mask)
    return write_bundle(tmp_path / "m.zip", document, networks, card="Squares.", facts=facts, example=example, weights=b"float")


@pytest.fixture
def images(tmp_path):
    (tmp_path / "images").mkdir()
    for seed in range(4):
        np.save(tmp_path / "images" / f"{seed}.npy", squares(seed))
    return sorted((tmp_path / "images").iterdir())


def test_it_agrees_as_its_card_says(model, images, tmp_path):
    found = quantise(open_bundle(model), images, tmp_path / "small.zip")
    assert found.least > 0.97
    assert (found.images, found.apart) == (2, True)
    small = open_bundle(found.path)
    shares = [
        agreement(
            segment(path, small.recipe, engine="onnxruntime").mask,
            segment(path, open_bundle(model).recipe, engine="onnxruntime").mask.pixels,
        )
        for path in images[1::2]
    ]
    assert small.facts["int8_agreement"] == pytest.approx(np.mean(shares), abs=1e-6)
    assert f"{min(shares):.3%} at least" in small.card
    assert (small.facts["diameter"], "Squares." in small.card) == (40, True)
    assert verify(found.path).sound
    with zipfile.ZipFile(found.path) as archive:
        assert b"QuantizeLinear" in archive.read("networks/main.onnx")
        assert "weights.safetensors" not in archive.namelist()


def test_a_run_computes_it_in_8_bits_whatever_the_processor(model, images, tmp_path):
    small = open_bundle(quantise(open_bundle(model), images, tmp_path / "small.zip").path)
    recipe, choice = settle(small.recipe)
    assert choice.precision == recipe.steps[1].settings["precision"] == "int8"
    found, expected = segment(squares(3), small.recipe), segment(squares(3), small.recipe, engine="onnxruntime")
    assert agreement(found.mask, expected.mask.pixels) > 0.97
    with pytest.raises(MicrotomeError):
        segment(squares(3), small.recipe, engine="torch")


def test_one_image_serves_for_both_and_it_is_told(model, images, tmp_path):
    found = quantise(open_bundle(model), images[:1], tmp_path / "small.zip")
    assert not found.apart
    assert "the image that it was calibrated on" in open_bundle(found.path).card


def test_the_command_writes_a_bundle_and_asks_for_what_it_needs(model, images, tmp_path):
    def microtome(*arguments):
        return CliRunner().invoke(app, ["bundle", *map(str, arguments)])

    out = tmp_path / "small.zip"
    result = microtome("export", model, "--int8", "--data", images[0].parent, "--out", out)
    assert result.exit_code == 0, result.exception
    assert "agrees with float32 in" in result.stdout
    for arguments, message in [
        (("export", model), "say into what"),
        (("export", model, "--int8", "--out", tmp_path / "b.zip"), "needs --data IMAGES"),
        (("export", model, "--int8", "--data", images[0], "--out", out), "exists already"),
        (("show", model, "--int8"), "belong to export"),
    ]:
        assert message in str(microtome(*arguments).exception)


def test_what_cannot_be_quantised_is_named(model, tmp_path):
    with pytest.raises(InputError, match="needs images to calibrate on"):
        quantise(open_bundle(model), [], tmp_path / "small.zip")
    plain = write_bundle(tmp_path / "plain.zip", {"microtome": 1, "steps": ["otsu"]}, {}, card="", facts={})
    with pytest.raises(RecipeError, match="has no network"):
        quantise(open_bundle(plain), [Path("a.npy")], tmp_path / "small.zip")


def test_agreement_of_classes_and_of_objects():
    truth = np.array([[0, 1, 1, 2]], np.int32)
    assert agreement(SemanticMap(np.array([[0, 1, 2, 2]], np.uint8)), truth) == 0.75
    assert agreement(InstanceMap(np.array([[0, 5, 5, 7]])), truth) == 1
    assert agreement(InstanceMap(np.array([[0, 5, 7, 7]])), truth) == 0.75


def test_the_example_is_segmented_anew(model):
    bundle = open_bundle(model)
    assert isinstance(segmented_example(bundle, bundle.recipe), SemanticMap)


def test_what_is_in_8_bits_already_is_not_quantised_again(model, images, tmp_path):
    small = quantise(open_bundle(model), images, tmp_path / "small.zip").path
    with pytest.raises(RecipeError, match="in 8 bits already"):
        quantise(open_bundle(small), images, tmp_path / "smaller.zip")


def test_images_that_the_network_does_not_take_are_named(model, tmp_path):
    from microtome.io import write

    write(Image(np.zeros((20, 20, 3), np.uint8), axes="yxc"), tmp_path / "colours.png")
    with pytest.raises(InputError, match="takes images of 1 channel, this one has 3"):
        quantise(open_bundle(model), [tmp_path / "colours.png"], tmp_path / "small.zip")


def test_a_network_from_elsewhere_may_name_its_input_as_it_likes(images, tmp_path):
    import onnx

    other = onnx.load_from_string(brightness_network())
    other.graph.input[0].name = other.graph.node[0].input[0] = "pixels"
    model = write_bundle(tmp_path / "other.zip", {"microtome": 1, "steps": STEPS}, {"main": other.SerializeToString()}, card="", facts={})
    assert quantise(open_bundle(model), images, tmp_path / "small.zip").least > 0.97
