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


def linear_network(channels=1, **outputs):
    """Named outputs, each channel `weight` times the mean of the image's channels plus `bias`: ``linear_network(a=[(1, 0)])``."""
    nodes, values, given = [], [], []
    for name, layers in outputs.items():
        weights = np.array([weight for weight, _ in layers], np.float32)[:, None, None, None]
        weights = weights * np.ones((len(layers), channels, 1, 1), np.float32) / channels
        given += [numpy_helper.from_array(weights, f"{name}_weights")]
        given += [numpy_helper.from_array(np.array([bias for _, bias in layers], np.float32), f"{name}_bias")]
        nodes.append(helper.make_node("Conv", ["image", f"{name}_weights", f"{name}_bias"], [name]))
        values.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", len(layers), "y", "x"]))
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", channels, "y", "x"])
    model = helper.make_model(helper.make_graph(nodes, "linear", [image], values, given), opset_imports=[helper.make_opsetid("", 18)],
                              ir_version=9)  # fmt: skip
    onnx.checker.check_model(model)
    return model.SerializeToString()
