"""PBM, PGM and PPM: text or raw, 8 and 16 bits. Values come as stored, whatever the header's maximum."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.raster import Raster
from microtome.io.images.picture import RGB, Picture

__all__ = ["ERRORS", "opened", "write"]

ERRORS = (ValueError,)

_GAP = rb"(?:\s|#[^\r\n]*[\r\n])+"
_NUMBER = rb"(\d{1,10})"
_BITS = re.compile(rb"P[14]" + _GAP + _NUMBER + _GAP + _NUMBER + rb"\s")
_VALUES = re.compile(rb"P[2356]" + _GAP + _NUMBER + _GAP + _NUMBER + _GAP + _NUMBER + rb"\s")


@contextmanager
def opened(path: Path) -> Iterator[list[Picture]]:
    """Read the header: kind, width, height and the largest value."""
    data = path.read_bytes()
    kind = int(data[1:2])
    is_bits, is_text, samples = kind in (1, 4), kind <= 3, 3 if kind in (3, 6) else 1
    header = (_BITS if is_bits else _VALUES).match(data)
    if header is None:
        raise InputError("the header of the PNM is damaged: expected width, height" + ("" if is_bits else " and the largest value"))
    width, height, *largest = (int(n) for n in header.groups())
    highest = 1 if is_bits else largest[0]
    if not 1 <= highest <= 65535:
        raise InputError(f"the PNM's largest value is {highest}; it must be 1 to 65535")
    shape = (height, width, samples)[: 2 + (samples > 1)]
    dtype = np.dtype(np.uint8 if highest < 256 else np.uint16)
    body = memoryview(data)[header.end() :]
    needed = _least_bytes(shape, is_bits, is_text, dtype.itemsize)
    if needed > len(body):
        raise InputError(f"the PNM is cut off: its pixels need at least {needed:,} bytes, {len(body):,} are there")

    def load(_: tuple[int, int] | None) -> NDArray[Any]:
        values = _decode_text(body, shape, is_bits) if is_text else _decode_raw(body, shape, dtype, is_bits)
        if values.max(initial=0) > highest:
            raise InputError(f"a pixel has the value {values.max()}, above the PNM's largest, {highest}; the file is damaged")
        return np.where(values, np.uint8(0), np.uint8(255)) if is_bits else values.astype(dtype, copy=False)  # 1 is black in a PBM

    yield [Picture(shape, dtype, "yxc" if samples > 1 else "yx", load, channels=RGB if samples > 1 else ())]


def _least_bytes(shape: tuple[int, ...], is_bits: bool, is_text: bool, itemsize: int) -> int:
    if is_text:
        return math.prod(shape) if is_bits else 2 * math.prod(shape) - 1
    return shape[0] * math.ceil(shape[1] / 8) if is_bits else math.prod(shape) * itemsize


def _decode_raw(body: memoryview, shape: tuple[int, ...], dtype: np.dtype[Any], is_bits: bool) -> NDArray[Any]:
    if is_bits:
        packed = np.frombuffer(body, np.uint8, _least_bytes(shape, True, False, 1)).reshape(shape[0], -1)
        return np.unpackbits(packed, axis=1, count=shape[1])
    return np.frombuffer(body, dtype.newbyteorder(">"), math.prod(shape)).reshape(shape)


def _decode_text(body: memoryview, shape: tuple[int, ...], is_bits: bool) -> NDArray[Any]:
    text = re.sub(rb"#[^\r\n]*", b"", bytes(body))
    if is_bits:  # digits may stand without gaps
        values = np.frombuffer(re.sub(rb"\s+", b"", text), np.uint8) - np.uint8(ord("0"))
    else:
        values = np.array([_value(word) for word in text.split(maxsplit=math.prod(shape))[: math.prod(shape)]], np.uint32)
    if len(values) < math.prod(shape):
        raise InputError(f"the PNM is cut off: {len(values):,} of {math.prod(shape):,} values are there")
    return values[: math.prod(shape)].reshape(shape)


def _value(word: bytes) -> int:
    if not word.isdigit() or len(word) > 5:
        raise InputError(f"{word[:20]!r} stands among the PNM's values; the file is damaged")
    return int(word)


def write(image: Raster, to: Path) -> list[str]:
    """Write raw PGM (one channel) or PPM (three), 8 or 16 bits; say what was lost."""
    pixels, suffix = image.pixels, to.suffix.lower()
    samples = pixels.shape[-1] if image.has_channels else 1
    if image.ndim != 2 or pixels.dtype not in (np.uint8, np.uint16):
        raise InputError(f"a PNM holds one plane of uint8 or uint16, not {image.axes} of {pixels.dtype}; write .tif")
    if (suffix, samples) not in ((".pgm", 1), (".ppm", 3), (".pnm", 1), (".pnm", 3)):
        raise InputError(f"{suffix} does not hold {samples} channel(s) of {pixels.dtype}: .pgm holds one, .ppm three; or write .tif")
    largest = np.iinfo(pixels.dtype).max
    header = f"P{6 if samples == 3 else 5}\n{image.shape[1]} {image.shape[0]}\n{largest}\n".encode()
    to.write_bytes(header + pixels.astype(pixels.dtype.newbyteorder(">")).tobytes())
    keeps_all = image.spacing is None and getattr(image, "channels", ()) in ((), RGB)
    return [] if keeps_all else ["a PNM holds neither spacing nor channel names; .tif does"]
