"""A tiny network as a file, made without torch: three scores a pixel, from the pixels around it."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

__all__ = ["local_network"]


@cache
def local_network(ndim: int) -> str:
    """The path of a network for images of `ndim` axes and any number of channels: their mean, filtered 3 pixels wide, zeros around."""
    weights = np.random.default_rng(5).normal(0, 0.004, (3, 1, *(3,) * ndim)).astype(np.float32)
    sides = ["z", "y", "x"][-ndim:]
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["image", "channel_axis"], ["grey"], keepdims=1),
            helper.make_node("Conv", ["grey", "weights"], ["scores"], pads=[1] * 2 * ndim),
        ],
        "local",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", "channels", *sides])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 3, *sides])],
        [numpy_helper.from_array(weights, "weights"), numpy_helper.from_array(np.array([1]), "channel_axis")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    file = _folder() / f"local_{ndim}.onnx"
    file.write_bytes(model.SerializeToString())
    return str(file)


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    return folder
