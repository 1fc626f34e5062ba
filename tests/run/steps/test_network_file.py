"""The file of a network: written anew it is read anew; what it declares it takes is asked of the image and the windows."""

from importlib.util import find_spec

import numpy as np
import pytest
from onnx import parser

from microtome.core.errors import InputError
from microtome.core.raster import Image
from microtome.run.steps.network import network


def times(file, factor, shape="n, 1, y, x"):
    """A network that adds an image to itself so many times."""
    lines = " ".join(f"sum{k} = Add({f'sum{k - 1}' if k > 2 else 'image'}, image)" for k in range(2, factor + 1))
    text = f"times (float[{shape}] image) => (float[{shape}] sum{factor}) {{{lines}}}"
    file.write_bytes(parser.parse_model('<ir_version: 9, opset_import: ["" : 18]> ' + text).SerializeToString())
    return str(file)


def test_a_file_written_anew_is_another_network(tmp_path):
    image = Image(np.ones((9, 9), np.float32))
    for factor in (2, 3, 2):
        found = network(image, weights=times(tmp_path / "main.onnx", factor), activation="none")
        np.testing.assert_allclose(found.pixels, factor, rtol=1e-6)


def test_an_image_of_other_axes_is_refused(tmp_path):
    weights = times(tmp_path / "main.onnx", 2)
    with pytest.raises(InputError, match="takes images of 2 axes, this one has 3"):
        network(Image(np.zeros((4, 9, 9)), axes="zyx"), weights=weights)


def test_a_network_for_windows_of_one_size_asks_for_them(tmp_path):
    weights = times(tmp_path / "main.onnx", 2, "n, 1, 32, 32")
    image = Image(np.ones((40, 50), np.float32))
    with pytest.raises(InputError, match="takes windows of 32 x 32 only, got 64 x 64: set window"):
        network(image, weights=weights, window=64)
    found = network(image, weights=weights, window=32, overlap=8, activation="none")
    np.testing.assert_allclose(found.pixels, 2, rtol=1e-6)


def written(file, text):
    file.write_bytes(parser.parse_model('<ir_version: 9, opset_import: ["" : 18]> ' + text).SerializeToString())
    return str(file)


ENGINES = ["onnxruntime", pytest.param("openvino", marks=pytest.mark.skipif(find_spec("openvino") is None, reason="not installed"))]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("computes", "message"),
    [
        ("said = ReduceMean<keepdims = 0>(image)", r"output said has shape \(\) for"),
        ("axes = Constant<value_ints = [2, 3]>() said = ReduceMean<keepdims = 0>(image, axes)", r"has shape \(\d, 1\) for"),
        ("said = ArgMax<axis = 1, keepdims = 0>(image)", r"has shape \(\d, 32, 32\) for"),
    ],
)
def test_answers_that_are_no_maps_are_named(tmp_path, engine, computes, message):
    """What a file declares of its outputs, or does not, is not asked: what it answers is."""
    kind = "int64" if "ArgMax" in computes else "float"
    weights = written(tmp_path / "main.onnx", f"odd (float[n, 1, y, x] image) => ({kind} said) {{{computes}}}")
    with pytest.raises(InputError, match=message):
        network(Image(np.ones((40, 40), np.float32)), weights=weights, window=32, activation="none", engine=engine)


def test_a_network_that_does_not_say_what_it_takes_is_tried(tmp_path):
    weights = written(tmp_path / "main.onnx", "open (float image) => (float twice) {twice = Add(image, image)}")
    found = network(Image(np.ones((9, 9), np.float32)), weights=weights, activation="none")
    np.testing.assert_array_equal(found.pixels, 2)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_network_for_one_window_at_a_time_gets_one_at_a_time(tmp_path, engine):
    weights = times(tmp_path / "main.onnx", 2, "1, 1, y, x")
    found = network(Image(np.ones((90, 90), np.float32)), weights=weights, window=32, overlap=8, batch=4, activation="none", engine=engine)
    np.testing.assert_allclose(found.pixels, 2, rtol=1e-6)
    with pytest.raises(InputError, match="takes 3 windows at once"):
        network(Image(np.ones((90, 90), np.float32)), weights=times(tmp_path / "main.onnx", 2, "3, 1, y, x"), engine=engine)


def test_windows_of_a_volume_overlap_along_z_as_they_do_in_the_plane(tmp_path):
    """Each window less its own mean: with no overlap, every slab by itself."""
    mean = "axes = Constant<value_ints = [2, 3, 4]>() mean = ReduceMean(image, axes) left = Sub(image, mean)"
    weights = written(tmp_path / "main.onnx", f"less (float[n, 1, z, y, x] image) => (float[n, 1, z, y, x] left) {{{mean}}}")
    volume = np.random.default_rng(0).random((16, 12, 12)).astype(np.float32)
    found = network(Image(volume, axes="zyx"), weights=weights, window=12, depth=8, overlap=0, activation="none")
    slabs = volume.reshape(2, 8, 12, 12)
    np.testing.assert_allclose(found.pixels[..., 0].reshape(slabs.shape), slabs - slabs.mean((1, 2, 3), keepdims=True), atol=1e-6)
