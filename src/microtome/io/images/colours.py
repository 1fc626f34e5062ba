"""From stored values to grey or red, green, blue: palettes, opacity and inverted greys."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.io.images.picture import RGB, Picture

__all__ = ["resolve_colours"]


def resolve_colours(picture: Picture, pixels: NDArray[Any], axes: str) -> tuple[NDArray[Any], str, Picture]:
    """Apply what the header says of colour to the decoded values.

    Returns
    -------
    pixels, axes, picture
        Without palette or opacity; the picture's notes say what was left out.
    """
    notes = list(picture.notes)
    if picture.white_is_zero:
        pixels = np.iinfo(pixels.dtype).max - pixels
    if picture.palette is not None:
        pixels, axes = _expand(picture, pixels, axes, notes)
    elif picture.colour_key is not None:
        hidden = np.all(np.atleast_3d(pixels) == np.asarray(picture.colour_key), axis=-1)
        _say_transparent(int(hidden.sum()), hidden.size, notes)
    channels = picture.channels
    if picture.alpha:
        pixels = _drop_opacity(pixels, axes.index("c"), notes)
        channels = channels[:-1] if len(channels) > pixels.shape[axes.index("c")] else channels
    count = pixels.shape[axes.index("c")] if "c" in axes else 1
    if picture.palette is not None and count == 3:
        channels = RGB
    return pixels, axes, replace(picture, notes=tuple(notes), channels=channels)


def _expand(picture: Picture, pixels: NDArray[Any], axes: str, notes: list[str]) -> tuple[NDArray[Any], str]:
    """Palette to colours; to grey where every entry of the palette is one."""
    assert picture.palette is not None
    palette = picture.palette
    highest = int(pixels.max(initial=0))
    if highest >= len(palette):
        raise InputError(f"a pixel has palette entry {highest}, and the palette has {len(palette)}; the file is damaged")
    if picture.opaque is not None:
        hidden = ~picture.opaque[pixels]
        _say_transparent(int(hidden.sum()), hidden.size, notes)
    if (palette == palette[:, :1]).all():
        return palette[:, 0][pixels], axes
    notes.append(f"its palette of {len(palette)} colours was expanded to red, green, blue")
    return palette[pixels], f"{axes}c"


def _drop_opacity(pixels: NDArray[Any], axis: int, notes: list[str]) -> NDArray[Any]:
    """Leave the opacity channel out: it is kept by no method, and a fully opaque one says nothing."""
    colours, opacity = np.split(pixels, [pixels.shape[axis] - 1], axis)
    full = np.iinfo(pixels.dtype).max if pixels.dtype.kind in "ui" else 1
    _say_transparent(int(np.count_nonzero(opacity != full)), opacity.size, notes)
    return colours


def _say_transparent(hidden: int, total: int, notes: list[str]) -> None:
    if hidden:
        notes.append(f"{hidden:,} of {total:,} pixels are transparent: the opacity was dropped, the colours under it are used as stored")
