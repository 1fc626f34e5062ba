"""Mean and standard deviation from sums that are exact, so that it does not matter in what order pixels are added, or in which tiles."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import isqrt
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.kernels.bands import band_height, in_bands
from microtome.core.raster import Image

__all__ = ["Moments", "moments_of"]

_BITS = 1074  # of the least number above 0 in 64 bits: all others are whole multiples of 2^-1074
_DIGITS = 68  # of 32 bits: as many as the largest number has above that one, and room for the carry
_AT_ONCE = 1 << 20  # each addition is below 2^33, a digit holds 2^63
_WIDEST = 1e150  # its square is still a number


@dataclass(frozen=True)
class Moments:
    """How many values, their sum, and the sum of their squares, without any rounding.

    Attributes
    ----------
    count : int
    total, squares : int
        In units of 2^-1074.
    """

    count: int
    total: int
    squares: int

    def merge(self, other: Moments) -> Moments:
        """Those of both together."""
        return Moments(self.count + other.count, self.total + other.total, self.squares + other.squares)

    @property
    def mean(self) -> float:
        """The mean, rounded once; nan of no values."""
        return float(Fraction(self.total, self.count << _BITS)) if self.count else float("nan")

    @property
    def deviation(self) -> float:
        """The standard deviation of the values themselves (divided by their number, not by one less); nan of no values."""
        if not self.count:
            return float("nan")
        # n * sum of squares - square of the sum, in units of 2^-1074 squared; its root is in units of 2^-1074 again.
        spread = (self.count * self.squares << _BITS) - self.total * self.total
        return float(Fraction(isqrt(spread << 2 * _ROOM), self.count << _BITS + _ROOM)) if spread > 0 else 0.0


_ROOM = 128  # more bits for the root than a float shows


def moments_of(image: Image, above: float | None = None) -> Moments:
    """Add up an image, all its channels together.

    Parameters
    ----------
    image : Image
        Of finite real numbers.
    above : float, optional
        Count only values greater than this.

    Raises
    ------
    InputError
        If values are so large (beyond 1e150) that their squares are no numbers.

    Notes
    -----
    Integers of up to 16 bits are summed as integers. Others become 64-bit floats, each is split into 32-bit digits by its exponent, and the
    digits are added as integers (the "small superaccumulator" of R. M. Neal, Fast exact summation using small and large superaccumulators,
    arXiv 1505.05571). A square is the product and its rounding error (T. J. Dekker, Numerische Mathematik 18, 1971), both added.

    Examples
    --------
    >>> found = moments_of(Image(np.array([[1e16, 1.0, -1e16, 2.0]])))
    >>> found.mean
    0.75
    """
    pixels = image.pixels

    def look(first: int, past: int) -> Moments:
        band = pixels[first:past].reshape(-1)
        band = band if above is None else band[band > above]
        return _integers(band) if band.dtype.kind in "bui" and band.dtype.itemsize <= 2 else _floats(band, image)

    parts = in_bands(look, len(pixels), band_height(pixels.shape, _AT_ONCE))
    total = Moments(0, 0, 0)
    for part in parts:
        total = total.merge(part)
    return total


def _integers(values: NDArray[Any]) -> Moments:
    wide = values.astype(np.int64)
    return Moments(len(wide), int(wide.sum()) << _BITS, int(np.dot(wide, wide)) << _BITS)


def _floats(values: NDArray[Any], image: Image) -> Moments:
    wide = np.ascontiguousarray(values, np.float64)
    if len(wide) and max(wide.max(), -wide.min()) > _WIDEST:
        raise InputError(f"{image.source or 'image'}: values beyond {_WIDEST:g} have no squares; scale them down")
    total = squares = 0
    for at in range(0, len(wide), _AT_ONCE):  # a single row may be longer
        digits = np.zeros((2, _DIGITS), np.int64)
        _add(wide[at : at + _AT_ONCE].view(np.uint64), wide[at : at + _AT_ONCE], digits)
        total += _number(digits[0])
        squares += _number(digits[1])
    return Moments(len(wide), total, squares)


def _number(digits: NDArray[np.int64]) -> int:
    return sum(int(digit) << 32 * place for place, digit in enumerate(digits) if digit)


@njit(cache=True, nogil=True)
def _add(patterns, values, digits):  # type: ignore[no-untyped-def]
    """Add each value to the first row of digits, its square to the second; `patterns` are the values' bits."""
    pair = np.empty(2, np.float64)
    bits = pair.view(np.uint64)
    split = 134217729.0  # 2^27 + 1: halves of 26 bits, whose products are exact
    for k in range(len(values)):
        _put(patterns[k], digits[0])
        value = values[k]
        pair[0] = value * value
        large = split * value
        high = large - (large - value)
        low = value - high
        pair[1] = ((high * high - pair[0]) + 2.0 * high * low) + low * low
        _put(bits[0], digits[1])
        if pair[1] != 0.0:
            _put(bits[1], digits[1])


@njit(cache=True, nogil=True)
def _put(bits, digits):  # type: ignore[no-untyped-def]
    exponent = np.int64((bits >> np.uint64(52)) & np.uint64(0x7FF))
    mantissa = bits & np.uint64(0xFFFFFFFFFFFFF)
    if exponent > 0:
        mantissa |= np.uint64(1) << np.uint64(52)
        exponent -= 1
    place, shift = exponent >> 5, np.uint64(exponent & 31)
    below = np.uint64(0xFFFFFFFF)
    least = (mantissa & below) << shift
    most = (mantissa >> np.uint64(32)) << shift
    first, second, third = np.int64(least & below), np.int64((least >> np.uint64(32)) + (most & below)), np.int64(most >> np.uint64(32))
    if bits >> np.uint64(63):
        first, second, third = -first, -second, -third
    digits[place] += first
    digits[place + 1] += second
    digits[place + 2] += third
