"""What the formats that Pillow decodes (BMP, GIF, JPEG, WebP) share: frames, modes, palettes.

Each format calls its own plug-in, never Pillow's search over all of them, so that only one parser sees a file.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pil
from PIL.ImageFile import ImageFile

from microtome.core.errors import InputError
from microtome.io.images.picture import RGB, Picture

__all__ = ["ERRORS", "pictures"]

# What Pillow's parsers are known to raise on damaged files.
ERRORS = (OSError, SyntaxError, ValueError, IndexError, KeyError, TypeError, EOFError, OverflowError, ZeroDivisionError,
          struct.error, Pil.DecompressionBombError)  # fmt: skip

_SAMPLES = {"1": 1, "L": 1, "P": 1, "PA": 2, "LA": 2, "RGB": 3, "RGBA": 4, "I;16": 1}


def pictures(file: ImageFile, *, orientation: int = 1, notes: tuple[str, ...] = ()) -> list[Picture]:
    """Describe every frame of an open file; nothing is decoded yet."""
    count = getattr(file, "n_frames", 1)
    return [_frame(file, number, count, orientation, notes) for number in range(count)]


def _frame(file: ImageFile, number: int, count: int, orientation: int, notes: tuple[str, ...]) -> Picture:
    mode = file.mode
    if mode not in _SAMPLES:
        raise InputError(f"pixels of kind {mode} ({_IN_WORDS.get(mode, 'unknown')}) are not read; convert the file to grey or RGB")
    # Later frames are painted over the ones before, in colour.
    as_rgb = count > 1 and number > 0
    samples = 4 if as_rgb else _SAMPLES[mode]
    palette, opaque = _palette(file) if mode == "P" and not as_rgb else (None, None)
    key = file.info.get("transparency") if mode == "L" and not as_rgb else None

    def load(_: tuple[int, int] | None) -> NDArray[Any]:
        file.seek(number)
        pixels = np.asarray(file.convert("RGBA") if as_rgb else file)
        return np.where(pixels, np.uint8(255), np.uint8(0)) if pixels.dtype == bool else pixels

    return Picture(
        shape=(file.height, file.width, samples)[: 2 + (samples > 1)],
        dtype=np.dtype(np.uint16 if mode == "I;16" else np.uint8),
        axes="yxc" if samples > 1 else "yx",
        load=load,
        channels=RGB if samples > 2 else (),
        palette=palette,
        opaque=opaque,
        alpha=samples in (2, 4),
        colour_key=(key,) if isinstance(key, int) else None,
        orientation=orientation,
        notes=notes,
    )


_IN_WORDS = {"CMYK": "printing inks", "YCbCr": "luminance and colour differences", "LAB": "CIE L*a*b*"}


def _palette(file: ImageFile) -> tuple[NDArray[np.uint8], NDArray[np.bool_] | None]:
    colours = file.getpalette("RGB")
    if not colours:
        raise InputError("its palette is missing; the file is damaged")
    palette = np.array(colours, np.uint8).reshape(-1, 3)
    clear = file.info.get("transparency")
    if not isinstance(clear, int):
        return palette, None
    opaque = np.ones(256, bool)
    opaque[clear] = False
    return palette, opaque
