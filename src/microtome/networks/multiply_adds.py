"""How many multiply-adds a network spends on one image: its convolutions and dense layers, counted on one pass."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from microtome.networks.arithmetic import conv_multiply_adds, transposed_multiply_adds
from microtome.networks.network import Network

__all__ = ["multiply_adds"]

_PLAIN = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def multiply_adds(network: Network, size: Sequence[int]) -> int:
    """Multiply-adds of one image of this spatial size, borders included; one is two floating-point operations.

    The pass holds shapes only (torch's meta device): no arithmetic is done and no memory used for maps.

    Raises
    ------
    InputError
        If the network does not take the size.

    Examples
    --------
    >>> from microtome.networks import build
    >>> multiply_adds(build("fcn_same", channels_in=3, outputs={"classes": 3}, layers=4), (224, 224))
    5645402112
    """
    network.output_size(size)
    shapes = copy.deepcopy(network).to("meta").eval()
    total = 0

    def count(layer: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        if isinstance(layer, nn.Linear):
            total += output[0].numel() * layer.in_features
        elif isinstance(layer, _PLAIN):
            total += conv_multiply_adds(output.shape[2:], layer.in_channels, layer.out_channels, layer.kernel_size, groups=layer.groups)
        else:
            total += transposed_multiply_adds(
                inputs[0].shape[2:], layer.in_channels, layer.out_channels, layer.kernel_size, groups=layer.groups
            )

    for layer in shapes.modules():
        if isinstance(layer, (nn.Linear, *_PLAIN, *_TRANSPOSED)):
            layer.register_forward_hook(count)
    with torch.no_grad():
        shapes(torch.empty(1, network.channels_in, *size, device="meta"))
    return total
