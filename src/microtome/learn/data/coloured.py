"""Masks whose classes are colours, read with the colours of a class list (CamVid's ``*_L.png``)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from microtome.core.classes import ClassTable
from microtome.core.errors import InputError
from microtome.core.raster import SemanticMap

__all__ = ["is_coloured", "read_coloured"]


def is_coloured(path: Path) -> bool:
    """Whether a file is a PNG of colours, without a palette."""
    from microtome.io.masks import png
    from microtome.io.masks.note import KEYWORD

    try:
        with path.open("rb") as file:
            head = file.read(33)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    if not head.startswith(png.SIGNATURE) or png.header(head, path).colour not in (2, 6):
        return False
    return KEYWORD not in png.texts(path.read_bytes(), path)


def read_coloured(path: Path, colours: Mapping[tuple[int, int, int], int], classes: ClassTable) -> SemanticMap:
    """Read a mask of colours as classes.

    Raises
    ------
    InputError
        If a colour is not in the list, with how many pixels have it and where the first is.
    """
    from microtome.io.images import read

    pixels = read(path).pixels
    if pixels.ndim != 3 or pixels.shape[-1] < 3 or pixels.dtype != np.uint8:
        raise InputError(f"{path}: expected a mask of 8-bit colours, found {pixels.dtype} of shape {pixels.shape}")
    codes = pixels[..., 0].astype(np.int32) << 16 | pixels[..., 1].astype(np.int32) << 8 | pixels[..., 2]
    listed = np.array([red << 16 | green << 8 | blue for red, green, blue in colours], np.int32)
    order = np.argsort(listed)
    at = np.minimum(np.searchsorted(listed[order], codes), len(listed) - 1)
    strange = listed[order][at] != codes
    if strange.any():
        place = tuple(int(i) for i in np.unravel_index(int(strange.argmax()), strange.shape))
        colour = tuple(int(v) for v in pixels[place][:3])
        raise InputError(f"{path}: {int(strange.sum())} pixels have colours that the class list does not name, first {colour} at {place}; "
                         "add them to the list, or save the mask without smoothing")  # fmt: skip
    values = np.array(list(colours.values()), np.int32)[order]
    return SemanticMap(values[at], classes=classes, source=str(path))
