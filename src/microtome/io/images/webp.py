"""WebP: red, green, blue in 8 bits, lossy or lossless; an animation gives one frame, by its page number."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image as Pil
from PIL.WebPImagePlugin import WebPImageFile

from microtome.core.errors import InputError
from microtome.core.raster import Raster
from microtome.io.images.orientation import orientation_of_exif
from microtome.io.images.picture import RGB, Picture
from microtome.io.images.pillow import ERRORS, pictures

__all__ = ["ERRORS", "opened", "write"]


@contextmanager
def opened(path: Path) -> Iterator[list[Picture]]:
    """Read the header and count the frames."""
    file = WebPImageFile(io.BytesIO(path.read_bytes()))
    yield pictures(file, orientation=orientation_of_exif(file.info.get("exif", b"")))


def write(image: Raster, to: Path) -> list[str]:
    """Write three channels of 8 bits, lossless; say what was lost."""
    if image.axes != "yxc" or image.pixels.dtype != np.uint8 or image.pixels.shape[-1] != 3:
        raise InputError(f"a WebP holds red, green, blue in uint8, not {image.axes} of {image.pixels.dtype}; write .png or .tif")
    Pil.fromarray(image.pixels).save(to, "WEBP", lossless=True, exact=True)
    keeps_all = image.spacing is None and getattr(image, "channels", ()) in ((), RGB)
    return [] if keeps_all else ["a WebP holds neither spacing nor channel names; .tif does"]
