"""A mask file as it stands: its samples, never interpreted. What `read_mask` refuses, the doctor must see."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.events import collect_warnings
from microtome.io.masks import foreign, label_tiff, note, png, read_mask

__all__ = ["Mode", "RawMask", "read_raw", "relative"]

Mode = Literal["grey", "palette", "colour"]


@dataclass(frozen=True, eq=False)
class RawMask:
    """A decoded mask file.

    Attributes
    ----------
    path : Path
    format : str
        ``"png"``, ``"jpeg"``, ``"tiff"``, ... by content.
    mode : {"grey", "palette", "colour"}
        Whether samples are values, indices into a palette, or colours.
    pixels : ndarray, shape (H, W), (D, H, W) or, for colours, (H, W, 3)
        As stored; 1-bit files give 0 and 1.
    alpha : ndarray, shape (H, W), or None
        The opacity beside the pixels, where the file has one.
    palette : ndarray of uint8, shape (N, 3), or None
        The colour of each index.
    spacing : tuple of float or None
        In micrometres, along the axes of the pixels.
    noted : bool
        Microtome wrote the file, and its note says what the values are.
    """

    path: Path
    format: str
    mode: Mode
    pixels: NDArray[Any]
    alpha: NDArray[Any] | None = None
    palette: NDArray[np.uint8] | None = None
    spacing: tuple[float, ...] | None = None
    noted: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """The spatial shape."""
        return self.pixels.shape[:2] if self.mode == "colour" else self.pixels.shape


def read_raw(path: Path) -> RawMask:
    """Decode a mask file, whatever its pixels are.

    Raises
    ------
    InputError
        If the file is missing, empty, cut off, damaged, or no picture at all.
    """
    data = _bytes(path)
    try:
        raw = _decoded(data, path)
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001 - damaged files raise whatever their bytes lead to, and to look at them is the purpose
        raise InputError(f"{path}: the file is damaged ({type(error).__name__}: {' '.join(str(error).split())[:120]})") from None
    if not raw.pixels.size:
        raise InputError(f"{path}: has no pixels (shape {raw.pixels.shape})")
    return raw


def _decoded(data: bytes, path: Path) -> RawMask:
    form = foreign.recognise(data)
    if form in ("unknown", "npz"):
        from microtome.io.images.detect import looks_like

        raise InputError(f"{path}: is no picture; it looks like {looks_like(data[:512])}")
    if _note(data, form, path) is not None:
        with collect_warnings():
            mask = read_mask(path)
        return RawMask(path, form, "grey", mask.pixels, spacing=mask.spacing, noted=True)
    if form == "png":
        return _png(data, path)
    if form == "tiff":
        return _tiff(data, path)
    if form == "npy":
        return _npy(data, path)
    return _picture(data, form, path)


def _bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    if not data:
        raise InputError(f"{path}: is empty (0 bytes)")
    return data


def _note(data: bytes, form: str, path: Path) -> note.Note | None:
    if form == "png":
        return note.parse(png.texts(data, path).get(note.KEYWORD), path)
    return note.parse(label_tiff.description(data, path), path) if form == "tiff" else None


def _png(data: bytes, path: Path) -> RawMask:
    head = png.header(data, path)
    if b"IEND" not in data[-64:]:
        raise InputError(f"{path}: ends before its last chunk; it was not written or copied completely")
    if head.colour == png.PALETTE:
        return RawMask(path, "png", "palette", png.indices(data, path), palette=_palette(data))
    if head.colour == png.GREY:
        return RawMask(path, "png", "grey", png.indices(data, path))
    return _samples(path, "png", png.decode(data, path))


def _palette(data: bytes) -> NDArray[np.uint8]:
    at = data.find(b"PLTE")
    length = int.from_bytes(data[at - 4 : at], "big") if at >= 4 else 0
    return np.frombuffer(data[at + 4 : at + 4 + length // 3 * 3], np.uint8).reshape(-1, 3)


def _samples(path: Path, form: str, pixels: NDArray[Any], spacing: tuple[float, ...] | None = None) -> RawMask:
    """Part samples into values or colours, and opacity; grey saved as three equal channels is grey."""
    count = pixels.shape[-1]
    alpha = pixels[..., -1] if count in (2, 4) else None
    colours = pixels[..., : count - (alpha is not None)]
    if colours.shape[-1] == 1 or (colours == colours[..., :1]).all():
        return RawMask(path, form, "grey", np.ascontiguousarray(colours[..., 0]), alpha, spacing=spacing)
    return RawMask(path, form, "colour", np.ascontiguousarray(colours), alpha, spacing=spacing)


def _tiff(data: bytes, path: Path) -> RawMask:
    pixels, axes = label_tiff.series(data, path)
    spacing = _tiff_spacing(path)
    if axes.endswith("S") and pixels.shape[-1] in (2, 3, 4):
        return _samples(path, "tiff", pixels.reshape(*pixels.shape[-3:]), spacing)
    pixels = pixels.squeeze()
    if pixels.ndim not in (2, 3):
        raise InputError(f"{path}: a TIFF of shape {pixels.shape} with axes {axes}; a mask has the axes YX or ZYX")
    return RawMask(path, "tiff", "grey", pixels.astype(np.uint8) if pixels.dtype == bool else pixels, spacing=spacing)


def _tiff_spacing(path: Path) -> tuple[float, ...] | None:
    """What the header says, without decoding the pixels again."""
    from microtome.io.images import tiff

    try:
        with tiff.opened(path) as pictures:
            known = pictures[0].spacing
    except (InputError, *tiff.ERRORS):  # the pixels could be read; what the header says of size could not
        return None
    spacing = tuple(known[axis] for axis in "zyx" if axis in known)
    return spacing if {"y", "x"} <= known.keys() else None


def _npy(data: bytes, path: Path) -> RawMask:
    try:
        pixels = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise InputError(f"{path}: not an array of numbers ({error})") from None
    if pixels.ndim not in (2, 3) or pixels.dtype.kind not in "buif":
        raise InputError(f"{path}: an array of {pixels.dtype} of shape {pixels.shape}; a mask has two axes (yx) or three (zyx) of numbers")
    if pixels.ndim == 3 and pixels.shape[-1] in (3, 4) and pixels.dtype == np.uint8:
        return _samples(path, "npy", pixels)
    return RawMask(path, "npy", "grey", pixels.astype(np.uint8) if pixels.dtype == bool else pixels)


def _picture(data: bytes, form: str, path: Path) -> RawMask:
    from PIL import Image as Picture
    from PIL import UnidentifiedImageError

    if form == "jpeg" and b"\xff\xd9" not in data[-64:]:
        raise InputError(f"{path}: ends before its last block; it was not written or copied completely")
    try:
        picture = Picture.open(io.BytesIO(data))
        palette = np.asarray(picture.getpalette("RGB") or (), np.uint8).reshape(-1, 3) if picture.mode == "P" else None
        pixels = np.asarray(picture)
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError) as error:
        raise InputError(f"{path}: the file is damaged ({' '.join(str(error).split())})") from None
    if pixels.dtype == bool:
        pixels = pixels.astype(np.uint8)
    if pixels.ndim == 3:
        return _samples(path, form, pixels)
    return RawMask(path, form, "palette" if palette is not None else "grey", pixels, palette=palette)


def relative(path: Path, root: Path) -> str:
    """A file's name below the data folder, with forward slashes."""
    return Path(os.path.relpath(path, root)).as_posix()
