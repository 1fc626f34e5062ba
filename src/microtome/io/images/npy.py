"""NumPy's .npy: one array and nothing else. A pickled object is refused, never loaded."""

from __future__ import annotations

import ast
import math
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.raster import Raster
from microtome.io.images.picture import Picture

__all__ = ["ERRORS", "opened", "write"]

ERRORS = (ValueError, SyntaxError, KeyError, TypeError, RecursionError, OverflowError, struct.error)

_LONGEST_HEADER = 10_000
_PLAIN = re.compile(r"[<>|=]([buif]\d{1,2})")


@contextmanager
def opened(path: Path) -> Iterator[list[Picture]]:
    """Read the header; a 2-D array is ``yx``, any other needs its axes named."""
    size = path.stat().st_size
    with path.open("rb") as file:
        header = _header(file)
        start = file.tell()
    shape, by_columns, kind = header["shape"], bool(header["fortran_order"]), header["descr"]
    if not (isinstance(kind, str) and _PLAIN.fullmatch(kind)):
        why = " (pickled objects are never loaded)" if "O" in str(kind) else ""
        raise InputError(f"the array holds {kind!r} and not plain numbers{why}")
    if not (isinstance(shape, tuple) and all(type(n) is int and n >= 0 for n in shape)):
        raise InputError(f"the array's shape is {str(shape)[:40]}; the header is damaged")
    dtype = np.dtype(kind)
    needed = start + math.prod(shape) * dtype.itemsize
    if min(shape, default=1) > 0 and needed > size:
        raise InputError(f"the array is cut off: {size:,} of {needed:,} bytes are there")

    def load(_: tuple[int, int] | None) -> NDArray[Any]:
        values = np.fromfile(path, dtype, math.prod(shape), offset=start)
        return values.reshape(shape, order="F" if by_columns else "C")

    notes = (f"{size - needed:,} bytes after the array were left unread",) if size > needed else ()
    yield [Picture(shape, dtype, _axes(shape), load, notes=notes)]


def _header(file: BinaryIO) -> dict[str, Any]:
    """The literal that describes the array; nothing in it is run."""
    version = file.read(8)[6:7]
    form = {b"\x01": "<H", b"\x02": "<I", b"\x03": "<I"}.get(version)
    if form is None:
        raise InputError(f"version {version!r} of .npy is not known")
    (length,) = struct.unpack(form, file.read(struct.calcsize(form)))
    text = file.read(min(length, _LONGEST_HEADER + 1))
    if length > _LONGEST_HEADER or len(text) < length:
        raise InputError(f"the header should have {length:,} bytes; the file is damaged or cut off")
    header = ast.literal_eval(text.decode("latin-1").strip())
    if not isinstance(header, dict):
        raise InputError("the header does not describe an array")
    return header


def _axes(shape: tuple[int, ...]) -> str:
    """Two dimensions behind any of length one are rows and columns; of others nothing is known."""
    leading = next((number for number, n in enumerate(shape) if n != 1), len(shape))
    leading = min(leading, max(0, len(shape) - 2))
    rest = len(shape) - leading
    return "p" * leading + ("yx" if rest == 2 else "?" * rest)


def write(image: Raster, to: Path) -> list[str]:
    """Write the array, and say what was lost: axes, spacing and names have no place in the file."""
    with to.open("wb") as file:
        np.save(file, image.pixels, allow_pickle=False)
    keeps_all = image.spacing is None and not getattr(image, "channels", ())
    return [] if keeps_all else ["an .npy holds neither spacing nor channel names; .tif does"]
