"""Exact order statistics without sorting: the value of a given rank, found 16 bits at a time.

Every value becomes an unsigned key of the same order. The first pass counts the keys' leading 16 bits; each later one
looks only at the keys that begin like a wanted one, and counts their next 16 bits. Pixels of 16 bits need one pass, of
32 bits two, of 64 bits four. Counts are integers, so tiles add up exactly, in any order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.kernels.bands import band_height, in_bands
from microtome.core.raster import Image

__all__ = ["Digits", "order_passes", "percentile", "percentile_ranks"]

_DIGIT = 16
_DIGITS = 1 << _DIGIT

Ranks = Callable[[Any, int], Iterable[int]]


@dataclass(frozen=True, eq=False)
class Digits:
    """How often each next digit occurs among the keys that begin in a given way.

    Attributes
    ----------
    dtype : dtype
        Of the pixels.
    total : int
        How many pixels there are.
    known : int
        How many leading bits the prefixes hold.
    below : dict of int to int
        For each prefix looked into, ascending, how many keys lie below all that begin with it.
    counts : ndarray of int64, shape (prefixes, 65536)
    settled : bool
        Whether the digits counted were the last, and this was only handed on.
    """

    dtype: np.dtype[Any]
    total: int
    known: int
    below: dict[int, int]
    counts: NDArray[np.int64]
    settled: bool = False

    def merge(self, other: Digits) -> Digits:
        """The counts of both together.

        Raises
        ------
        InputError
            If the pixels' dtypes differ.
        """
        if self.dtype != other.dtype:
            raise InputError(f"images of {self.dtype} and of {other.dtype} cannot share one decision; save them alike")
        if self.settled:
            return self
        total = self.total + other.total if self.known == 0 else self.total
        return replace(self, total=total, counts=self.counts + other.counts)

    @property
    def complete(self) -> bool:
        """Whether the digits counted are the keys' last."""
        return self.known + _DIGIT == _key_bits(self.dtype)

    def prefix(self, rank: int) -> tuple[int, int]:
        """What the key of this rank begins with, one digit further, and how many keys lie below all such keys."""
        number, (prefix, below) = max(
            (entry for entry in enumerate(self.below.items()) if entry[1][1] <= rank), key=lambda entry: entry[1][1]
        )
        upto = np.cumsum(self.counts[number])
        digit = int(np.searchsorted(upto, rank - below, side="right"))
        return prefix << _DIGIT | digit, below + (int(upto[digit - 1]) if digit else 0)

    def value(self, rank: int) -> float | int:
        """The value of this rank, the least being of rank 0. The digits must be complete."""
        return _value(self.prefix(rank)[0], self.dtype)


def order_passes(ranks: Ranks) -> tuple[Callable[[Image, Any, Any], Digits], ...]:
    """The passes of a Reducible step that needs the values of the ranks ``ranks(settings, total)``.

    The last one's summary answers `Digits.value` for these ranks.

    Examples
    --------
    >>> image, summary = Image(np.array([[3.5, -1.0, 2.0]])), None
    >>> for look in order_passes(lambda settings, total: [0, total // 2]):
    ...     summary = look(image, None, summary)
    >>> summary.value(0), summary.value(1)
    (-1.0, 2.0)
    """
    later = partial(_next_digit, ranks)
    return (_first_digit, later, later, later)


def percentile_ranks(percent: float, total: int) -> tuple[int, int]:
    """The ranks a percentile lies between."""
    low = math.floor(percent / 100 * (total - 1))
    return low, min(low + 1, total - 1)


def percentile(digits: Digits, percent: float) -> float:
    """The percentile, interpolated linearly between the two ranks it lies between, as numpy does by default."""
    place = percent / 100 * (digits.total - 1)
    low, high = (float(digits.value(rank)) for rank in percentile_ranks(percent, digits.total))
    part = place - math.floor(place)
    return low + (high - low) * part if part < 0.5 else high - (high - low) * (1 - part)


def _first_digit(image: Image, settings: Any, before: None) -> Digits:
    pixels = image.pixels
    return Digits(pixels.dtype, pixels.size, 0, {0: 0}, _count(pixels, 0, [0]))


def _next_digit(ranks: Ranks, image: Image, settings: Any, before: Digits) -> Digits:
    if before.complete:
        return replace(before, settled=True)
    below = dict(sorted(before.prefix(rank) for rank in ranks(settings, before.total)))
    known = before.known + _DIGIT
    return replace(before, known=known, below=below, counts=_count(image.pixels, known, list(below)))


def _count(pixels: NDArray[Any], known: int, prefixes: list[int]) -> NDArray[np.int64]:
    """Count the digits after the first `known` bits, for keys that begin with each of the prefixes."""
    rows = pixels.reshape(-1, pixels.shape[-1])
    shift = _key_bits(pixels.dtype) - known - _DIGIT

    def band(first: int, past: int) -> NDArray[np.int64]:
        keys = _keys(rows[first:past]).ravel()
        leading = keys >> shift if shift else keys
        if known == 0:
            return np.bincount(leading, minlength=_DIGITS)[None]
        begins = leading >> _DIGIT
        return np.stack([np.bincount(leading[begins == p] & (_DIGITS - 1), minlength=_DIGITS) for p in prefixes])

    parts = in_bands(band, len(rows), band_height(rows.shape))
    return np.sum(parts, axis=0, dtype=np.int64)


def _key_bits(dtype: np.dtype[Any]) -> int:
    return max(8 * dtype.itemsize, _DIGIT)


def _keys(values: NDArray[Any]) -> NDArray[Any]:
    """Unsigned integers in the order of the values."""
    if values.dtype.kind in "ub":
        return values.view(np.uint8) if values.dtype == bool else values
    bits = values.view(f"u{values.dtype.itemsize}")
    sign = bits.dtype.type(1 << (8 * bits.itemsize - 1))
    if values.dtype.kind == "i":
        return bits ^ sign
    # A float's bits rise with its magnitude: turn all of them where it is negative, else only the sign.
    return np.where(bits & sign, ~bits, bits | sign)


def _value(key: int, dtype: np.dtype[Any]) -> float | int:
    if dtype.kind in "ub":
        return key
    sign = 1 << (8 * dtype.itemsize - 1)
    bits = key ^ sign if dtype.kind == "i" or key & sign else key ^ (2 * sign - 1)
    number: float | int = np.array(bits, f"u{dtype.itemsize}").view(dtype).item()
    return number
