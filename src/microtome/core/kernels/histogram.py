"""Histograms that add up exactly, the summary behind every threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.raster import Image

__all__ = ["Extent", "Histogram", "extent", "histogram"]

FLOAT_BINS = 256


@dataclass(frozen=True)
class Extent:
    """The least and the greatest value."""

    low: float
    high: float

    def merge(self, other: Extent) -> Extent:
        """The extent of both together."""
        return Extent(min(self.low, other.low), max(self.high, other.high))


@dataclass(frozen=True, eq=False)
class Histogram:
    """How often each level occurs.

    Attributes
    ----------
    counts : ndarray of int64, shape (L,)
    levels : ndarray, shape (L,)
        The value each bin stands for: the level itself for integers, the bin's centre for floats.
    """

    counts: NDArray[np.int64]
    levels: NDArray[Any]

    def merge(self, other: Histogram) -> Histogram:
        """The histogram of both together."""
        return Histogram(self.counts + other.counts, self.levels)


def extent(image: Image, settings: Any, before: None) -> Extent:
    """First pass: the range of the values."""
    return Extent(image.pixels.min().item(), image.pixels.max().item())


def histogram(image: Image, settings: Any, before: Extent) -> Histogram:
    """Second pass: a bin a level for integers (256 for uint8, 65,536 for uint16), 256 bins over the range for floats."""
    raise NotImplementedError
