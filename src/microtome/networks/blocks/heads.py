"""The last layer: for every named output a 1 x 1 convolution to its channels."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from microtome.networks.arithmetic import conv_parameters
from microtome.networks.blocks.conv import conv_layer

__all__ = ["Heads", "head_parameters", "split"]


class Heads(nn.Module):
    """A map of `channels` to a dict of linear maps, one a named output.

    Examples
    --------
    >>> heads = Heads(16, {"classes": 3, "distance": 1}, dimensions=2)
    >>> {name: tuple(y.shape) for name, y in heads(torch.zeros(2, 16, 4, 5)).items()}
    {'classes': (2, 3, 4, 5), 'distance': (2, 1, 4, 5)}
    """

    def __init__(self, channels: int, outputs: Mapping[str, int], *, dimensions: int) -> None:
        super().__init__()
        self.of = nn.ModuleDict({name: conv_layer(dimensions)(channels, wanted, 1) for name, wanted in outputs.items()})

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """(N, channels, ...) to a dict of (N, wanted, ...)."""
        return {name: head(x) for name, head in self.of.items()}


def head_parameters(channels: int, outputs: Mapping[str, int]) -> int:
    """The parameters of `Heads`, by formula."""
    return sum(conv_parameters(channels, wanted, (1,)) for wanted in outputs.values())


def split(x: Tensor, outputs: Mapping[str, int]) -> dict[str, Tensor]:
    """The channels of one map shared out to the named outputs, in their order."""
    return dict(zip(outputs, torch.split(x, list(outputs.values()), dim=1), strict=True))
