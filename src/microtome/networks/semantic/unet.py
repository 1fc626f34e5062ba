"""U-Net: a contracting path, an expanding path, and the maps of the first carried over to the second."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import torch
from torch import Tensor, nn

from microtome.core.errors import RecipeError
from microtome.core.parameters import Range
from microtome.networks.arithmetic import Interval, LegalSizes
from microtome.networks.blocks.activation import Activation
from microtome.networks.blocks.conv import ConvStyle, DropoutAt, conv_pair, unit_parameters
from microtome.networks.blocks.frame import crop, crop_to, pad_to_step
from microtome.networks.blocks.heads import Heads, head_parameters
from microtome.networks.blocks.initialise import he_initialise
from microtome.networks.blocks.normalisation import Norm
from microtome.networks.blocks.up_sampling import UpKind, UpSampling, before_up, lost_by_up, up_parameters
from microtome.networks.network import Network

__all__ = ["UNet"]


class UNet(Network):
    """U-Net in 2-D and 3-D: any depth and width, valid as in the paper or with same padding.

    Parameters
    ----------
    channels_in : int
    outputs : dict of str to int
        The channels of each named output, all from one last map.
    depth : int
        Levels, the bottom one counted. Each but the last halves the side; 5 in the paper.
    root : int
        Channels of the first level, doubled at each; 64 in the paper.
    dimensions : 2 or 3
    padding : "same" or "valid"
        Valid: no padding anywhere, the output is smaller than the input and no pixel was invented; tiles of it join without
        a seam. Same: the output has the input's size.
    norm : "none", "batch", "group" or "instance"
        Behind each 3 x 3 convolution. None in the paper.
    groups : int
        Of group normalisation.
    activation : "relu", "elu" or "leaky_relu"
    up : "transposed", "nearest" or "bilinear"
        A 2 x 2 transposed convolution of stride 2, or interpolation and a 3 x 3 unit.
    doubling : "in_pair" or "before_pooling"
        Whether both convolutions of a level have its channels, or the second doubles them (the 3-D U-Net: root 32 is then
        32-64, 64-128, ...) and up-sampling keeps them.
    dropout : number, or one a level from the top
        The share of values set to zero in training.
    dropout_at : "between", "each" or "bottom"
        Between the two convolutions of a level, on both paths; behind each convolution; or once, at the end of the
        contracting path, as in the paper.
    conv_bias : bool or none
        Whether the 3 x 3 convolutions have a bias; none: where no normalisation follows, which would undo it.
    up_bias : bool
        Whether the transposed convolutions have one.
    up_activated : bool
        Whether they are followed by the nonlinearity. Not in the paper.
    supervised : int
        How many further levels of the expanding path answer in training too, as ``NAME_2`` at half the side, ``NAME_4`` at
        a quarter, and so on (deep supervision). In evaluation they are silent. Needs same padding.

    Notes
    -----
    A batch (N, channels_in, \\*spatial) becomes (N, channels, \\*spatial - 2 margin) an output. Stride 2^(depth-1).

    Valid: legal sides are 2^(depth-1) b + 4(2^depth - 1), and the output is 4(3 2^(depth-1) - 2) smaller (transposed
    up-sampling; depth 5: 572 to 388). Nearest up-sampling loses 2 more pixels a level and bilinear 4, which they would
    have invented at the border. Same: multiples of the stride; other sides are padded with zeros inside and cropped.
    The receptive field is 188 to 204 pixels at depth 5, depending on the pixel. Weights start as N(0, 2 / incoming
    connections), biases at zero.

    Departures from the paper in the defaults: root 32, same padding, batch normalisation. The paper's network is
    ``root=64, padding="valid", norm="none"`` with ``outputs={"classes": 2}`` (31,030,658 parameters); the small one
    often shown for nuclei (1,941,105) is ``root=16, norm="none", activation="elu", dropout=(.1, .1, .2, .2, .3)``; the
    3-D U-Net is ``dimensions=3, depth=4, padding="valid", doubling="before_pooling"``.

    References
    ----------
    O. Ronneberger, P. Fischer, T. Brox, arXiv:1505.04597. Ö. Çiçek, A. Abdulkadir, S. Lienkamp, T. Brox, O. Ronneberger,
    arXiv:1606.06650.

    Examples
    --------
    >>> unet = UNet(channels_in=1, outputs={"classes": 2}, root=4, padding="valid", norm="none")
    >>> unet.output_size((572, 572)), unet.receptive_field()
    ((388, 388), (188, 204))
    >>> unet(torch.zeros(1, 1, 188, 204))["classes"].shape
    torch.Size([1, 2, 4, 20])
    """

    def __init__(
        self,
        *,
        channels_in: int,
        outputs: Mapping[str, int],
        depth: Annotated[int, Range(1, 9, search=(3, 6))] = 5,
        root: Annotated[int, Range(1, 1024, search=(8, 64), log=True)] = 32,
        dimensions: Literal[2, 3] = 2,
        padding: Literal["same", "valid"] = "same",
        norm: Norm = "batch",
        groups: Annotated[int, Range(1, 256)] = 8,
        activation: Activation = "relu",
        up: UpKind = "transposed",
        doubling: Literal["in_pair", "before_pooling"] = "in_pair",
        dropout: Annotated[float | tuple[float, ...], Range(0, 0.95, search=(0, 0.5))] = 0.0,
        dropout_at: DropoutAt = "between",
        conv_bias: bool | None = None,
        up_bias: bool = True,
        up_activated: bool = False,
        supervised: Annotated[int, Range(0, 8)] = 0,
    ) -> None:
        valid = padding == "valid"
        stride = 2 ** (depth - 1)
        least, margin, crops = _valid_plan(depth, lost_by_up(up)) if valid else (stride, 0, (0,) * (depth - 1))
        if norm == "instance" and not valid:
            least = 2 * stride  # one pixel at the bottom has no deviation
        super().__init__(
            channels_in=channels_in,
            outputs=outputs,
            dimensions=dimensions,
            stride=stride,
            sizes=LegalSizes(least, stride),
            margin=margin,
            pads_inside=not valid,
            is_local=norm in ("none", "batch"),
        )
        rates = _one_a_level(dropout, depth)
        self.depth = depth
        self.valid = valid
        self.up_kind: UpKind = up
        self.up_bias = up_bias
        self.supervised = _supervised_levels(supervised, depth, padding)
        self.pairs = _widths(depth, root, doubling)
        self.style = ConvStyle(dimensions, valid, norm, groups, activation, norm == "none" if conv_bias is None else conv_bias)
        self.crops = crops

        above = [channels_in, *(pair[1] for pair in self.pairs)]
        self.contracting = nn.ModuleList(
            conv_pair(above[level], self.pairs[level], self.style, dropout=rates[level], dropout_at=dropout_at) for level in range(depth)
        )
        self.pool = nn.MaxPool2d(2) if dimensions == 2 else nn.MaxPool3d(2)
        self.bottom = nn.Dropout(rates[-1]) if dropout_at == "bottom" and rates[-1] else nn.Identity()
        self.ups = nn.ModuleList(
            UpSampling(*self._up_channels(level), kind=up, style=self.style, bias=up_bias, activated=up_activated)
            for level in range(depth - 1)
        )
        self.expanding = nn.ModuleList(
            conv_pair(self._joined(level), (self.pairs[level][1],) * 2, self.style, dropout=rates[level], dropout_at=dropout_at)
            for level in range(depth - 1)
        )
        self.heads = Heads(self.pairs[0][1], outputs, dimensions=dimensions)
        self.deep_heads = nn.ModuleList(Heads(self.pairs[level][1], outputs, dimensions=dimensions) for level in self.supervised)
        he_initialise(self)

    def forward(self, batch: Tensor) -> dict[str, Tensor]:
        """(N, channels_in, \\*spatial) to a dict of logits (N, channels, \\*spatial), smaller where the padding is valid."""
        self.check(batch)
        x = pad_to_step(batch, self.sizes.step, self.sizes.least) if self.pads_inside else batch
        skips: list[Tensor] = []
        for level, pair in enumerate(self.contracting):
            x = pair(self.pool(x) if level else x)  # (N, root 2^level, side / 2^level)
            skips.append(x)
        x = self.bottom(x)
        answers: dict[str, Tensor] = {}
        for level in reversed(range(self.depth - 1)):
            skip = crop(skips[level], self.crops[level])
            x = self.expanding[level](torch.cat([skip, self.ups[level](x)], dim=1))
            if self.training and level in self.supervised:
                coarse = self.deep_heads[level - 1](x)
                answers |= {f"{name}_{2**level}": crop_to(y, _coarser(batch.shape[2:], 2**level)) for name, y in coarse.items()}
        size = batch.shape[2:] if self.pads_inside else x.shape[2:]
        return {name: crop_to(y, size) for name, y in self.heads(x).items()} | answers

    def expected_parameters(self) -> int:
        """Sum over the pairs of the contracting path, the up-samplings, the pairs of the expanding path, and the heads."""
        above = [self.channels_in, *(second for _, second in self.pairs)]
        total = sum(
            unit_parameters(above[level], first, self.style) + unit_parameters(first, second, self.style)
            for level, (first, second) in enumerate(self.pairs)
        )
        for level in range(self.depth - 1):
            second = self.pairs[level][1]
            total += up_parameters(*self._up_channels(level), kind=self.up_kind, style=self.style, bias=self.up_bias)
            total += unit_parameters(self._joined(level), second, self.style) + unit_parameters(second, second, self.style)
        return total + sum(head_parameters(self.pairs[level][1], self.outputs) for level in (0, *self.supervised))

    def receptive_field(self) -> tuple[int, int]:
        """The least and greatest side over the output's phases, by intervals followed back through both paths."""
        sides = [self._seen_expanding(0, Interval(phase, phase)).size for phase in range(self.stride)]
        return min(sides), max(sides)

    def bottom_receptive_field(self) -> int:
        """The side of what a pixel of the deepest map sees: 140 at depth 5."""
        return self._seen_contracting(self.depth - 1, Interval(0, 0)).size

    def _seen_contracting(self, level: int, pixels: Interval) -> Interval:
        for _ in range(2):
            pixels = pixels.before_conv(3, padding=0 if self.valid else 1)
        return self._seen_contracting(level - 1, pixels.before_conv(2, stride=2)) if level else pixels

    def _seen_expanding(self, level: int, pixels: Interval) -> Interval:
        if level == self.depth - 1:
            return self._seen_contracting(level, pixels)
        for _ in range(2):
            pixels = pixels.before_conv(3, padding=0 if self.valid else 1)
        skip = self._seen_contracting(level, pixels.before_crop(self.crops[level]))
        return skip.join(self._seen_expanding(level + 1, before_up(pixels, self.up_kind, valid=self.valid)))

    def _up_channels(self, level: int) -> tuple[int, int]:
        """What the up-sampling to this level takes and gives: half, or, where channels double before pooling, as many."""
        below = self.pairs[level + 1]
        return below[1], self.pairs[level][1] if below[0] == below[1] else below[1]

    def _joined(self, level: int) -> int:
        """The channels of a skip and what comes up beside it."""
        return self.pairs[level][1] + self._up_channels(level)[1]


