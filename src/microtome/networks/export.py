"""A network as ONNX, in memory, with the batch and the sides left open."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import torch
from torch import Tensor, nn

from microtome.core.errors import RunError
from microtome.networks.network import Network

__all__ = ["to_onnx"]


def to_onnx(network: Network, *, opset: int = 18) -> bytes:
    """The network in evaluation mode as an ONNX model: input ``image`` (N, C, \\*spatial), an output a name of `outputs`.

    Parameters
    ----------
    network : Network
        Not changed.
    opset : int
        ONNX's version of operators.

    Returns
    -------
    bytes
        A whole model with its weights. Batch and sides are open: it takes whatever the network takes, inner padding included.

    Raises
    ------
    RunError
        If torch gives no model.

    Notes
    -----
    The same network gives the same bytes under the same torch.
    """
    answering = _Answers(copy.deepcopy(network).cpu().float().eval())
    step = network.sizes.step
    least = network.sizes.at_least(2 * step)  # an axis of one would be taken for fixed
    image = torch.zeros(2, network.channels_in, *(least + axis * step for axis in range(network.dimensions)))
    open_axes = {0: torch.export.Dim.DYNAMIC} | {
        axis: _open_side(network, name) for axis, name in enumerate("zyx"[-network.dimensions :], 2)
    }
    with torch.no_grad(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning)  # torch's own, of its own parts
        # A skip and what comes up beside it are equally large for every legal side: the exporter may check that when it runs.
        program = torch.export.export(answering, (image,), dynamic_shapes=(open_axes,), prefer_deferred_runtime_asserts_over_guards=True)
        model = torch.onnx.export(
            program, dynamo=True, opset_version=opset, input_names=["image"], output_names=list(network.outputs), verbose=False
        )
    if model is None:
        raise RunError(f"torch did not export {type(network).__name__} to ONNX")
    data: bytes = model.model_proto.SerializeToString()
    return data


def _open_side(network: Network, name: str) -> Any:
    """A side of any length, or, where the network takes only some, of those: the exporter then sees that all halves are whole."""
    if network.pads_inside:
        return torch.export.Dim.DYNAMIC
    free = torch.export.Dim(f"{name}_steps", min=network.sizes.least // network.sizes.step)
    return network.sizes.step * free + network.sizes.least % network.sizes.step


class _Answers(nn.Module):
    """The network's outputs as a tuple, in the order of their names: what ONNX holds."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        answers = self.network(image)
        return tuple(answers[name] for name in self.network.outputs)
