"""The convolution unit (convolution, normalisation, nonlinearity) and the pair of them that most networks repeat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import nn

from microtome.networks.arithmetic import conv_parameters
from microtome.networks.blocks.activation import Activation, activation
from microtome.networks.blocks.normalisation import Norm, normalisation, normalisation_parameters

__all__ = ["ConvStyle", "DropoutAt", "conv_layer", "conv_pair", "conv_unit", "transposed_layer", "unit_parameters"]

DropoutAt = Literal["between", "each", "bottom"]


@dataclass(frozen=True)
class ConvStyle:
    """What the convolutions of one network have in common.

    `valid` convolutions use no padding and lose kernel // 2 pixels at each side; the others pad with zeros to the same size.
    """

    dimensions: int = 2
    valid: bool = False
    norm: Norm = "none"
    groups: int = 8
    activation: Activation = "relu"
    bias: bool = True


def conv_layer(dimensions: int) -> type[nn.Conv2d] | type[nn.Conv3d]:
    """The plain convolution over this many axes."""
    return nn.Conv2d if dimensions == 2 else nn.Conv3d


def transposed_layer(dimensions: int) -> type[nn.ConvTranspose2d] | type[nn.ConvTranspose3d]:
    """The transposed convolution over this many axes."""
    return nn.ConvTranspose2d if dimensions == 2 else nn.ConvTranspose3d


def conv_unit(channels_in: int, channels_out: int, style: ConvStyle, *, kernel: int = 3, dropout: float = 0.0) -> nn.Sequential:
    """Convolution, normalisation, nonlinearity, and dropout where there is any.

    Examples
    --------
    >>> [type(layer).__name__ for layer in conv_unit(1, 8, ConvStyle(norm="batch", bias=False))]
    ['Conv2d', 'BatchNorm2d', 'ReLU']
    """
    padding = 0 if style.valid else kernel // 2
    layers: list[nn.Module] = [conv_layer(style.dimensions)(channels_in, channels_out, kernel, padding=padding, bias=style.bias)]
    norm = normalisation(style.norm, channels_out, dimensions=style.dimensions, groups=style.groups)
    if norm is not None:
        layers.append(norm)
    layers.append(activation(style.activation))
    if dropout:
        layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers)


def conv_pair(
    channels_in: int, channels: tuple[int, int], style: ConvStyle, *, dropout: float = 0.0, dropout_at: DropoutAt = "between"
) -> nn.Sequential:
    """Two 3 x 3 (x 3) units; dropout between them, or behind each of them.

    Examples
    --------
    >>> sum(p.numel() for p in conv_pair(1, (64, 64), ConvStyle()).parameters())
    37568
    """
    first, second = channels
    behind = dropout if dropout_at == "each" else 0.0
    between = dropout if dropout_at in ("each", "between") else 0.0
    return nn.Sequential(
        conv_unit(channels_in, first, style, dropout=between),
        conv_unit(first, second, style, dropout=behind),
    )


def unit_parameters(channels_in: int, channels_out: int, style: ConvStyle, *, kernel: int = 3) -> int:
    """The parameters of `conv_unit`, by formula."""
    own = conv_parameters(channels_in, channels_out, (kernel,) * style.dimensions, bias=style.bias)
    return own + normalisation_parameters(style.norm, channels_out)
