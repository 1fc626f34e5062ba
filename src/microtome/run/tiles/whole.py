"""A whole image by windows: brought to the network's scale, covered, asked, put together, brought back to the image's own pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from microtome.core.raster import Image
from microtome.run.tiles.cover import snug
from microtome.run.tiles.resize import brought_back, resized, scaled_shape
from microtome.run.tiles.stitch import over_windows

__all__ = ["Windows", "over_image"]


@dataclass(frozen=True)
class Windows:
    """How a network goes over an image.

    Attributes
    ----------
    size, overlap : tuple of int
        Of a window, along every axis.
    multiple : int
        Of which the sides of snug windows are multiples, see `microtome.run.tiles.cover.snug`; 0: windows keep their size.
    margin : int
        What the network takes off each side of its input.
    batch : int
    scale : float, or one an axis
        What an image is resized by before.
    """

    size: tuple[int, ...]
    overlap: tuple[int, ...]
    multiple: int = 0
    margin: int = 0
    batch: int = 4
    scale: float | tuple[float, ...] = 1.0

    def seen(self, shape: Sequence[int]) -> tuple[int, ...]:
        """How large an image of this shape is before the network."""
        return scaled_shape(shape, self.scale if isinstance(self.scale, tuple) else (self.scale,) * len(shape))

    def fitted(self, shape: Sequence[int]) -> tuple[list[int], list[int]]:
        """The sides of the windows on an image of this shape, and by how much neighbours overlap: by half a window at most.

        >>> Windows((512, 512), (64, 64), multiple=16).fitted((520, 256))
        ([304, 256], [64, 64])
        """
        plans = zip(self.seen(shape), self.size, self.overlap, strict=True)
        size = [snug(length, side, over, self.multiple) for length, side, over in plans]
        return size, [min(over, side // 2) for over, side in zip(self.overlap, size, strict=True)]


def over_image(
    image: Image, ask: Callable[[NDArray[np.float32]], NDArray[np.float32]], windows: Windows, layers: Sequence[str]
) -> NDArray[np.float32]:
    """What is said of each pixel of an image.

    Parameters
    ----------
    image : Image
    ask : function
        From windows (N, *side, C) to scores (N, *inner side, L).
    windows : Windows
    layers : sequence of str
        The names of the scores: those that are lengths along an axis change with the image's size.

    Returns
    -------
    array (*shape, L), float32
    """
    pixels = image.pixels.astype(np.float32, copy=False)
    pixels = pixels if image.has_channels else pixels[..., None]
    size, overlap = windows.fitted(image.shape)
    seen = resized(pixels, windows.seen(image.shape))
    scores = over_windows(seen, ask, window=size, overlap=overlap, margin=windows.margin, batch=windows.batch)
    return brought_back(scores, image.shape, layers)
