"""Palette PNG: the class is the pixel's index, and every viewer shows it in its colour."""

from __future__ import annotations

import colorsys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from microtome.core.classes import ClassTable
from microtome.core.errors import InputError
from microtome.io.masks import png
from microtome.io.masks.note import KEYWORD, Mask, Note, to_json
from microtome.io.whole import whole_file

__all__ = ["colours", "read", "write"]

# Okabe and Ito's set, told apart with every common colour vision: orange, sky blue, green, yellow, blue, vermilion, purple.
_OKABE_ITO = ((230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167))
_BLACK, _GREY = (0, 0, 0), (128, 128, 128)
_GOLDEN = 0.6180339887498949


def colours(classes: ClassTable, count: int) -> NDArray[np.uint8]:
    """A colour for each value from 0 to ``count - 1``: background black, ignored grey, seven colour-blind-safe ones, then more.

    Returns
    -------
    ndarray of uint8, shape (count, 3)

    Examples
    --------
    >>> colours(ClassTable.binary(), 2).tolist()
    [[0, 0, 0], [230, 159, 0]]
    """
    fixed = {**dict.fromkeys(classes.values("background"), _BLACK), **dict.fromkeys(classes.values("ignore"), _GREY)}
    if 0 not in {entry.value for entry in classes}:
        fixed[0] = _BLACK
    table, used = [], 0
    for value in range(count):
        table.append(fixed[value] if value in fixed else _colour(used))
        used += value not in fixed
    return np.array(table, np.uint8)


def _colour(number: int) -> tuple[int, int, int]:
    if number < len(_OKABE_ITO):
        return _OKABE_ITO[number]
    # hues a golden ratio apart never come round; lightness alternates so that it alone tells neighbours apart
    red, green, blue = colorsys.hls_to_rgb(number * _GOLDEN % 1, (0.35, 0.55, 0.75)[number % 3], 0.8)
    return round(255 * red), round(255 * green), round(255 * blue)


def write(mask: Mask, path: Path) -> None:
    """Write classes from 0 to 255 of a 2-D mask.

    Raises
    ------
    InputError
        If a class or an axis does not fit.
    """
    low, high = int(mask.pixels.min()), int(mask.pixels.max())
    if mask.ndim != 2 or low < 0 or high > 255:
        raise InputError(f"{path}: a palette holds classes from 0 to 255 over two axes, found {low} to {high} over {mask.axes!r}; "
                         "write a TIFF")  # fmt: skip
    shown = max([high, *(entry.value for entry in mask.classes if entry.value <= 255)])
    pixels = mask.pixels.astype(np.uint8, copy=False)
    with whole_file(path) as temporary:
        temporary.write_bytes(png.encode(pixels, {KEYWORD: to_json(mask, "palette")}, colours(mask.classes, shown + 1)))


def read(data: bytes, about: Note, path: Path) -> Mask:
    """Read what `write` wrote."""
    return about.mask(png.indices(data, path), path)
