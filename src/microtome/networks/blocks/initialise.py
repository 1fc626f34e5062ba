"""First weights: He and others' normal distribution by a neuron's incoming connections."""

from __future__ import annotations

import math

from torch import nn

from microtome.networks.arithmetic import he_deviation

__all__ = ["he_initialise", "incoming_connections"]

_CONVOLUTIONS = (nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def he_initialise(network: nn.Module) -> None:
    """Draw every convolution's weights from N(0, 2 / incoming connections) and set its biases to zero.

    K. He, X. Zhang, S. Ren, J. Sun, arXiv:1502.01852; asked for by the U-Net's section 3.
    """
    for layer in network.modules():
        if isinstance(layer, _CONVOLUTIONS):
            nn.init.normal_(layer.weight, std=he_deviation(incoming_connections(layer)))
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def incoming_connections(layer: nn.Conv2d | nn.Conv3d | nn.ConvTranspose2d | nn.ConvTranspose3d) -> int:
    """How many inputs an output of the layer sums: for a transposed convolution k^d / s^d a channel, on average over the phases.

    Torch's own count for a transposed convolution is that of its outgoing connections.

    Examples
    --------
    >>> incoming_connections(nn.Conv2d(64, 128, 3)), incoming_connections(nn.ConvTranspose2d(128, 64, 2, stride=2))
    (576, 128)
    """
    inputs = layer.in_channels // layer.groups * math.prod(layer.kernel_size)
    spread = math.prod(layer.stride) if isinstance(layer, (nn.ConvTranspose2d, nn.ConvTranspose3d)) else 1
    return max(1, round(inputs / spread))
