"""An encoder and the mean of its last map: one answer for a whole image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from torch import Tensor, nn

from microtome.core.parameters import Range
from microtome.networks.arithmetic import Interval, LegalSizes
from microtome.networks.blocks.activation import Activation
from microtome.networks.blocks.conv import ConvStyle, conv_pair, unit_parameters
from microtome.networks.blocks.frame import pad_to_step
from microtome.networks.blocks.heads import head_parameters
from microtome.networks.blocks.initialise import he_initialise
from microtome.networks.blocks.normalisation import Norm
from microtome.networks.network import Network

__all__ = ["EncoderClassifier"]


class EncoderClassifier(Network):
    """The contracting path of a U-Net, the mean over all places of its last map, and a linear layer an output.

    Parameters
    ----------
    channels_in : int
    outputs : dict of str to int
        The classes of each named output.
    depth : int
        Levels, each but the last halving the side.
    root : int
        Channels of the first level, doubled at each.
    dimensions : 2 or 3
    norm : "none", "batch", "group" or "instance"
        Behind each 3 x 3 convolution.
    groups : int
        Of group normalisation.
    activation : "relu", "elu" or "leaky_relu"
    dropout : number
        The share of the pooled numbers set to zero in training.

    Notes
    -----
    A batch (N, channels_in, \\*spatial) becomes (N, channels) an output: an image has one answer, so `output_size` is empty. Any side
    from 2^(depth-1) on is taken as it is, what does not divide is left out by the last pooling; smaller images are padded with
    zeros. A pixel of the last map sees 5 2^(depth-1) + 4 (2^(depth-1) - 1) pixels, the answer sees all.

    References
    ----------
    M. Lin, Q. Chen, S. Yan, arXiv:1312.4400, section 3.2: the mean over the map in place of large linear layers.

    Examples
    --------
    >>> import torch
    >>> network = EncoderClassifier(channels_in=1, outputs={"kind": 10}, depth=3, root=8)
    >>> network(torch.zeros(2, 1, 28, 30))["kind"].shape, network.output_size((28, 30)), network.bottom_receptive_field()
    (torch.Size([2, 10]), (), 32)
    """

    def __init__(
        self,
        *,
        channels_in: int,
        outputs: Mapping[str, int],
        depth: Annotated[int, Range(1, 9, search=(3, 6))] = 4,
        root: Annotated[int, Range(1, 1024, search=(8, 64), log=True)] = 16,
        dimensions: Literal[2, 3] = 2,
        norm: Norm = "batch",
        groups: Annotated[int, Range(1, 256)] = 8,
        activation: Activation = "relu",
        dropout: Annotated[float, Range(0, 0.95, search=(0, 0.5))] = 0.0,
    ) -> None:
        stride = 2 ** (depth - 1)
        least = 2 * stride if norm == "instance" else stride  # one pixel at the bottom has no deviation
        super().__init__(
            channels_in=channels_in,
            outputs=outputs,
            dimensions=dimensions,
            stride=stride,
            sizes=LegalSizes(least, 1),
            is_local=False,
        )
        self.style = ConvStyle(dimensions, norm=norm, groups=groups, activation=activation, bias=norm == "none")
        self.widths = tuple(root * 2**level for level in range(depth))
        above = (channels_in, *self.widths)
        self.encoder = nn.ModuleList(conv_pair(above[level], (width, width), self.style) for level, width in enumerate(self.widths))
        self.pool = nn.MaxPool2d(2) if dimensions == 2 else nn.MaxPool3d(2)
        self.dropout = nn.Dropout(dropout)
        self.heads = nn.ModuleDict({name: nn.Linear(self.widths[-1], wanted) for name, wanted in outputs.items()})
        he_initialise(self)

    def forward(self, batch: Tensor) -> dict[str, Tensor]:
        """(N, channels_in, \\*spatial) to a dict of logits (N, channels)."""
        self.check(batch)
        x = pad_to_step(batch, self.sizes.step, self.sizes.least)
        for level, pair in enumerate(self.encoder):
            x = pair(self.pool(x) if level else x)
        x = self.dropout(x.mean(dim=tuple(range(2, x.ndim))))
        return {name: head(x) for name, head in self.heads.items()}

    def output_size(self, size: Sequence[int]) -> tuple[int, ...]:
        """Empty: an answer has no place in the image."""
        super().output_size(size)
        return ()

    def expected_parameters(self) -> int:
        """Sum over the encoder's pairs and the heads."""
        above = (self.channels_in, *self.widths)
        encoder = sum(
            unit_parameters(above[level], width, self.style) + unit_parameters(width, width, self.style)
            for level, width in enumerate(self.widths)
        )
        return encoder + head_parameters(self.widths[-1], self.outputs)

    def receptive_field(self) -> None:
        """The whole image, however large."""

    def bottom_receptive_field(self) -> int:
        """The side of what a pixel of the last map sees."""
        pixels = Interval(0, 0)
        for level in reversed(range(len(self.widths))):
            pixels = pixels.before_conv(3, padding=1).before_conv(3, padding=1)
            pixels = pixels.before_conv(2, stride=2) if level else pixels
        return pixels.size
