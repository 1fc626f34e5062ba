"""JPEG: grey or colour in 8 bits.

Only the segments that make the pixels reach the decoder, so that no colour profile, thumbnail or camera note of a
stranger is parsed; of EXIF, the orientation alone is read.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL.JpegImagePlugin import JpegImageFile

from microtome.core.errors import InputError
from microtome.core.raster import Raster
from microtome.io.images.orientation import orientation_of_exif
from microtome.io.images.picture import Picture
from microtome.io.images.pillow import ERRORS, pictures

__all__ = ["ERRORS", "opened", "write"]

_START_OF_SCAN = 0xDA
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # the rest of C0..CF are tables
_KEPT_NOTES = {0xE0, 0xEE}  # JFIF and Adobe say what the components mean
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD8)}


@dataclass
class _Segments:
    kept: bytearray
    exif: bytes = b""
    bits: int = 0
    components: int = 0


@contextmanager
def opened(path: Path) -> Iterator[list[Picture]]:
    """Read the segments up to the pixels."""
    segments = _segments(path.read_bytes())
    if segments.components == 4:
        raise InputError("the JPEG holds CMYK (printing inks): convert it to RGB or grey with the program it came from")
    if segments.bits != 8:
        raise InputError(f"the JPEG has {segments.bits} bits a value and 8 are read; convert it to a 16-bit PNG or TIFF")
    file = JpegImageFile(io.BytesIO(segments.kept))
    yield pictures(file, orientation=orientation_of_exif(segments.exif))


def _segments(data: bytes) -> _Segments:
    """Walk the markers: keep tables, frame and pixels, leave application notes and comments out."""
    found = _Segments(bytearray(data[:2]))
    place = 2
    while place + 4 <= len(data):
        if data[place] != 0xFF:
            raise InputError(f"the JPEG is damaged: no marker at byte {place:,}")
        marker = data[place + 1]
        if marker == 0xFF or marker in _WITHOUT_LENGTH:
            place += 1 if marker == 0xFF else 2
            continue
        past = place + 2 + struct.unpack_from(">H", data, place + 2)[0]
        if marker in _FRAMES and past <= len(data) and past - place >= 10:
            found.bits, found.components = data[place + 4], data[place + 9]
        if marker == 0xE1 and data[place + 4 : place + 10] == b"Exif\0\0":
            found.exif = found.exif or data[place + 4 : past]
        if marker == _START_OF_SCAN:
            found.kept += data[place:]
            return found
        if not (0xE0 <= marker <= 0xEF or marker == 0xFE) or marker in _KEPT_NOTES:
            found.kept += data[place:past]
        place = past
    raise InputError(f"the JPEG is cut off: it ends after {len(data):,} bytes, before its pixels")


def write(image: Raster, to: Path) -> list[str]:
    """Refuse: JPEG changes values."""
    raise InputError("a JPEG changes values where it compresses; write .png or .tif")
