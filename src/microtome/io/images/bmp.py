"""BMP: 1 to 32 bits, palettes, run lengths."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image as Pil
from PIL.BmpImagePlugin import BmpImageFile

from microtome.core.errors import InputError
from microtome.core.raster import Raster
from microtome.io.images.picture import RGB, Picture
from microtome.io.images.pillow import ERRORS, pictures

__all__ = ["ERRORS", "opened", "write"]


@contextmanager
def opened(path: Path) -> Iterator[list[Picture]]:
    """Read the header. It says how long the file is: run lengths that end early would decode to black."""
    data = path.read_bytes()
    (length,) = struct.unpack_from("<I", data, 2)
    if length > len(data):
        raise InputError(f"the BMP is cut off: {len(data):,} of {length:,} bytes are there")
    yield pictures(BmpImageFile(io.BytesIO(data)))


def write(image: Raster, to: Path) -> list[str]:
    """Write 8 bits, grey or three channels; say what was lost."""
    pixels = image.pixels[..., 0] if image.has_channels and image.pixels.shape[-1] == 1 else image.pixels
    if pixels.dtype != np.uint8 or image.ndim != 2 or (pixels.ndim == 3 and pixels.shape[-1] != 3):
        raise InputError(f"a BMP holds uint8, one plane, grey or red, green, blue, not {pixels.shape} of {pixels.dtype}; write .tif")
    Pil.fromarray(pixels).save(to, "BMP")
    keeps_all = image.spacing is None and getattr(image, "channels", ()) in ((), RGB)
    return [] if keeps_all else ["a BMP is written without spacing and channel names; .tif holds both"]
