"""Grey PNG: the id is the pixel's value, 8 bits where that is enough, else 16."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from microtome.core.errors import InputError
from microtome.io.masks import png
from microtome.io.masks.note import KEYWORD, Mask, Note, to_json
from microtome.io.whole import whole_file

__all__ = ["read", "write"]


def write(mask: Mask, path: Path) -> None:
    """Write ids from 0 to 65,535 of a 2-D mask.

    Raises
    ------
    InputError
        If an id or an axis does not fit: nothing is ever wrapped or narrowed.
    """
    low, high = int(mask.pixels.min()), int(mask.pixels.max())
    if mask.ndim != 2 or low < 0 or high > 65535:
        raise InputError(f"{path}: a PNG holds ids from 0 to 65535 over two axes, found {low} to {high} over {mask.axes!r}; write a TIFF")
    pixels = mask.pixels.astype(np.uint8 if high <= 255 else np.uint16, copy=False)
    with whole_file(path) as temporary:
        temporary.write_bytes(png.encode(pixels, {KEYWORD: to_json(mask, "label")}))


def read(data: bytes, about: Note, path: Path) -> Mask:
    """Read what `write` wrote."""
    return about.mask(png.indices(data, path), path)
