"""A network as a step: scores over the whole image, whatever the windows; and a file that is not the network is refused."""

import sys
from pathlib import Path

import numpy as np
import pytest

from microtome.core.errors import InputError
from microtome.core.raster import Image
from microtome.run.steps.network import network

sys.path.insert(0, str(Path(__file__).parents[1]))
from networks import brightness_network

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