def _coarser(size: Sequence[int], factor: int) -> list[int]:
    return [-(-side // factor) for side in size]


def _widths(depth: int, root: int, doubling: str) -> tuple[tuple[int, int], ...]:
    """The channels of the two convolutions of each level."""
    twice = 2 if doubling == "before_pooling" else 1
    return tuple((root * 2**level, root * 2**level * twice) for level in range(depth))


def _one_a_level(dropout: float | tuple[float, ...], depth: int) -> tuple[float, ...]:
    if not isinstance(dropout, tuple):
        return (dropout,) * depth
    if len(dropout) != depth:
        raise RecipeError(f"dropout: {len(dropout)} numbers for {depth} levels; give one number, or one a level from the top")
    return dropout


def _supervised_levels(wanted: int, depth: int, padding: str) -> tuple[int, ...]:
    if wanted and padding == "valid":
        raise RecipeError("supervised: needs padding same; the coarser levels of a valid network have other margins than its output")
    if wanted > max(0, depth - 2):
        raise RecipeError(
            f"supervised: {wanted} further levels, but the expanding path of depth {depth} has {max(0, depth - 2)} below its last"
        )
    return tuple(range(1, wanted + 1))


def _valid_plan(depth: int, lost: int) -> tuple[int, int, tuple[int, ...]]:
    """The least legal side of a valid U-Net, its margin, and what is cut off each side of every level's skip.

    `lost` is what an up-sampling loses of 2n. Margin and crops are the same for every legal side; the paper's crops are
    88, 40, 16 and 4.
    """
    bottom = 1
    while min(_valid_sides(bottom, depth, lost)[1]) < 1:
        bottom += 1
    skips, outputs = _valid_sides(bottom, depth, lost)
    least = skips[-1] + 4
    crops = [(skip - output - 4) // 2 for skip, output in zip(skips[1:], outputs[1:], strict=True)]
    return least, (least - outputs[-1]) // 2, tuple(reversed(crops))


def _valid_sides(bottom: int, depth: int, lost: int) -> tuple[list[int], list[int]]:
    """From a bottom of this side upwards: the side of each level's skip, and of what the expanding path makes there."""
    skips, outputs = [bottom], [bottom]
    for _ in range(depth - 1):
        skips.append(2 * (skips[-1] + 4))
        outputs.append(2 * outputs[-1] - lost - 4)
    return skips, outputs
