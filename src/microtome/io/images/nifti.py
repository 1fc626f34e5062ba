"""NIfTI volumes and pictures, ``.nii`` and ``.nii.gz``: x, y, z becomes z, y, x, and the place in the world is kept (`nifti_place`).

Needs nibabel (``pip install 'microtome[medical]'``), which is imported when the first such file is met.
"""

from __future__ import annotations

import gzip
import json
import math
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError, MissingExtra
from microtome.core.raster import Image, Raster
from microtome.io.images.nifti_place import affine_of, notes_of, place_of, to_text
from microtome.io.images.picture import Picture

__all__ = ["ERRORS", "KEYWORD", "Header", "header_of", "opened", "recognise", "stored", "write", "write_volume"]

ERRORS = (ValueError, OSError, EOFError, zlib.error, struct.error, KeyError, OverflowError)
KEYWORD = "microtome"

_GZIP = b"\x1f\x8b"
_SIZES = (348, 540)
_MAGIC = {b"n+1\0": 1, b"n+2\0": 2}
_PAIRS = (b"ni1\0", b"ni2\0")
_FURTHEST = 1 << 26  # bytes before the voxels; a header with all its extensions is far smaller
_MOST_IN_NIFTI_1 = 2**15 - 1


def recognise(head: bytes) -> bool:
    """Whether a file's first 512 bytes, packed or not, are those of a NIfTI file or of the header of a pair."""
    if head.startswith(_GZIP):
        try:
            head = zlib.decompressobj(31).decompress(head, _SIZES[1])
        except zlib.error:
            return False
    return _magic(head) in (*_MAGIC, *_PAIRS)


def _magic(head: bytes) -> bytes:
    size = {int.from_bytes(head[:4], order) for order in ("little", "big")} if len(head) >= 348 else set()
    return head[344:348] if 348 in size else head[4:8] if 540 in size else b""


@dataclass(frozen=True)
class Header:
    """What a file says before a voxel is read.

    Attributes
    ----------
    shape : tuple of int
        x, y and, in a volume, z.
    dtype : numpy dtype
        As stored, with its byte order.
    scale : tuple of float or None
        Slope and intercept of the values, where they are not those stored.
    place : dict
        Spacing, unit, origin, direction.
    noted : dict or None
        What Microtome wrote beside the header.
    start : int
        The byte of the first voxel.
    notes : tuple of str
        What is to be told.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    scale: tuple[float, float] | None
    place: dict[str, Any]
    noted: dict[str, Any] | None
    start: int
    notes: tuple[str, ...]


def header_of(path: Path) -> Header:
    """Read and check the header.

    Raises
    ------
    InputError
        If it is no single file, is cut off, has a time axis, or holds colours or complex numbers.
    MissingExtra
        Without nibabel.
    """
    nibabel = _nibabel()
    with _unpacked(path) as file:
        head = file.read(_SIZES[1])
        magic = _magic(head)
        if magic in _PAIRS:
            raise InputError("the header of a pair of files (.hdr and .img); save it as one .nii or .nii.gz")
        if magic not in _MAGIC or len(head) < _SIZES[_MAGIC[magic] - 1]:
            raise InputError("the NIfTI header is cut off or damaged")
        size = _SIZES[_MAGIC[magic] - 1]
        header = (nibabel.Nifti1Header if size == 348 else nibabel.Nifti2Header)(head[:size], check=False)
        start = float(header["vox_offset"] or size + 4)
        if not (size + 4 <= start <= _FURTHEST and start.is_integer()):
            raise InputError(f"its voxels should begin at byte {start:g}; the header is damaged")
        rest = (head + file.read(max(0, int(start) - len(head))))[size : int(start)]
    try:
        return _described(header, rest, int(start))
    except (nibabel.spatialimages.HeaderDataError, KeyError) as error:
        raise InputError(f"the NIfTI header is damaged: {error}") from None


def _described(header: Any, rest: bytes, start: int) -> Header:
    shape = _shape(header)
    noted = notes_of(_extensions(rest, header.endianness), KEYWORD)
    keys = ("spacing", "unit", "origin", "direction")
    exact = {key: tuple(v) if isinstance(v, list) else v for key, v in noted.items() if key in keys} if noted else None
    place, notes = place_of(header, len(shape), exact)
    return Header(shape, _dtype(header), _scale(header), place, noted, start, tuple(notes))


def _nibabel() -> Any:
    try:
        import nibabel
    except ImportError:
        raise MissingExtra("NIfTI files need nibabel: pip install 'microtome[medical]'") from None
    return nibabel


@contextmanager
def _unpacked(path: Path) -> Iterator[BinaryIO]:
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP
        file.seek(0)
        if not packed:
            yield file
            return
        with gzip.GzipFile(fileobj=file) as inside:
            yield inside  # type: ignore[misc]


def _extensions(block: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Code and content of each extension; what is not whole is passed over."""
    at = 4
    while block[:1] != b"\0" and at + 8 <= len(block):
        size, code = struct.unpack_from(f"{order}2i", block, at)
        if size < 8 or at + size > len(block):
            return
        yield code, block[at + 8 : at + size]
        at += size


def _shape(header: Any) -> tuple[int, ...]:
    count = int(header["dim"][0])
    if not 1 <= count <= 7:
        raise InputError(f"its header names {count} dimensions; it is damaged")
    shape = [int(n) for n in header["dim"][1 : count + 1]]
    if min(shape) < 1:
        raise InputError(f"its header says {' x '.join(map(str, shape))} voxels: there is no image in it")
    while len(shape) > 3 and shape[-1] == 1:
        shape.pop()
    if len(shape) > 3:
        what = "a time series" if len(shape) == 4 else "a set of vectors" if len(shape) == 5 else "more than a volume"
        raise InputError(f"its dimensions are {' x '.join(map(str, shape))} (x, y, z, and more): {what}, not one volume; save one at a "
                         "time, for example with nibabel's four_to_three")  # fmt: skip
    return tuple(shape) if len(shape) > 1 else (shape[0], 1)


