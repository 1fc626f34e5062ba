"""RGB PNG that ordinary viewers show in distinct colours, and that reads back to the same ids.

An id times an odd number, modulo 2**24, is another number below 2**24 and no two ids share it: its three bytes are the colour.
Zero stays black. Multiplying by the inverse gives the id back.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from microtome.core.errors import InputError
from microtome.io.masks import png
from microtome.io.masks.note import KEYWORD, Mask, Note, to_json
from microtome.io.whole import whole_file

__all__ = ["read", "write"]

_SPREAD = 0x9E3779  # 2**24 over the golden ratio, odd: neighbouring ids get far colours
_BACK = pow(_SPREAD, -1, 1 << 24)
_MASK = (1 << 24) - 1


def write(mask: Mask, path: Path) -> None:
    """Write ids from 0 to 16,777,215 of a 2-D mask as colours.

    Raises
    ------
    InputError
        If an id or an axis does not fit.
    """
    low, high = int(mask.pixels.min()), int(mask.pixels.max())
    if mask.ndim != 2 or low < 0 or high > _MASK:
        raise InputError(f"{path}: the colour form holds ids from 0 to {_MASK} over two axes, found {low} to {high} over {mask.axes!r}; "
                         "use form='ids'")  # fmt: skip
    scattered = mask.pixels.astype(np.uint32) * np.uint32(_SPREAD)  # wraps at 2**32; the lower 24 bits are what counts
    colours = scattered.astype(">u4").view(np.uint8).reshape(*mask.shape, 4)[..., 1:]
    with whole_file(path) as temporary:
        temporary.write_bytes(png.encode(colours, {KEYWORD: to_json(mask, "colour")}))


def read(data: bytes, about: Note, path: Path) -> Mask:
    """Read what `write` wrote."""
    head = png.header(data, path)
    if (head.colour, head.depth) != (2, 8):
        raise InputError(f"{path}: another program changed the colours of this mask's file, so its ids are gone; write it again")
    colours = png.decode(data, path)
    scattered = colours[..., 0].astype(np.uint32) << 16 | colours[..., 1].astype(np.uint32) << 8 | colours[..., 2]
    return about.mask(scattered * np.uint32(_BACK) & np.uint32(_MASK), path)
