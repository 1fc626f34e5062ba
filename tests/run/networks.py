"""A tiny network as ONNX, made without torch: a pixel's brightness against two levels."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def brightness_network(channels=1, *, low=80.0, high=120.0, output="classes"):
    """Three logits a pixel: background below `low`, interior above `high`, border between, for the mean of the channels."""
    weights = np.array([-1.0, 1.0, 0.0], np.float32)[:, None, None, None] * np.ones((3, channels, 1, 1), np.float32) / channels
    bias = np.array([low, -high, 0.0], np.float32)
    node = helper.make_node("Conv", ["image", "weights", "bias"], [output])
    graph = helper.make_graph(
        [node],
        "brightness",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", channels, "y", "x"])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["n", 3, "y", "x"])],
        [numpy_helper.from_array(weights, "weights"), numpy_helper.from_array(bias, "bias")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString()
