"""Upright pictures: cameras store the sensor's rows and say how to turn them."""

from __future__ import annotations

import struct

import numpy as np

from microtome.core.raster import Image

__all__ = ["orientation_of_exif", "upright"]

_TAG = 0x0112
# EXIF's number: (transpose first, then flip y, then flip x)
_TURNS = {2: (False, False, True), 3: (False, True, True), 4: (False, True, False), 5: (True, False, False),
          6: (True, False, True), 7: (True, True, True), 8: (True, True, False)}  # fmt: skip


def orientation_of_exif(exif: bytes) -> int:
    """The orientation, 1 to 8, that an EXIF block gives; 1 where it gives none.

    A damaged block has no say in the pixels: it counts as giving none.
    """
    exif = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None or len(exif) < 8:
        return 1
    (start,) = struct.unpack_from(f"{order}I", exif, 4)
    if start + 2 > len(exif):
        return 1
    (count,) = struct.unpack_from(f"{order}H", exif, start)
    for entry in range(start + 2, min(start + 2 + 12 * count, len(exif) - 11), 12):
        tag, kind, number, value = struct.unpack_from(f"{order}HHIH", exif, entry)
        if (tag, kind, number) == (_TAG, 3, 1) and 1 <= value <= 8:
            return int(value)
    return 1


def upright(image: Image, orientation: int) -> Image:
    """The image turned and mirrored as `orientation` says; values stay as they are, the spacing turns along.

    >>> upright(Image(np.array([[1, 2], [3, 4]])), 6).pixels.tolist()
    [[3, 1], [4, 2]]
    """
    if orientation not in _TURNS:
        return image
    transpose, flip_y, flip_x = _TURNS[orientation]
    y, x = image.axes.index("y"), image.axes.index("x")
    pixels, spacing = image.pixels, image.spacing
    if transpose:
        pixels = pixels.swapaxes(y, x)
        spacing = None if spacing is None else (*spacing[:y], spacing[x], spacing[y])
    flipped = tuple(axis for axis, flip in ((y, flip_y), (x, flip_x)) if flip)
    pixels = np.ascontiguousarray(np.flip(pixels, flipped))
    return Image(pixels, image.axes, spacing, image.unit, source=image.source, channels=image.channels)
