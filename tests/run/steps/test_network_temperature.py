"""The temperature of the step `network`: inside the activation, one an output, and 1 is no temperature."""

from __future__ import annotations

import numpy as np
import pytest

parser = pytest.importorskip("onnx.parser")

from microtome.core.errors import RecipeError  # noqa: E402
from microtome.core.raster import Image  # noqa: E402
from microtome.run.steps.network import network  # noqa: E402

TWO = "two (float[n, 1, y, x] image) => (float[n, 1, y, x] a, float[n, 1, y, x] b) { a = Identity(image)\n b = Neg(image) }"


@pytest.fixture
def weights(tmp_path):
    (tmp_path / "two.onnx").write_bytes(parser.parse_model('<ir_version: 9, opset_import: ["" : 18]> ' + TWO).SerializeToString())
    return str(tmp_path / "two.onnx")


IMAGE = Image(np.random.default_rng(0).normal(0, 3, (20, 20)))


def scores(weights, **settings):
    return network(IMAGE, weights=weights, window=32, overlap=0, **settings).pixels


def test_the_output_is_divided_before_the_activation(weights):
    found = scores(weights, output="a", activation="sigmoid", temperature=2.5)
    np.testing.assert_allclose(found[..., 0], 1 / (1 + np.exp(-IMAGE.pixels / 2.5)), atol=1e-6)


def test_one_an_output_and_numbers_stay(weights):
    heads = {"output": ("a", "b"), "activation": ("sigmoid", "none")}
    found = scores(weights, **heads, temperature=(2.0, 5.0))
    np.testing.assert_allclose(found[..., 0], 1 / (1 + np.exp(-IMAGE.pixels / 2)), atol=1e-6)
    assert np.array_equal(found[..., 1], scores(weights, **heads)[..., 1])


def test_1_is_the_same_to_the_last_bit(weights):
    heads = {"output": ("a", "b"), "activation": "softmax"}
    assert np.array_equal(scores(weights, **heads), scores(weights, **heads, temperature=1.0))


def test_what_is_wrong_is_named(weights):
    with pytest.raises(RecipeError, match="1 outputs with 2 temperatures"):
        scores(weights, output="a", temperature=(1.0, 2.0))
    with pytest.raises(RecipeError, match="temperature"):
        scores(weights, output="a", temperature=0)
