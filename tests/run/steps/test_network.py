"""A network as a step: scores over the whole image, whatever the windows; and a file that is not the network is refused."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from microtome.core.errors import InputError, RecipeError
from microtome.core.raster import Image
from microtome.run.steps.network import network

sys.path.insert(0, str(Path(__file__).parents[1]))
from networks import brightness_network, linear_network

LAYERS = ("background", "interior", "border")


@pytest.fixture
def weights(tmp_path):
    (tmp_path / "main.onnx").write_bytes(brightness_network())
    return str(tmp_path / "main.onnx")


@pytest.mark.parametrize("window", [32, 64, 512])
def test_scores_are_those_of_every_pixel_alone(weights, window):
    pixels = np.random.default_rng(0).integers(0, 200, (75, 101)).astype(np.uint8)
    found = network(Image(pixels), weights=weights, layers=LAYERS, window=window, overlap=8, activation="softmax")
    value = pixels.astype(np.float64)
    logits = np.stack([80 - value, value - 120, 0 * value], axis=-1)
    expected = np.exp(logits - logits.max(-1, keepdims=True))
    np.testing.assert_allclose(found.pixels, expected / expected.sum(-1, keepdims=True), atol=1e-5)
    assert (found.axes, found.layers) == ("yxc", LAYERS)


def test_mirrored_views_agree_for_a_network_that_looks_at_one_pixel(weights):
    image = Image(np.random.default_rng(0).integers(0, 200, (40, 40)).astype(np.uint8))
    plain, turned = (network(image, weights=weights, window=32, flips=flips) for flips in (False, True))
    np.testing.assert_allclose(plain.pixels, turned.pixels, atol=1e-6)


def test_the_image_keeps_its_place(weights):
    image = Image(np.zeros((9, 9), np.uint8), spacing=(0.5, 0.5), unit="um", source="a.tif")
    found = network(image, weights=weights)
    assert (found.spacing, found.unit, found.source) == ((0.5, 0.5), "um", "a.tif")


def test_what_is_wrong_is_named(weights, tmp_path):
    image = Image(np.zeros((9, 9), np.uint8))
    with pytest.raises(InputError, match="its sha256 differs"):
        network(image, weights=weights, sha256="0" * 64)
    with pytest.raises(InputError, match=r"has no none\.onnx"):
        network(image, weights=str(tmp_path / "none.onnx"))
    (tmp_path / "text.onnx").write_text("no network")
    with pytest.raises(InputError, match="not a network that ONNX Runtime can load"):
        network(image, weights=str(tmp_path / "text.onnx"))
    with pytest.raises(InputError, match="gives 3 layers, the recipe names 2"):
        network(image, weights=weights, layers=("a", "b"))
    with pytest.raises(InputError, match="takes images of 1 channel, this one has 3"):
        network(Image(np.zeros((9, 9, 3), np.uint8), axes="yxc"), weights=weights)
    with pytest.raises(InputError, match="has no output 'masks'; it has classes"):
        network(image, weights=weights, output="masks")


@pytest.fixture
def heads(tmp_path):
    """A network of two outputs: a plain copy of the image, and a vector of 6 down and 4 to the right everywhere."""
    (tmp_path / "heads.onnx").write_bytes(linear_network(copy=[(1, 0)], offset=[(0, 6), (0, 4)]))
    return {
        "weights": str(tmp_path / "heads.onnx"),
        "output": ("copy", "offset"),
        "layers": ("copy", "dy", "dx"),
        "window": 32,
        "overlap": 8,
    }


def picture(*shape):
    return np.random.default_rng(0).random(shape, np.float32)


@pytest.mark.parametrize("scale", [0.5, 0.37, (0.5, 0.25)])
def test_an_image_is_brought_to_scale_and_the_scores_back(heads, scale):
    image = Image(picture(40, 60))
    found = network(image, **heads, activation="none", scale=scale)
    small = [round(n * s) for n, s in zip((40, 60), scale if isinstance(scale, tuple) else (scale, scale), strict=True)]
    expected = cv2.resize(cv2.resize(image.pixels, small[::-1], interpolation=cv2.INTER_AREA), (60, 40), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(found.pixels[..., 0], expected, atol=1e-5)
    np.testing.assert_allclose(found.pixels[0, 0, 1:], [6 * 40 / small[0], 4 * 60 / small[1]], rtol=1e-5)


def test_a_larger_scale_comes_back_without_aliasing(heads):
    image = Image(np.kron(picture(5, 6), np.ones((8, 8), np.float32)))
    found = network(image, **heads, activation="none", scale=4)
    inner = found.pixels[3::8, 3::8, 0]
    np.testing.assert_allclose(inner, image.pixels[3::8, 3::8], atol=1e-5)
    np.testing.assert_allclose(found.pixels[..., 1:].mean((0, 1)), [1.5, 1.0], rtol=1e-5)


def test_scale_one_is_no_scale_and_a_wrong_count_is_named(heads):
    image = Image(picture(33, 47))
    plain, one, both = (network(image, **heads, activation="none", **more) for more in ({}, {"scale": 1}, {"scale": (1.0, 1.0)}))
    assert plain.pixels.tobytes() == one.pixels.tobytes() == both.pixels.tobytes()
    with pytest.raises(RecipeError, match="3 numbers, the image has 2 axes"):
        network(image, **heads, scale=(1.0, 1.0, 2.0))


def test_several_outputs_each_with_its_activation(heads):
    image = Image(picture(20, 20))
    found = network(image, **heads, activation=("sigmoid", "none"))
    np.testing.assert_allclose(found.pixels[..., 0], 1 / (1 + np.exp(-image.pixels)), atol=1e-6)
    np.testing.assert_allclose(found.pixels[..., 1:], np.broadcast_to([6, 4], (20, 20, 2)))
    with pytest.raises(RecipeError, match="2 outputs with 3 activations"):
        network(image, **heads, activation=("none", "none", "none"))


def test_views_of_a_vector_that_points_one_way_cancel(heads):
    found = network(Image(picture(32, 32)), **heads, activation="none", flips=True, turns=True)
    np.testing.assert_allclose(found.pixels[..., 1:], 0, atol=1e-6)
    np.testing.assert_allclose(found.pixels[..., 0], picture(32, 32), atol=1e-6)


def test_an_ensemble_is_the_mean_of_its_scores(tmp_path):
    files = []
    for level in (60, 100, 140):
        files.append(tmp_path / f"{level}.onnx")
        files[-1].write_bytes(brightness_network(low=level - 20, high=level + 20))
    image = Image(np.random.default_rng(0).integers(0, 200, (40, 40)).astype(np.uint8))
    alone = [network(image, weights=str(file), window=32).pixels for file in files]
    together = network(image, weights=tuple(map(str, files)), window=32)
    np.testing.assert_allclose(together.pixels, np.mean(alone, axis=0), atol=1e-6)
    with pytest.raises(RecipeError, match="3 networks with 2 hashes"):
        network(image, weights=tuple(map(str, files)), sha256=("a", "b"))


@pytest.mark.parametrize("value", [-1000.0, 0.0, 1000.0])
def test_a_constant_image_and_extreme_logits_give_finite_scores(heads, value):
    found = network(Image(np.full((9, 11), value, np.float32)), **heads, activation="sigmoid", scale=0.5)
    assert np.isfinite(found.pixels).all()
