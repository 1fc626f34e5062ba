"""The file of a network: written anew it is read anew; what it declares it takes is asked of the image and the windows."""

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
