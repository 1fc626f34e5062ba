"""The nonlinearity behind a convolution."""

from __future__ import annotations

from typing import Literal

from torch import nn

__all__ = ["Activation", "activation"]

Activation = Literal["relu", "elu", "leaky_relu"]


def activation(kind: Activation) -> nn.Module:
    """ReLU; ELU with alpha 1; or leaky ReLU with slope 0.01 (nnU-Net's). None works in place, so that every graph can be exported.

    Examples
    --------
    >>> import torch
    >>> round(activation("elu")(torch.tensor(-1.0)).item(), 6)
    -0.632121
    """
    if kind == "relu":
        return nn.ReLU()
    return nn.ELU() if kind == "elu" else nn.LeakyReLU(0.01)
