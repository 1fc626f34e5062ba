"""Twice the side: by a transposed convolution, or by interpolation and a convolution, which leaves no checkerboard."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from microtome.networks.arithmetic import Interval, conv_parameters
from microtome.networks.blocks.activation import activation
from microtome.networks.blocks.conv import ConvStyle, conv_unit, transposed_layer, unit_parameters
from microtome.networks.blocks.frame import crop

__all__ = ["UpKind", "UpSampling", "before_up", "lost_by_up", "up_parameters"]

UpKind = Literal["transposed", "nearest", "bilinear"]


class UpSampling(nn.Module):
    """A map of side n to one of side 2n, or, where the style is valid, 2n - `lost_by_up`.

    Parameters
    ----------
    channels_in, channels_out : int
    kind : "transposed", "nearest" or "bilinear"
        A 2 x 2 transposed convolution of stride 2 (linear, as the U-Net's), or interpolation and a 3 x 3 unit of `style`.
        Bilinear is trilinear in 3-D.
    style : ConvStyle
        Where it is valid, what interpolation made of pixels outside the map is cut off.
    bias : bool
        The transposed convolution's.
    activated : bool
        Whether the transposed convolution is followed by the style's nonlinearity.
    """

    def __init__(
        self, channels_in: int, channels_out: int, *, kind: UpKind, style: ConvStyle, bias: bool = True, activated: bool = False
    ) -> None:
        super().__init__()
        self.cut = 1 if kind == "bilinear" and style.valid else 0
        if kind == "transposed":
            self.grow: nn.Module = transposed_layer(style.dimensions)(channels_in, channels_out, 2, stride=2, bias=bias)
            self.refine: nn.Module = activation(style.activation) if activated else nn.Identity()
        else:
            linear = "bilinear" if style.dimensions == 2 else "trilinear"
            self.grow = nn.Upsample(scale_factor=2, mode="nearest" if kind == "nearest" else linear)
            self.refine = conv_unit(channels_in, channels_out, style)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels_in, n, ...) to (N, channels_out, 2n, ...)."""
        return self.refine(crop(self.grow(x), self.cut))


def lost_by_up(kind: UpKind) -> int:
    """How many pixels of 2n valid up-sampling loses: none, the two of the convolution, and the two that interpolation clamps."""
    return {"transposed": 0, "nearest": 2, "bilinear": 4}[kind]


def before_up(pixels: Interval, kind: UpKind, *, valid: bool) -> Interval:
    """What these pixels see through the up-sampling."""
    if kind == "transposed":
        return pixels.before_transposed(2, stride=2)
    seen = pixels.before_conv(3, padding=0 if valid else 1)
    return seen.before_nearest(2) if kind == "nearest" else seen.before_crop(1 if valid else 0).before_bilinear(2)


def up_parameters(channels_in: int, channels_out: int, *, kind: UpKind, style: ConvStyle, bias: bool = True) -> int:
    """The parameters of `UpSampling`, by formula."""
    if kind == "transposed":
        return conv_parameters(channels_in, channels_out, (2,) * style.dimensions, bias=bias)
    return unit_parameters(channels_in, channels_out, style)
