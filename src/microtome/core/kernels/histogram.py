"""Histograms that add up exactly, the summary behind every threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.kernels.bands import band_height, in_bands
from microtome.core.raster import Image

__all__ = ["Extent", "Histogram", "extent", "histogram"]

FLOAT_BINS = 256
MOST_LEVELS = 65_536
_AT_ONCE = 1 << 22  # OpenCV gives counts as float32, which is exact below 1 << 24


@dataclass(frozen=True)
class Extent:
    """The range the bins must cover, and the type of the values.

    Attributes
    ----------
    low, high : int or float
        The whole range of the type for integers of 8 and 16 bits, the least and the greatest value for others.
    dtype : numpy.dtype
    """

    low: int | float
    high: int | float
    dtype: np.dtype[Any]

    def merge(self, other: Extent) -> Extent:
        """The extent of both together."""
        return Extent(min(self.low, other.low), max(self.high, other.high), np.result_type(self.dtype, other.dtype))


@dataclass(frozen=True, eq=False)
class Histogram:
    """How often each level occurs.

    Attributes
    ----------
    counts : ndarray of int64, shape (L,)
    levels : ndarray, shape (L,)
        The value each bin stands for, ascending: for integers the bin's last (where a bin holds one level, that
        level), for floats its centre.
    width : int
        Levels an integer's bin holds: 1 up to 65,536 levels.
    """

    counts: NDArray[np.int64]
    levels: NDArray[Any]
    width: int = 1

    def merge(self, other: Histogram) -> Histogram:
        """The histogram of both together; both were made over the same `Extent`."""
        return Histogram(self.counts + other.counts, self.levels, self.width)


def extent(image: Image, settings: Any = None, before: None = None) -> Extent:
    """First pass: the range of the values. Integers of 8 and 16 bits are not even looked at.

    Raises
    ------
    InputError
        For an array of bool, which is a mask already, and for floats whose range overflows.

    Examples
    --------
    >>> extent(Image(np.array([[3, 9]], np.int32))).high
    9
    """
    dtype = image.pixels.dtype
    place = f"{image.source}: " if image.source else ""
    if dtype.kind == "b":
        raise InputError(f"{place}a bool array has two values and no histogram; it is a mask already")
    if dtype.kind in "ui" and dtype.itemsize <= 2:
        return Extent(int(np.iinfo(dtype).min), int(np.iinfo(dtype).max), dtype)
    low, high = image.extremes
    if dtype.kind == "f" and not np.isfinite(_edges(low, high, dtype)).all():
        raise InputError(f"{place}the values reach from {low:g} to {high:g}, too wide for {dtype}; scale them down")
    return Extent(low, high, dtype)


def histogram(image: Image, settings: Any, before: Extent) -> Histogram:
    """Second pass: count.

    Integers have a bin a level, over 8 and 16 bits for the whole type (256 and 65,536 bins), else from the least
    level to the greatest; beyond 65,536 levels, bins hold the same whole number of levels each. Floats have 256 bins
    between the least and the greatest value by numpy's rule: a bin holds its lower edge, the last one its upper edge
    too. A constant float image has one bin, at its value.

    Parameters
    ----------
    image : Image
        All its channels are counted together.
    settings : ignored
    before : Extent
        What to cover; tiles and images that share it have histograms that add up.

    Examples
    --------
    >>> image = Image(np.array([[0, 2, 2]], np.uint8))
    >>> histogram(image, None, extent(image)).counts[:4].tolist()
    [1, 0, 2, 0]
    """
    return _of_floats(image.pixels, before) if before.dtype.kind == "f" else _of_integers(image.pixels, before)


def _of_integers(pixels: NDArray[Any], span: Extent) -> Histogram:
    low, high = int(span.low), int(span.high)
    width = -(-(high - low + 1) // MOST_LEVELS)
    bins = (high - low) // width + 1

    def count(first: int, past: int) -> NDArray[np.int64]:
        return _count(_codes(pixels[first:past], span, width), bins)

    counts = _total(in_bands(count, len(pixels), band_height(pixels.shape, _AT_ONCE)), bins)
    levels = np.arange(bins, dtype=np.uint64 if high > np.iinfo(np.int64).max else np.int64) * width + low + (width - 1)
    levels[-1] = high
    return Histogram(counts, levels, width)


def _codes(band: NDArray[Any], span: Extent, width: int) -> NDArray[Any]:
    """Each pixel's bin, as uint8 or uint16; pixels that are their own bins are not copied."""
    if span.low == 0 and width == 1 and band.dtype in (np.uint8, np.uint16):
        return np.ascontiguousarray(band)
    # Unsigned arithmetic wraps around, so that the difference is right even where it exceeds the signed type.
    unsigned = np.dtype(f"u{span.dtype.itemsize}")
    above = band.astype(span.dtype).view(unsigned)
    above -= unsigned.type(int(span.low) % (1 << 8 * unsigned.itemsize))
    if width > 1:
        above //= unsigned.type(width)
    return above.astype(np.uint16)


def _count(codes: NDArray[Any], bins: int) -> NDArray[np.int64]:
    import cv2

    line = codes.reshape(1, -1)
    parts = [cv2.calcHist([line[:, i : i + _AT_ONCE]], [0], None, [bins], [0, bins]) for i in range(0, line.size, _AT_ONCE)]
    return _total([part.ravel().astype(np.int64) for part in parts], bins)


def _of_floats(pixels: NDArray[Any], span: Extent) -> Histogram:
    edges = _edges(span.low, span.high, span.dtype)
    if span.low == span.high:
        return Histogram(np.array([pixels.size], np.int64), edges[:1])
    # numba is imported only here: integers do without it.
    from microtome.core.kernels.float_bins import count_between

    def count(first: int, past: int) -> NDArray[np.int64]:
        return count_between(np.ascontiguousarray(pixels[first:past], edges.dtype).reshape(-1), edges)

    counts = _total(in_bands(count, len(pixels), band_height(pixels.shape)), FLOAT_BINS)
    return Histogram(counts, (edges[:-1] + edges[1:]) / 2)


def _edges(low: float, high: float, dtype: np.dtype[Any]) -> NDArray[Any]:
    kind = np.float64 if dtype.itemsize > 4 else np.float32  # and computed in it, as numpy does
    with np.errstate(over="ignore", invalid="ignore"):
        return np.linspace(kind(low), kind(high), FLOAT_BINS + 1, dtype=kind)


def _total(parts: list[NDArray[np.int64]], bins: int) -> NDArray[np.int64]:
    total = np.zeros(bins, np.int64)
    for part in parts:
        total += part
    return total
