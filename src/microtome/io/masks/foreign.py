"""Masks that other programs wrote: ids are taken as they are, and what is no mask is refused by name with a way out."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.errors import InputError
from microtome.core.events import warn
from microtome.core.raster import InstanceMap, SemanticMap
from microtome.io.masks import label_tiff, png
from microtome.io.masks.note import Kind, Mask

__all__ = ["Format", "read", "recognise"]

Format = Literal["png", "tiff", "npy", "gif", "bmp", "jpeg", "jpeg2000", "npz", "unknown"]
_BEGINNINGS: tuple[tuple[bytes, Format], ...] = (
    (png.SIGNATURE, "png"),
    (b"II*\0", "tiff"), (b"MM\0*", "tiff"), (b"II+\0", "tiff"), (b"MM\0+", "tiff"),
    (b"\x93NUMPY", "npy"),
    (b"PK\3\4", "npz"),
    (b"GIF8", "gif"),
    (b"BM", "bmp"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"\0\0\0\x0cjP  ", "jpeg2000"),
)  # fmt: skip
_NOT_COLOURS = "colours are not ids: save the labels as a grey PNG or TIFF (in Fiji: 8-bit, 16-bit or 32-bit), or as a palette PNG"


def recognise(data: bytes) -> Format:
    """The format of a file by its first bytes."""
    return next((name for beginning, name in _BEGINNINGS if data.startswith(beginning)), "unknown")


def read(data: bytes, form: Format, kind: Kind | None, path: Path) -> Mask:
    """Read a mask that carries no note of ours."""
    if form in ("jpeg", "jpeg2000"):
        raise InputError(f"{path}: JPEG changes values, so a mask saved as JPEG has lost its ids at every edge; "
                         "export it again, and save as PNG")  # fmt: skip
    if form in ("npz", "unknown"):
        raise InputError(f"{path}: not a mask: expected a PNG, TIFF, GIF or BMP file of ids, or a .npy array")
    pixels, guess = {"png": _png, "tiff": _tiff, "npy": _npy, "gif": _picture, "bmp": _picture}[form](data, path)
    return _as_mask(_whole_numbers(pixels, path), kind, guess, path)


Guess = tuple[NDArray[Any], Kind | None]


def _png(data: bytes, path: Path) -> Guess:
    head = png.header(data, path)
    if head.colour not in (png.GREY, png.PALETTE):
        return _grey_of_equal_channels(png.decode(data, path), path), None
    return png.indices(data, path), "semantic" if head.colour == png.PALETTE or head.depth == 1 else None


def _grey_of_equal_channels(pixels: NDArray[Any], path: Path) -> NDArray[Any]:
    """The ids of a grey picture saved as RGB or with an opaque alpha; colours are refused."""
    colours = pixels[..., :3] if pixels.shape[-1] >= 3 else pixels[..., :1]
    opaque = pixels.shape[-1] in (1, 3) or pixels[..., -1].min() == np.iinfo(pixels.dtype).max
    if not opaque or (colours != colours[..., :1]).any():
        raise InputError(f"{path}: the file holds colours ({pixels.shape[-1]} channels of {pixels.dtype}), and {_NOT_COLOURS}")
    warn(f"{path}: saved as {pixels.shape[-1]} channels, all equal: read as one channel of ids")
    return np.ascontiguousarray(colours[..., 0])


def _tiff(data: bytes, path: Path) -> Guess:
    pixels, axes = label_tiff.series(data, path)
    if axes.endswith("S") and pixels.shape[-1] in (2, 3, 4):
        return _grey_of_equal_channels(pixels, path), None
    keep = [size > 1 or name in "YX" for name, size in zip(axes, pixels.shape, strict=True)]
    pixels = pixels.reshape([size for size, kept in zip(pixels.shape, keep, strict=True) if kept])
    axes = "".join(name for name, kept in zip(axes, keep, strict=True) if kept)
    if axes not in ("YX", "ZYX", "QYX", "IYX"):
        raise InputError(f"{path}: a TIFF of shape {pixels.shape} with axes {axes}; a mask has the axes YX or ZYX: "
                         "save one channel and one time point")  # fmt: skip
    if axes[0] in "QI":
        warn(f"{path}: {len(pixels)} pages without a name for their axis: read as the planes of a volume (ZYX)")
    return pixels, "semantic" if pixels.dtype == bool else None


def _npy(data: bytes, path: Path) -> Guess:
    try:
        pixels = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise InputError(f"{path}: not an array of numbers ({error}); save the labels themselves: np.save(path, labels)") from None
    if pixels.ndim not in (2, 3):
        raise InputError(f"{path}: an array of shape {pixels.shape}; a mask has two axes (yx) or three (zyx)")
    return pixels, "semantic" if pixels.dtype == bool else None


def _picture(data: bytes, path: Path) -> Guess:
    from PIL import Image as Picture
    from PIL import UnidentifiedImageError

    try:
        picture = Picture.open(io.BytesIO(data))
        pixels = np.asarray(picture)
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError) as error:
        raise InputError(f"{path}: the file is damaged ({error})") from None
    if picture.mode not in ("1", "L", "P"):
        return _grey_of_equal_channels(pixels, path), None
    return pixels, None if picture.mode == "L" else "semantic"


def _whole_numbers(pixels: NDArray[Any], path: Path) -> NDArray[Any]:
    if pixels.dtype.kind in "bui":
        return pixels
    if pixels.dtype.kind != "f":
        raise InputError(f"{path}: labels must be whole numbers, found {pixels.dtype}")
    bad = ~np.isfinite(pixels) | (pixels != np.floor(pixels))
    if bad.any():
        place = tuple(int(i) for i in np.unravel_index(int(bad.argmax()), bad.shape))
        raise InputError(f"{path}: {int(bad.sum())} values are not whole numbers (first {pixels[place]} at {place}): "
                         "a picture or a score map, not a mask; save the labels as integers")  # fmt: skip
    warn(f"{path}: labels saved as {pixels.dtype}; all are whole numbers and were read as such")
    return pixels.astype(np.int64)


def _as_mask(pixels: NDArray[Any], kind: Kind | None, guess: Kind | None, path: Path) -> Mask:
    axes = "yx" if pixels.ndim == 2 else "zyx"
    values = np.unique(pixels) if pixels.dtype.itemsize == 1 else None
    two_level = values is not None and values.tolist() == [0, 255]
    if two_level and kind is None:
        guess = "semantic"
        warn(f"{path}: only the values 0 and 255, a mask saved as a picture: read as background (0) and foreground (255)")
    if (kind or guess or "instance") == "instance":
        return InstanceMap(pixels, axes=axes, source=str(path))
    return SemanticMap(pixels, axes=axes, source=str(path), classes=_classes(pixels, two_level))


def _classes(pixels: NDArray[Any], two_level: bool) -> ClassTable:
    """A class for each value that occurs, so that 255 in a map of three does not make 256 of them."""
    if two_level:
        return ClassTable((ClassEntry(0, "background", "background"), ClassEntry(255, "foreground")))
    found = [int(value) for value in np.unique(pixels) if value]
    if max(found, default=0) <= 1:
        return ClassTable.binary()
    return ClassTable((ClassEntry(0, "background", "background"), *(ClassEntry(value, f"class {value}", "stuff") for value in found)))
