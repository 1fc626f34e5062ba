"""GIF: 8-bit palettes; an animation gives one frame, by its page number."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL.GifImagePlugin import GifImageFile

from microtome.core.errors import InputError
from microtome.core.raster import Raster
from microtome.io.images.picture import Picture
from microtome.io.images.pillow import ERRORS, pictures

__all__ = ["ERRORS", "opened", "write"]


@contextmanager
def opened(path: Path) -> Iterator[list[Picture]]:
    """Read the header and count the frames."""
    yield pictures(GifImageFile(io.BytesIO(path.read_bytes())))


def write(image: Raster, to: Path) -> list[str]:
    """Refuse: a GIF keeps 256 colours."""
    raise InputError("a GIF holds only a palette and would change values; write .png or .tif")
