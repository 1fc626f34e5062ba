"""Classes by the level of the pixel: what every threshold ends in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from microtome.core.classes import ClassTable
from microtome.core.kernels.bands import band_height, in_bands
from microtome.core.raster import Image, SemanticMap

__all__ = ["Foreground", "by_level", "number_above"]

Foreground = Literal["bright", "dark"]


def by_level(image: Image, thresholds: Sequence[float], foreground: Foreground) -> SemanticMap:
    """Class every pixel by how many of the ascending `thresholds` it lies above; class 0 is the background.

    A threshold is the last value of the lower class. For ``"dark"`` the classes are numbered the other way round.
    """
    top = len(thresholds)
    table = ClassTable.binary() if top == 1 else ClassTable.numbered(top + 1)
    if image.pixels.dtype.kind in "ui":
        thresholds = [math.floor(t) for t in thresholds]  # says the same of whole numbers, and compares them as such
    return SemanticMap(number_above(image.pixels, thresholds, downwards=foreground == "dark"), **image.geometry(), classes=table)


def number_above(pixels: NDArray[Any], thresholds: Sequence[float], *, downwards: bool) -> NDArray[np.uint8]:
    """How many of the thresholds each pixel lies above or, `downwards`, does not: uint8, of the shape of `pixels`."""
    compare = np.less_equal if downwards else np.greater
    classes = np.empty(pixels.shape, np.uint8)

    def fill(first: int, past: int) -> None:
        band, out = pixels[first:past], classes[first:past]
        compare(band, thresholds[0], out=out.view(bool))
        for threshold in thresholds[1:]:
            out += compare(band, threshold)

    in_bands(fill, len(pixels), band_height(pixels.shape))
    return classes
