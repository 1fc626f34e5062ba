"""Encoder-decoder without skips: five pairs of convolutions down, four transposed convolutions up."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Literal

from torch import Tensor, nn

from microtome.core.parameters import Range
from microtome.networks.arithmetic import Interval, LegalSizes, conv_parameters
from microtome.networks.blocks.conv import ConvStyle, conv_pair, transposed_layer, unit_parameters
from microtome.networks.blocks.frame import crop_to, pad_to_step
from microtome.networks.blocks.heads import Heads, head_parameters
from microtome.networks.blocks.initialise import he_initialise
from microtome.networks.network import Network

__all__ = ["EncoderDecoder"]


class EncoderDecoder(Network):
    """A VGG-like encoder and transposed convolutions back up, with nothing carried across.

    Parameters
    ----------
    channels_in : int
    outputs : dict of str to int
        The channels of each named output, all from one last map.
    depth : int
        Levels of the encoder, each but the last halving the side; 5 in the textbook.
    root : int
        Channels of the first level, doubled at each; 64 in the textbook.
    dimensions : 2 or 3
    init : "textbook" or "he"
        N(0, 0.02) for weights and biases alike, as printed, or N(0, 2 / incoming connections) and zero.

    Notes
    -----
    A batch (N, channels_in, \\*spatial) becomes (N, channels, \\*spatial) an output. Stride 2^(depth-1): 16. Legal sides are
    its multiples; others are padded with zeros inside and cropped. Receptive field 140 at the bottom, 140 to 156 at the
    output. With the defaults and ``channels_in=3, outputs={"mask": 1}``: 34,475,585 parameters.

    The decoder's widths are the bottom's twice, then half each time: 1024-1024, 1024-512, 512-256, 256-128, so that it ends
    with twice the root's channels. A transposed 3 x 3 convolution of stride 2 gives a side of 2n + 1; the last row and
    column are dropped, as TensorFlow's SAME does. Two does not divide three: the output shows a checkerboard, and no skip
    brings edges back. It is here to be compared with the U-Net.

    Departures from the listing: any batch size (it fixes 32); what it defines and never uses (``res1``, dropout) is left out.

    References
    ----------
    Listing 6-4 of a textbook on image segmentation; docs/catalogue.md says more.

    Examples
    --------
    >>> import torch
    >>> network = EncoderDecoder(channels_in=3, outputs={"mask": 1}, root=4)
    >>> network(torch.zeros(2, 3, 32, 48))["mask"].shape, network.receptive_field()
    (torch.Size([2, 1, 32, 48]), (140, 156))
    """

    def __init__(
        self,
        *,
        channels_in: int,
        outputs: Mapping[str, int],
        depth: Annotated[int, Range(2, 9)] = 5,
        root: Annotated[int, Range(1, 1024, search=(8, 64), log=True)] = 64,
        dimensions: Literal[2, 3] = 2,
        init: Literal["textbook", "he"] = "textbook",
    ) -> None:
        stride = 2 ** (depth - 1)
        super().__init__(channels_in=channels_in, outputs=outputs, dimensions=dimensions, stride=stride, sizes=LegalSizes(stride, stride))
        self.style = ConvStyle(dimensions)
        self.widths = tuple(root * 2**level for level in range(depth))
        self.ups = _decoder_widths(self.widths)
        self.encoder = nn.ModuleList(
            conv_pair(above, (width, width), self.style) for above, width in zip((channels_in, *self.widths), self.widths, strict=False)
        )
        self.pool = nn.MaxPool2d(2) if dimensions == 2 else nn.MaxPool3d(2)
        transposed = transposed_layer(dimensions)
        self.decoder = nn.ModuleList(transposed(wide, narrow, 3, stride=2) for wide, narrow in self.ups)
        self.relu = nn.ReLU()
        self.heads = Heads(self.ups[-1][1], outputs, dimensions=dimensions)
        if init == "he":
            he_initialise(self)
        else:
            for weights in self.parameters():
                nn.init.normal_(weights, std=0.02)

    def forward(self, batch: Tensor) -> dict[str, Tensor]:
        """(N, channels_in, \\*spatial) to a dict of logits (N, channels, \\*spatial)."""
        self.check(batch)
        x = pad_to_step(batch, self.sizes.step, self.sizes.least)
        for level, pair in enumerate(self.encoder):
            x = pair(self.pool(x) if level else x)
        for up in self.decoder:
            doubled = [2 * side for side in x.shape[2:]]
            x = self.relu(crop_to(up(x), doubled))  # 2n + 1, its last row and column dropped
        return {name: crop_to(y, batch.shape[2:]) for name, y in self.heads(x).items()}

    def expected_parameters(self) -> int:
        """Sum over the encoder's pairs, the transposed convolutions and the heads."""
        encoder = sum(
            unit_parameters(above, width, self.style) + unit_parameters(width, width, self.style)
            for above, width in zip((self.channels_in, *self.widths), self.widths, strict=False)
        )
        decoder = sum(conv_parameters(wide, narrow, (3,) * self.dimensions) for wide, narrow in self.ups)
        return encoder + decoder + head_parameters(self.ups[-1][1], self.outputs)

    def receptive_field(self) -> tuple[int, int]:
        """The least and greatest side over the output's phases, by intervals followed back."""
        sides = [self._seen(Interval(phase, phase)).size for phase in range(self.stride)]
        return min(sides), max(sides)

    def bottom_receptive_field(self) -> int:
        """The side of what a pixel of the deepest map sees."""
        return self._seen_by_bottom(Interval(0, 0)).size

    def _seen(self, pixels: Interval) -> Interval:
        for _ in self.ups:
            pixels = pixels.before_transposed(3, stride=2)
        return self._seen_by_bottom(pixels)

    def _seen_by_bottom(self, pixels: Interval) -> Interval:
        for level in reversed(range(len(self.widths))):
            pixels = pixels.before_conv(3, padding=1).before_conv(3, padding=1)
            pixels = pixels.before_conv(2, stride=2) if level else pixels
        return pixels


def _decoder_widths(widths: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """In and out of each transposed convolution: the bottom's width kept once, then halved down to twice the root."""
    down = (widths[-1], *widths[:0:-1])
    return tuple(pairwise(down))
