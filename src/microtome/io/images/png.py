"""PNG: 1 to 16 bits, grey, colour, palette, with or without opacity.

Only the chunks that make the pixels are unpacked, never a stranger's colour profile or text.
Values come as stored: 2- and 4-bit greys are 0..3 and 0..15, and no gamma is applied; 1 bit gives 0 and 255.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.raster import Raster
from microtome.core.units import METRES
from microtome.io.images.orientation import orientation_of_exif
from microtome.io.images.picture import RGB, Picture
from microtome.io.images.png_filters import inflated_size, unpack
from microtome.io.images.resolution import spacing_of

__all__ = ["ERRORS", "opened", "write"]

ERRORS = (zlib.error, struct.error)

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _RGB, _PALETTE, _GREY_ALPHA, _RGB_ALPHA = 0, 2, 3, 4, 6
_SAMPLES = {_GREY: 1, _RGB: 3, _PALETTE: 1, _GREY_ALPHA: 2, _RGB_ALPHA: 4}
_BITS = {_GREY: (1, 2, 4, 8, 16), _RGB: (8, 16), _PALETTE: (1, 2, 4, 8), _GREY_ALPHA: (8, 16), _RGB_ALPHA: (8, 16)}
_CHECKED = (b"IHDR", b"PLTE", b"IDAT", b"tRNS", b"pHYs", b"eXIf")


@contextmanager
def opened(path: Path) -> Iterator[list[Picture]]:
    """Read the chunks of a PNG; its pixels are decoded by `Picture.load`."""
    data = path.read_bytes()
    chunks = _chunks(data)
    if "IHDR" not in chunks or "IDAT" not in chunks:
        raise InputError("the PNG has no header or no pixels; it is damaged")
    width, height, bits, kind, _, _, interlaced = struct.unpack(">IIBBBBB", chunks["IHDR"][0])
    if bits not in _BITS.get(kind, ()) or interlaced > 1:
        raise InputError(f"the PNG's header names a kind that does not exist ({bits} bits, colour type {kind}, interlace {interlaced})")
    samples = _SAMPLES[kind]
    palette, opaque = _palette(chunks) if kind == _PALETTE else (None, None)
    notes = ("it is an animation: its still picture is read",) if "acTL" in chunks else ()
    yield [
        Picture(
            shape=(height, width, samples)[: 2 + (samples > 1)],
            dtype=np.dtype(np.uint16 if bits == 16 else np.uint8),
            axes="yxc" if samples > 1 else "yx",
            load=lambda _: _decode(chunks["IDAT"], height, width, kind, bits, bool(interlaced)),
            spacing=_spacing(chunks),
            channels=RGB if kind in (_RGB, _RGB_ALPHA) else (),
            palette=palette,
            opaque=opaque,
            alpha=kind in (_GREY_ALPHA, _RGB_ALPHA),
            colour_key=_colour_key(chunks, samples) if kind in (_GREY, _RGB) else None,
            orientation=orientation_of_exif(bytes(chunks["eXIf"][0])) if "eXIf" in chunks else 1,
            notes=notes,
        )
    ]


def _chunks(data: bytes) -> dict[str, list[memoryview]]:
    """The contents of the chunks by type, their checksums verified as far as they are used."""
    view = memoryview(data)
    found: dict[str, list[memoryview]] = {}
    place = len(_SIGNATURE)
    while place + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        past = place + 12 + length
        if past > len(data):
            break
        content = view[place + 8 : past - 4]
        if kind in _CHECKED and zlib.crc32(content, zlib.crc32(kind)) != struct.unpack_from(">I", data, past - 4)[0]:
            raise InputError(f"the PNG's {kind.decode()} chunk at byte {place:,} does not match its checksum; the file is damaged")
        found.setdefault(kind.decode("latin-1"), []).append(content)
        if kind == b"IEND":
            return found
        place = past
    raise InputError(f"the PNG is cut off: it ends after {len(data):,} bytes, in the middle of its chunks")


def _decode(data: list[memoryview], height: int, width: int, kind: int, bits: int, interlaced: bool) -> NDArray[Any]:
    """Inflate and unpack the pixels; 1-bit grey becomes 0 and 255."""
    samples = _SAMPLES[kind]
    size = inflated_size(height, width, samples, bits, interlaced)
    raw = _inflate(data[0] if len(data) == 1 else b"".join(data), size)
    if len(raw) < size:
        raise InputError(f"the PNG's pixels are cut off: {len(raw):,} of {size:,} bytes are there")
    pixels = unpack(raw, height, width, samples, bits, interlaced)
    if bits == 1 and kind == _GREY:
        pixels = pixels * np.uint8(255)
    return pixels[..., 0] if samples == 1 else pixels


def _inflate(data: bytes | memoryview, size: int) -> bytes:
    """At most `size` bytes, checksum verified; some writers append more than the picture needs, which zlib can stop before."""
    try:
        return bytes(imagecodecs.deflate_decode(bytes(data), out=size))
    except imagecodecs.DeflateError:
        return zlib.decompressobj().decompress(data, size)


def _chunk(kind: bytes, data: bytes | memoryview) -> bytes:
    return b"".join((struct.pack(">I", len(data)), kind, data, struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))))


def _palette(chunks: dict[str, list[memoryview]]) -> tuple[NDArray[np.uint8], NDArray[np.bool_] | None]:
    stored = bytes(chunks["PLTE"][0]) if "PLTE" in chunks else b""
    if not stored or len(stored) % 3:
        raise InputError("the PNG's palette is missing or damaged")
    palette = np.frombuffer(stored, np.uint8).reshape(-1, 3)
    if "tRNS" not in chunks:
        return palette, None
    opaque = np.ones(max(256, len(palette)), bool)
    opacity = np.frombuffer(chunks["tRNS"][0], np.uint8)[:256]
    opaque[: len(opacity)] = opacity == 255
    return palette, opaque


def _colour_key(chunks: dict[str, list[memoryview]], samples: int) -> tuple[int, ...] | None:
    if "tRNS" not in chunks or len(chunks["tRNS"][0]) != 2 * samples:
        return None
    return struct.unpack(f">{samples}H", chunks["tRNS"][0])


def _spacing(chunks: dict[str, list[memoryview]]) -> dict[str, float]:
    """From pHYs: whole pixels a metre; unit 0 gives only a ratio."""
    if "pHYs" not in chunks:
        return {}
    x, y, unit = struct.unpack(">IIB", chunks["pHYs"][0])
    found = {"y": spacing_of(y, 0.5), "x": spacing_of(x, 0.5)} if unit == 1 else {}
    return {axis: spacing for axis, spacing in found.items() if spacing} if all(found.values()) else {}


def write(image: Raster, to: Path) -> list[str]:
    """Write 8 or 16 bits, grey or three channels, with the spacing as pHYs; say what was lost."""
    pixels = image.pixels
    if image.ndim != 2:
        raise InputError("a PNG holds one plane, not a volume; write .tif")
    if pixels.dtype not in (np.uint8, np.uint16):
        raise InputError(f"a PNG holds uint8 or uint16, not {pixels.dtype}; write .tif (or .npy)")
    if image.has_channels and pixels.shape[-1] not in (1, 3):
        raise InputError(f"a PNG holds one channel, or three as red, green, blue, not {pixels.shape[-1]}; write .tif")
    encoded = bytes(imagecodecs.png_encode(np.ascontiguousarray(pixels), level=4))
    density = _density(image)
    chunk = _chunk(b"pHYs", density) if density else b""
    end_of_header = len(_SIGNATURE) + 25
    to.write_bytes(encoded[:end_of_header] + chunk + encoded[end_of_header:])
    return _losses(image, density)


def _density(image: Raster) -> bytes:
    """The spacing as pHYs holds it, whole pixels a metre; empty where there is none, or none that fits."""
    if image.spacing is None or image.unit == "px":
        return b""
    y, x = (round(1 / (spacing * METRES[image.unit])) for spacing in image.spacing)
    return struct.pack(">IIB", x, y, 1) if min(x, y) >= 1 and max(x, y) < 2**31 else b""


def _losses(image: Raster, density: bytes) -> list[str]:
    names = getattr(image, "channels", ())
    losses = [f"a PNG does not hold the channel names {', '.join(names)}; .tif does"] if names not in ((), RGB) else []
    if image.spacing is None or image.unit == "px":
        return losses
    read_back = _spacing({"pHYs": [memoryview(density)]}) if density else {}
    spacing = [length * METRES[image.unit] * 1e6 for length in image.spacing]
    if not read_back or any(abs(read_back[axis] / s - 1) > 1e-3 for axis, s in zip("yx", spacing, strict=True)):
        losses.append(f"a PNG cannot say this spacing apart from a printing resolution, or not finely enough ({spacing[0]:g} um); .tif can")
    return losses