def _dtype(header: Any) -> np.dtype[Any]:
    dtype: np.dtype[Any] = header.get_data_dtype()
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        kind = "colours" if dtype.fields else "complex numbers" if dtype.kind == "c" else "floats of more than 64 bits"
        raise InputError(f"its voxels are {kind} ({header['datatype']} in the header), and only real numbers of up to 64 bits are read")
    return dtype


def _scale(header: Any) -> tuple[float, float] | None:
    slope, inter = header.get_slope_inter()
    if slope is None or (slope == 1 and not inter):
        return None
    return float(slope), float(inter or 0.0)


def stored(path: Path, header: Header) -> NDArray[Any]:
    """The voxels as stored, in the order z, y, x (or y, x), in native byte order. Check the size first: all of it is taken.

    Raises
    ------
    InputError
        If the file ends before its last voxel.
    """
    needed = math.prod(header.shape) * header.dtype.itemsize
    with _unpacked(path) as file:
        file.seek(header.start)
        data = file.read(needed)
    if len(data) < needed:
        raise InputError(f"the voxels are cut off: {len(data):,} of {needed:,} bytes are there")
    values = np.frombuffer(data, header.dtype).reshape(header.shape[::-1])
    return values.astype(header.dtype.newbyteorder("="), copy=False)


@contextmanager
def opened(path: Path) -> Iterator[list[Picture]]:
    """Read the header; scaled values come as float64, others as stored."""
    header = header_of(path)
    dtype = np.dtype(np.float64) if header.scale else header.dtype.newbyteorder("=")
    place, shape, notes = header.place, header.shape, list(header.notes)
    if len(shape) == 3 and shape[2] == 1:  # a picture, saved as a volume of one slice
        place = {**place, "spacing": place["spacing"][1:]} if "spacing" in place else place

    def load(_: tuple[int, int] | None) -> NDArray[Any]:
        values = stored(path, header)
        return values if header.scale is None else values * np.float64(header.scale[0]) + header.scale[1]

    if header.scale:
        notes.append(f"its values were scaled as the header asks: {header.scale[0]:g} times the stored number plus {header.scale[1]:g}")
    yield [Picture(shape[::-1], dtype, "zyx"[-len(shape) :], load, place=place, notes=tuple(notes))]


def write(image: Raster, to: Path) -> list[str]:
    """Write values and place; channels and their names have no room in the file.

    Raises
    ------
    InputError
        If the image has channels, or floats of 16 bits.
    MissingExtra
        Without nibabel.
    """
    if image.has_channels:
        raise InputError(f"NIfTI holds one value a voxel, found axes {image.axes!r}: write one channel, or an .ome.tif")
    pixels = image.pixels.astype(np.uint8) if image.pixels.dtype == bool else image.pixels
    write_volume(image, pixels, to_text(image), to)
    losses = ["truth values were written as 0 and 1"] if image.pixels.dtype == bool else []
    return losses + (["a channel's name has no room in a NIfTI"] if isinstance(image, Image) and image.channels else [])


def write_volume(raster: Raster, pixels: NDArray[Any], note: dict[str, Any], to: Path) -> None:
    """Write `pixels` in the place of `raster`, with a note of ours as an extension; packed where the name ends in ``.gz``."""
    nibabel = _nibabel()
    if pixels.dtype.kind not in "iuf" or (pixels.dtype.kind == "f" and pixels.dtype.itemsize not in (4, 8)):
        raise InputError(f"NIfTI has no {pixels.dtype}; convert the values to float32")
    small = max(pixels.shape) <= _MOST_IN_NIFTI_1
    header = nibabel.Nifti1Header() if small else nibabel.Nifti2Header()
    header.set_data_shape(pixels.shape[::-1])
    header.set_data_dtype(pixels.dtype.newbyteorder("<"))
    affine, steps, unit = affine_of(raster)
    header["pixdim"][1:4] = steps
    header.set_xyzt_units(unit)
    if affine is not None:
        header.set_sform(affine, code="aligned")
        if _is_rigid(affine):
            header.set_qform(affine, code="aligned")
            header["pixdim"][1:4] = steps  # set_qform measured them again
    header["scl_slope"], header["scl_inter"] = 1, 0
    text = json.dumps({KEYWORD: note}, separators=(",", ":")).encode("ascii")
    extension = struct.pack("<2i", -(-(len(text) + 8) // 16) * 16, 6) + text
    extension += bytes(-len(extension) % 16)
    start = header.sizeof_hdr + 4 + len(extension)
    header["vox_offset"] = start
    little = header if header.endianness == "<" else header.as_byteswapped("<")
    voxels = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("<"))
    with to.open("wb") as file, _packed(file, to) as out:
        out.write(little.binaryblock + b"\1\0\0\0" + extension)
        out.write(voxels.tobytes())


@contextmanager
def _packed(file: BinaryIO, to: Path) -> Iterator[BinaryIO]:
    """The file itself, or packed into it without a name or a time: same voxels, same bytes."""
    if not to.name.lower().endswith(".gz"):
        yield file
        return
    with gzip.GzipFile(filename="", mode="wb", compresslevel=1, fileobj=file, mtime=0) as out:
        yield out  # type: ignore[misc]


def _is_rigid(affine: NDArray[np.float64]) -> bool:
    """Whether the axes stand at right angles, which is all a qform can say."""
    turn = affine[:3, :3] / np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    return bool(np.allclose(turn.T @ turn, np.eye(3), atol=1e-6))
