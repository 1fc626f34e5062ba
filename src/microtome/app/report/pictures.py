"""What the page shows of one image: a small picture, its masks at the same size, and a thumbnail with outlines.

A picture is lossy (WebP) and only to look at; a mask is exact at the preview's size: every pixel is the label of the pixel
it was taken from. Masks travel as numbers, not as a picture, because browsers may alter the pixels a page reads back.
"""

from __future__ import annotations

import base64
import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from microtome.app.report.palette import OBJECTS, colours_apart, dense, rgb
from microtome.core.raster import Image, InstanceMap, SemanticMap

__all__ = ["Layer", "Scale", "encode_labels", "layer", "middle_plane", "nearest", "outlined", "shrunk", "to_webp", "visible"]

LOW, HIGH = 0.5, 99.5


@dataclass(frozen=True)
class Scale:
    """How large previews may be: the longer side in pixels, and the characters all of one image's pictures may take."""

    side: int
    characters: int

    @classmethod
    def for_images(cls, count: int, *, total: int = 50_000_000) -> Scale:
        """Share `total` characters of page among `count` images.

        >>> Scale.for_images(5).side, Scale.for_images(500).side
        (1024, 632)
        """
        share = total // max(count, 1)
        return cls(int(np.clip(np.sqrt(share * 4), 200, 1024)), min(share, 900_000))

    @property
    def thumbnail(self) -> Scale:
        """The scale of thumbnails beside previews of this scale."""
        return Scale(min(max(self.side // 3, 60), 220), self.characters)

    def fit(self, shape: Sequence[int]) -> tuple[int, int]:
        """Height and width of the preview of a picture of this shape; never larger than the picture.

        >>> Scale(100, 0).fit((50, 200))
        (25, 100)
        """
        factor = min(1.0, self.side / max(shape))
        return max(round(shape[0] * factor), 1), max(round(shape[1] * factor), 1)


@dataclass(frozen=True, eq=False)
class Layer:
    """One mask at the preview's size.

    Attributes
    ----------
    numbers : ndarray of int32, axes yx
        0 outside, else the object's place in `ids`, from 1.
    ids : ndarray of int64
        The labels (class values, for a semantic map) that can be seen in the preview.
    colours : ndarray of uint8
        Index into `palette.OBJECTS`, one an id.
    """

    numbers: NDArray[np.int32]
    ids: NDArray[np.int64]
    colours: NDArray[np.uint8]


def middle_plane(pixels: NDArray[Any], axes: str) -> NDArray[Any]:
    """The plane half-way through a volume; a flat image as it is."""
    return pixels[len(pixels) // 2] if axes.startswith("z") else pixels


def nearest(pixels: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """Take the pixel nearest to each preview pixel's centre, and mix none.

    >>> nearest(np.array([[1, 1, 9, 9]]), (1, 2)).tolist()
    [[1, 9]]
    """
    (height, width), (rows, columns) = pixels.shape[:2], size
    if (height, width) == size:
        return pixels
    down = ((np.arange(rows) + 0.5) * height / rows).astype(np.intp)
    right = ((np.arange(columns) + 0.5) * width / columns).astype(np.intp)
    return pixels[down[:, None], right]


def shrunk(pixels: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """Average an image down to `size` (height, width); the values stay in their own range."""
    import cv2

    if pixels.shape[:2] == size:
        return pixels
    if pixels.dtype not in (np.uint8, np.uint16, np.float32):
        pixels = pixels.astype(np.float32)
    return np.asarray(cv2.resize(np.ascontiguousarray(pixels), size[::-1], interpolation=cv2.INTER_AREA))


def visible(image: Image, size: tuple[int, int]) -> tuple[NDArray[np.uint8], list[str]]:
    """An image as 8-bit grey or RGB of `size`, and what was done to it for the eye alone.

    Returns
    -------
    picture : ndarray of uint8, axes yx or yxc
    notes : list of str
        Sentences for the page: contrast, planes and channels.
    """
    pixels, notes = middle_plane(image.pixels, image.axes), []
    if image.ndim == 3:
        notes.append(f"Plane {len(image.pixels) // 2} of 0 to {len(image.pixels) - 1}, the middle of the volume.")
    if image.has_channels:
        pixels, remark = _three_channels(pixels)
        notes += remark
    boolean = pixels.dtype == bool
    pixels = shrunk(pixels.astype(np.uint8) * 255 if boolean else pixels, size)
    if pixels.dtype == np.uint8:
        return pixels, notes
    notes.append(f"Brightness is stretched between percentiles {LOW:g} and {HIGH:g} for display; measurements use the values as read.")
    return _stretched(pixels), notes


def _three_channels(pixels: NDArray[Any]) -> tuple[NDArray[Any], list[str]]:
    count = pixels.shape[-1]
    if count == 1:
        return pixels[..., 0], []
    if count == 2:
        return pixels[..., [0, 1, 0]], ["Channel 0 in magenta, channel 1 in green."]
    return pixels[..., :3], [] if count == 3 else [f"Channels 0, 1 and 2 of {count} in red, green and blue."]


def _stretched(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    low, high = np.nanpercentile(pixels, (LOW, HIGH), axis=(0, 1)) if pixels.ndim == 3 else np.nanpercentile(pixels, (LOW, HIGH))
    span = np.where(high > low, high - low, 1)
    return np.nan_to_num(np.clip((pixels - low) / span, 0, 1) * 255).astype(np.uint8)


def layer(mask: SemanticMap | InstanceMap, size: tuple[int, int]) -> Layer:
    """A mask at the preview's size, its objects numbered anew and coloured so that neighbours differ."""
    labels = nearest(middle_plane(mask.pixels, mask.axes), size)
    if isinstance(mask, InstanceMap):
        numbers, ids = dense(labels)
        return Layer(numbers, ids, colours_apart(numbers, len(ids)))
    outside = mask.classes.values("background", "ignore")
    known = [entry.value for entry in mask.classes]
    if 0 not in known:
        outside = (*outside, 0)
    ids = np.array(sorted({*known, *np.unique(labels).tolist()} - {*outside}), np.int64)
    inside = np.isin(labels, ids)
    numbers = np.where(inside, np.searchsorted(ids, labels) + 1, 0).astype(np.int32)
    return Layer(numbers, ids, (np.arange(len(ids)) % len(OBJECTS)).astype(np.uint8))


def outlined(picture: NDArray[np.uint8], layers: Sequence[Layer]) -> NDArray[np.uint8]:
    """Draw each object's inner edge, one pixel wide, into a copy of the picture (as RGB)."""
    drawn = np.repeat(picture[..., None], 3, axis=2) if picture.ndim == 2 else picture.copy()
    for one in layers:
        edge = edges(one.numbers)
        drawn[edge] = rgb(OBJECTS)[one.colours[one.numbers[edge] - 1]]
    return drawn


def edges(numbers: NDArray[np.int32]) -> NDArray[np.bool_]:
    """True where an object's pixel has a neighbour (above, below, left, right) of another object or of none."""
    differ = np.zeros(numbers.shape, bool)
    down, right = numbers[1:] != numbers[:-1], numbers[:, 1:] != numbers[:, :-1]
    differ[1:] |= down
    differ[:-1] |= down
    differ[:, 1:] |= right
    differ[:, :-1] |= right
    return differ & (numbers > 0)


def to_webp(picture: NDArray[np.uint8], quality: int = 78) -> str:
    """A picture as base64 of a lossy WebP."""
    file = io.BytesIO()
    PIL.Image.fromarray(picture).save(file, "WEBP", quality=quality, method=2)
    return base64.b64encode(file.getvalue()).decode("ascii")


def encode_labels(numbers: NDArray[np.int32]) -> dict[str, Any]:
    """Numbers as the base64 of deflated bytes: all low bytes, then all higher ones, as many planes as the largest needs."""
    planes = max((int(numbers.max(initial=0)).bit_length() + 7) // 8, 1)
    data = b"".join(((numbers >> 8 * k) & 255).astype(np.uint8).tobytes() for k in range(planes))
    return {"planes": planes, "labels": base64.b64encode(zlib.compress(data, 6)).decode("ascii")}
