"""The same-resolution fully convolutional network: a plain stack of convolutions that never halves the image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from torch import Tensor, nn

from microtome.core.parameters import Range
from microtome.networks.arithmetic import Interval, LegalSizes
from microtome.networks.blocks.activation import Activation
from microtome.networks.blocks.conv import ConvStyle, conv_unit, unit_parameters
from microtome.networks.blocks.heads import Heads, head_parameters
from microtome.networks.blocks.initialise import he_initialise
from microtome.networks.blocks.normalisation import Norm
from microtome.networks.network import Network

__all__ = ["FCNSame"]


class FCNSame(Network):
    """`layers` 3 x 3 convolutions of `width` channels at full resolution, then one of 1 x 1 an output.

    Parameters
    ----------
    channels_in : int
    outputs : dict of str to int
        The channels of each named output.
    layers : int
    width : int
        Channels of every map.
    dimensions : 2 or 3
    norm : "none", "batch", "group" or "instance"
        Behind each 3 x 3 convolution.
    groups : int
        Of group normalisation.
    activation : "relu", "elu" or "leaky_relu"
    dropout : number
        The share of values set to zero behind each layer in training.

    Notes
    -----
    A batch (N, channels_in, \\*spatial) becomes (N, channels, \\*spatial) an output. Stride 1, every size is legal, receptive
    field 2 layers + 1 pixels. Its lesson: the view grows by two pixels a layer while each layer keeps a full-size map of
    `width` channels in memory.

    The textbook form (three channels in, three classes, no normalisation) has 112,771 parameters at 4 layers of 64.

    Examples
    --------
    >>> import torch
    >>> network = FCNSame(channels_in=3, outputs={"classes": 3}, layers=4)
    >>> network(torch.zeros(1, 3, 7, 1))["classes"].shape, network.receptive_field()
    (torch.Size([1, 3, 7, 1]), (9, 9))
    """

    def __init__(
        self,
        *,
        channels_in: int,
        outputs: Mapping[str, int],
        layers: Annotated[int, Range(1, 64, search=(2, 16))] = 8,
        width: Annotated[int, Range(1, 1024, search=(8, 64), log=True)] = 64,
        dimensions: Literal[2, 3] = 2,
        norm: Norm = "none",
        groups: Annotated[int, Range(1, 256)] = 8,
        activation: Activation = "relu",
        dropout: Annotated[float, Range(0, 0.95, search=(0, 0.5))] = 0.0,
    ) -> None:
        least = 2 if norm == "instance" else 1  # one pixel has no deviation
        super().__init__(
            channels_in=channels_in,
            outputs=outputs,
            dimensions=dimensions,
            stride=1,
            sizes=LegalSizes(least, 1),
            pads_inside=least == 1,
            is_local=norm in ("none", "batch"),
        )
        self.style = ConvStyle(dimensions, norm=norm, groups=groups, activation=activation, bias=norm == "none")
        self.widths = (channels_in, *(width,) * layers)
        self.layers = nn.Sequential(
            *(conv_unit(above, width, self.style, dropout=dropout) for above, width in zip(self.widths, self.widths[1:], strict=False))
        )
        self.heads = Heads(width, outputs, dimensions=dimensions)
        he_initialise(self)

    def forward(self, batch: Tensor) -> dict[str, Tensor]:
        """(N, channels_in, \\*spatial) to a dict of logits (N, channels, \\*spatial)."""
        self.check(batch)
        answers: dict[str, Tensor] = self.heads(self.layers(batch))
        return answers

    def expected_parameters(self) -> int:
        """Sum over the layers and the heads: (9 c D + D) + (L - 1)(9 D^2 + D) + (D + 1) C in 2-D without normalisation."""
        layers = sum(unit_parameters(above, width, self.style) for above, width in zip(self.widths, self.widths[1:], strict=False))
        return layers + head_parameters(self.widths[-1], self.outputs)

    def receptive_field(self) -> tuple[int, int]:
        """2 layers + 1, for every pixel."""
        pixels = Interval(0, 0)
        for _ in self.layers:
            pixels = pixels.before_conv(3, padding=1)
        return pixels.size, pixels.size
