"""The arithmetic of convolutions along one axis: sizes, parameters, multiply-adds, receptive fields, padding. No torch."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Interval",
    "LegalSizes",
    "bilinear_kernel",
    "bilinear_side",
    "contributions",
    "conv_multiply_adds",
    "conv_parameters",
    "conv_size",
    "dilated_stack_field",
    "he_deviation",
    "receptive_field",
    "same_padding",
    "transposed_multiply_adds",
    "transposed_size",
]


def conv_size(n: int, kernel: int, *, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """The side of what a convolution or a pooling gives: floor((n + 2p - d(k-1) - 1) / s) + 1.

    Examples
    --------
    >>> conv_size(572, 3), conv_size(224, 7, stride=2, padding=3)
    (570, 112)
    """
    return (n + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


def transposed_size(n: int, kernel: int, *, stride: int = 1, padding: int = 0, dilation: int = 1, output_padding: int = 0) -> int:
    """The side of what a transposed convolution gives: (n-1)s - 2p + d(k-1) + output padding + 1.

    A strided convolution gives the same side for `stride` different sides; `output_padding`, from 0 to stride - 1, picks
    the one to go back to.

    Examples
    --------
    >>> transposed_size(2, 3, stride=2), transposed_size(28, 2, stride=2)
    (5, 56)
    """
    return (n - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1


def same_padding(n: int, kernel: int, *, stride: int = 1, dilation: int = 1) -> tuple[int, int]:
    """The zeros before and after an axis that make a convolution give ceil(n / stride): TensorFlow's SAME.

    Asymmetric where the sum is odd: one more after than before.

    Examples
    --------
    >>> same_padding(8, 3), same_padding(8, 3, stride=2)
    ((1, 1), (0, 1))
    """
    total = max((math.ceil(n / stride) - 1) * stride + dilation * (kernel - 1) + 1 - n, 0)
    return total // 2, total - total // 2


def conv_parameters(channels_in: int, channels_out: int, kernel: Sequence[int], *, groups: int = 1, bias: bool = True) -> int:
    """Weights and biases of a convolution, transposed or not, with a kernel of this shape.

    Examples
    --------
    >>> conv_parameters(64, 128, (3, 3)), conv_parameters(1024, 512, (2, 2))
    (73856, 2097664)
    """
    return channels_out * (channels_in // groups * math.prod(kernel) + int(bias))


def conv_multiply_adds(output: Sequence[int], channels_in: int, channels_out: int, kernel: Sequence[int], *, groups: int = 1) -> int:
    """Multiply-adds of a convolution whose output has these sides, borders included, bias left out, for one image."""
    return math.prod(output) * channels_out * (channels_in // groups) * math.prod(kernel)


def transposed_multiply_adds(input: Sequence[int], channels_in: int, channels_out: int, kernel: Sequence[int], *, groups: int = 1) -> int:
    """Multiply-adds of a transposed convolution whose input has these sides, bias left out, for one image."""
    return math.prod(input) * channels_in * (channels_out // groups) * math.prod(kernel)


def receptive_field(layers: Iterable[tuple[int, int, int]]) -> tuple[int, int]:
    """The receptive field and the stride, in input pixels, behind a chain of (kernel, stride, dilation): r += d(k-1)j, j *= s.

    For an encoder. Through up-sampling go back by `Interval` instead: there the field depends on the output's phase.

    Examples
    --------
    Two 3 x 3 convolutions, a 2 x 2 pooling, two more:

    >>> receptive_field([(3, 1, 1), (3, 1, 1), (2, 2, 1), (3, 1, 1), (3, 1, 1)])
    (14, 2)
    """
    field, jump = 1, 1
    for kernel, stride, dilation in layers:
        field += dilation * (kernel - 1) * jump
        jump *= stride
    return field, jump


def dilated_stack_field(layers: int, *, kernel: int = 3, growth: int = 2) -> int:
    """The receptive field of `layers` convolutions with dilations 1, g, g^2, ...: 1 + (k-1)(g^n - 1)/(g - 1).

    F. Yu, V. Koltun, arXiv:1511.07122, section 2.

    Examples
    --------
    >>> [dilated_stack_field(n) for n in (1, 2, 3)]
    [3, 7, 15]
    """
    return 1 + (kernel - 1) * sum(growth**layer for layer in range(layers))


class Interval(NamedTuple):
    """The pixels `first` to `last` (both in it) along one axis of a map, followed backwards from a layer's output to its input.

    Nothing is clipped at a border. Start with one output pixel, go back through every layer and join where branches meet:
    `size` is then that pixel's receptive field.

    Examples
    --------
    A 3 x 3 convolution behind nearest up-sampling by two: an even pixel sees two pixels below, an odd one as well.

    >>> Interval(0, 0).before_conv(3, padding=1).before_nearest(2)
    Interval(first=-1, last=0)
    """

    first: int
    last: int

    @property
    def size(self) -> int:
        """How many pixels it holds."""
        return self.last - self.first + 1

    def before_conv(self, kernel: int, *, stride: int = 1, padding: int = 0, dilation: int = 1) -> Interval:
        """What a convolution or pooling looks at to give these pixels."""
        return Interval(self.first * stride - padding, self.last * stride - padding + dilation * (kernel - 1))

    def before_transposed(self, kernel: int, *, stride: int, padding: int = 0) -> Interval:
        """What a transposed convolution looks at to give these pixels."""
        return Interval(-((kernel - 1 - self.first - padding) // stride), (self.last + padding) // stride)

    def before_nearest(self, factor: int) -> Interval:
        """What nearest up-sampling looks at to give these pixels."""
        return Interval(self.first // factor, self.last // factor)

    def before_bilinear(self, factor: int) -> Interval:
        """What (bi-, tri-)linear up-sampling by half-pixel centres looks at to give these pixels."""
        first = (2 * self.first + 1 - factor) // (2 * factor)
        last = -((factor - 2 * self.last - 1) // (2 * factor))
        return Interval(first, last)

    def before_crop(self, margin: int) -> Interval:
        """The same pixels, counted in the map that `margin` pixels were cut off."""
        return Interval(self.first + margin, self.last + margin)

    def join(self, other: Interval) -> Interval:
        """The shortest interval that holds both."""
        return Interval(min(self.first, other.first), max(self.last, other.last))


@dataclass(frozen=True)
class LegalSizes:
    """The sides a network takes: `least`, and every `step` above.

    Examples
    --------
    The U-Net of the paper:

    >>> sizes = LegalSizes(188, 16)
    >>> 572 in sizes, sizes.near(512), str(sizes)
    (True, (508, 524), '188 + 16 i')
    """

    least: int
    step: int

    def __contains__(self, side: int) -> bool:
        return side >= self.least and (side - self.least) % self.step == 0

    def near(self, side: int) -> tuple[int, ...]:
        """The legal side at or below and the one at or above: one number where `side` is legal or below the least."""
        above = self.at_least(side)
        below = above if above == side else above - self.step
        return tuple(sorted({legal for legal in (below, above) if legal >= self.least}))

    def at_least(self, side: int) -> int:
        """The smallest legal side that is not below `side`."""
        return self.least + max(0, -((self.least - side) // self.step)) * self.step

    def __str__(self) -> str:
        return f"{self.least} + {self.step} i"


def bilinear_side(factor: int) -> int:
    """The side 2s - s mod 2 of the kernel that makes a transposed convolution of stride `factor` interpolate linearly.

    Examples
    --------
    >>> bilinear_side(2), bilinear_side(3), bilinear_side(8)
    (4, 5, 16)
    """
    return 2 * factor - factor % 2


def bilinear_kernel(side: int) -> NDArray[np.float64]:
    """The weights of linear interpolation along one axis, for a transposed convolution with a kernel of this side.

    The kernel of more axes is the outer product, on the diagonal of the channels. At the border the result is darker than
    an interpolation, which repeats the last pixel.

    Examples
    --------
    >>> bilinear_kernel(bilinear_side(2)).tolist()
    [0.25, 0.75, 0.75, 0.25]
    """
    half = (side + 1) // 2
    centre = half - 1 if side % 2 else half - 0.5
    return 1 - np.abs(np.arange(side) - centre) / half


def contributions(kernel: int, stride: int) -> tuple[int, ...]:
    """How many input pixels meet in an output pixel of a transposed convolution, one number a phase.

    All equal exactly where the stride divides the kernel; otherwise the output shows a checkerboard. A. Odena, V. Dumoulin,
    C. Olah, "Deconvolution and Checkerboard Artifacts", Distill 2016, doi:10.23915/distill.00003.

    Examples
    --------
    >>> contributions(3, 2), contributions(4, 2)
    ((2, 1), (2, 2))
    """
    return tuple(len(range(phase, kernel, stride)) for phase in range(stride))


def he_deviation(incoming: int) -> float:
    """The standard deviation sqrt(2 / N) for a neuron with N incoming connections.

    K. He, X. Zhang, S. Ren, J. Sun, arXiv:1502.01852, section 2.2, equation 10.

    Examples
    --------
    >>> round(he_deviation(9 * 64), 7)
    0.0589256
    """
    return math.sqrt(2 / incoming)
