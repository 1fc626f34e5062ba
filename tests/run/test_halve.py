"""A bundle in half precision: half as large, the same masks, still to be trained further; what it cannot be made of is named."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from microtome.app.cli.main import app
from microtome.core.errors import RecipeError
from microtome.core.raster import Image
from microtome.run.bundle import Example, open_bundle, verify, write_bundle
from microtome.run.bundle_file import read_beside, read_member
from microtome.run.halve import halve
from microtome.run.pipeline import segment

sys.path.insert(0, str(Path(__file__).parent))
from networks import brightness_network, linear_network

pytest.importorskip("onnx", reason="networks are rewritten with it")
numpy_file = pytest.importorskip("safetensors.numpy", reason="weights are kept in it")

CHANNELS = 512


def picture(seed):
    return Image(np.random.default_rng(seed).integers(0, 255, (40, 50, CHANNELS), dtype=np.uint8), axes="yxc")


def bundle(folder, network, *, weights=None):
    layers = ["background", "interior", "border"]
    document = {"microtome": 1, "steps": [{"network": {"weights": "main", "layers": layers}}, "classes"]}
    path = write_bundle(folder / "first.zip", document, {"main": network}, card="x", facts={})
    example = Example(picture(1), segment(picture(1), open_bundle(path).recipe, engine="onnxruntime").mask)
    return open_bundle(
        write_bundle(folder / "model.zip", document, {"main": network}, card="x", facts={}, example=example, weights=weights)
    )


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino:float32"])
def test_masks_stay_as_they_were_and_the_network_is_half_as_large(tmp_path, engine):
    if engine != "onnxruntime":
        pytest.importorskip("openvino")
    old = bundle(tmp_path, linear_network(CHANNELS, classes=[(np.pi, -380), (-np.e, 360), (0.1, 1)]))
    new = open_bundle(halve(old, tmp_path / "half.zip"))
    before, after = (segment(picture(2), one.recipe, engine=engine).mask.pixels for one in (old, new))
    assert len(np.unique(before)) > 1
    assert (before == after).mean() > 0.99
    sizes = [len(read_member(one.path, "networks/main.onnx")) for one in (old, new)]
    assert sizes[1] < 0.6 * sizes[0]
    assert verify(new.path).sound


def test_kernels_for_training_are_rounded_to_eleven_bits_and_the_rest_is_kept(tmp_path):
    kernel = np.linspace(-3, 3, 99, dtype=np.float32).reshape(3, 33)
    given = {"a": kernel, "running_var": np.array([1e5, 0.1], np.float32), "steps": np.array([12345678], np.int64)}
    old = bundle(tmp_path, brightness_network(CHANNELS), weights=numpy_file.save(given))
    new = open_bundle(halve(old, tmp_path / "half.zip"))
    kept = numpy_file.load(read_beside(str(new.path / "networks" / "main.onnx"), ".safetensors"))
    assert kept["a"].dtype == np.float16
    np.testing.assert_allclose(kept["a"], given["a"], rtol=2**-11)
    assert kept["running_var"].tolist() == given["running_var"].tolist()
    assert kept["steps"] == given["steps"]


def test_weights_beyond_half_precision_are_refused(tmp_path):
    with pytest.raises(RecipeError, match="65504"):
        halve(bundle(tmp_path, linear_network(CHANNELS, classes=[(1e8, 0)] * 3)), tmp_path / "half.zip")
    assert not (tmp_path / "half.zip").exists()


def test_a_recipe_without_a_network_is_refused(tmp_path):
    first = write_bundle(tmp_path / "m.zip", {"microtome": 1, "steps": ["otsu"]}, {}, card="x", facts={})
    with pytest.raises(RecipeError, match="no network"):
        halve(open_bundle(first), tmp_path / "half.zip")


def test_the_command_says_what_came_of_it_and_overwrites_nothing(tmp_path):
    model = bundle(tmp_path, brightness_network(CHANNELS)).path
    asked = ["bundle", "export", str(model), "--half", "--out", str(tmp_path / "half.zip")]
    first, again = CliRunner().invoke(app, asked), CliRunner().invoke(app, asked)
    assert "agrees in 100.000%" in first.output
    sizes = [path.stat().st_size / 1e6 for path in (tmp_path / "half.zip", model)]
    assert "{:.1f} MB, before {:.1f} MB".format(*sizes) in first.output
    assert again.exit_code != 0
    assert "exists already" in str(again.exception or again.output)
