"""Image files to `Image` and back.

`read` goes by a file's content, checks its size before decoding, and gives values as they are stored; `write` goes by
the suffix. Each format is one file here, imported when it is met. docs/how-to/files.md has the rules.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from microtome.core.errors import InputError, RecipeError, did_you_mean
from microtome.core.events import warn
from microtome.core.raster import Image, Raster
from microtome.core.units import parse_spacing
from microtome.io.images import nifti
from microtome.io.images.axes import channels_last, choose, lay_out
from microtome.io.images.colours import resolve_colours
from microtome.io.images.detect import HEAD, family_of, looks_like
from microtome.io.images.limits import check_size
from microtome.io.images.orientation import upright
from microtome.io.images.picture import Picture
from microtome.io.whole import whole_file

__all__ = ["SUFFIXES", "is_image", "read", "shape_of", "write"]

_FAMILY_OF_SUFFIX = {
    ".ome.tif": "tiff", ".ome.tiff": "tiff", ".tif": "tiff", ".tiff": "tiff", ".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg",
    ".webp": "webp", ".bmp": "bmp", ".gif": "gif", ".pbm": "pnm", ".pgm": "pnm", ".ppm": "pnm", ".pnm": "pnm", ".npy": "npy",
    ".nii.gz": "nifti", ".nii": "nifti",
}  # fmt: skip

SUFFIXES = tuple(_FAMILY_OF_SUFFIX)
"""Known suffixes, in lower case; a longer one stands before the one it ends in."""


def is_image(path: str | os.PathLike[str]) -> bool:
    """Whether the name ends in a known suffix, in either case.

    >>> is_image("plate/A01.TIF"), is_image("notes.txt")
    (True, False)
    """
    return Path(path).name.lower().endswith(SUFFIXES)


def read(
    path: str | os.PathLike[str],
    *,
    axes: str | None = None,
    spacing: str | None = None,
    page: int | None = None,
    max_pixels: int | None = None,
) -> Image:
    """Read one image.

    Parameters
    ----------
    path : path
        PNG, JPEG, WebP, BMP, GIF, PNM, TIFF (plain, ImageJ, OME), NPY or NIfTI, told by content.
    axes : str, optional
        What the dimensions are, in the file's order (``"zyx"``, ``"cyx"``, ``"tyx"``), where the file does not say or
        is wrong.
    spacing : str, optional
        The pixel spacing (``"0.65 um"``, ``"2 um, 0.5 um, 0.5 um"`` in the order z, y, x) instead of the file's.
    page : int, optional
        The frame of a time series or animation, or the page of a stack, from 0.
    max_pixels : int, optional
        The most values (pixels times channels times slices) to decode, instead of the rule in `limits`.

    Returns
    -------
    Image
        Axes yx, yxc, zyx or zyxc; dtype and values as stored (1 bit: uint8, 0 and 255). Spacing in the unit the file
        names, micrometres where it counts otherwise. A NIfTI's place in the world: see `nifti`.

    Raises
    ------
    InputError
        If the file is missing, empty, damaged, cut off, of another kind, ambiguous, or claims an absurd size.
    RecipeError
        If `axes` or `spacing` cannot be understood.
    MissingExtra
        For a NIfTI without nibabel.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> path = Path(tempfile.mkdtemp()) / "cells.png"
    >>> write(Image(np.eye(4, dtype=np.uint8), spacing=(0.65, 0.65), unit="um"), path)
    >>> read(path).spacing
    (0.65, 0.65)
    """
    path = Path(path)
    with _pictures(path) as pictures:
        image, notes = _take(pictures, str(path), axes, page, max_pixels)
    for note in notes:
        warn(f"{path}: {note}")
    return image if spacing is None else _with_spacing(image, spacing)


def shape_of(path: str | os.PathLike[str]) -> tuple[int, ...]:
    """The spatial shape (y, x or z, y, x) of the image that `read` would give, from the file's header: no pixel is decoded.

    Raises
    ------
    InputError
        As `read`.
    """
    with _pictures(Path(path)) as pictures:
        picture, page = choose(pictures, None)
        layout = lay_out(picture, None, page)
    size = dict(zip(layout.decoded[1], layout.decoded[0], strict=True))
    if picture.orientation > 4:  # turned by a quarter
        size["y"], size["x"] = size["x"], size["y"]
    return tuple(size[axis] for axis in "zyx" if size.get(axis, 1) > 1 or axis in "yx")


@contextmanager
def _pictures(path: Path) -> Iterator[list[Picture]]:
    """Open a file by its content; what goes wrong in the block is told with the path."""
    family = _family(path)
    module = import_module(f"microtome.io.images.{family}")
    try:
        with module.opened(path) as pictures:
            yield pictures
    except InputError as error:
        raise InputError(f"{path}: {error}") from error.__cause__
    except RecipeError:
        raise
    except MemoryError as error:
        raise InputError(f"{path}: does not fit in memory; choose a page, or crop it") from error
    except module.ERRORS as error:
        raise InputError(f"{path}: damaged, or {family.upper()} of a kind that is not read ({_in_short(error)})") from error


def _family(path: Path) -> str:
    """The format by content; the suffix only makes the message better."""
    try:
        if path.is_dir():
            raise InputError(f"{path}: is a folder, not an image")
        if not path.is_file():
            raise InputError(f"{path}: {'is not a regular file' if path.exists() else 'there is no such file'}")
        with path.open("rb") as file:
            head = file.read(HEAD)
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if not head:
        raise InputError(f"{path}: is empty (0 bytes)")
    family = family_of(head) or ("nifti" if nifti.recognise(head) else None)
    if family is None:
        raise InputError(f"{path}: is not an image Microtome reads; it looks like {looks_like(head)}. Read are: {', '.join(SUFFIXES)}")
    expected = _FAMILY_OF_SUFFIX.get(_suffix(path))
    if expected not in (None, family):
        warn(f"{path}: is named {_suffix(path)} and is {family.upper()} by content; it is read as that")
    return family


def _suffix(path: Path) -> str:
    name = path.name.lower()
    return next((suffix for suffix in SUFFIXES if name.endswith(suffix)), path.suffix.lower())


def _take(pictures: list[Picture], source: str, axes: str | None, page: int | None, max_pixels: int | None) -> tuple[Image, list[str]]:
    """Choose, check, decode and arrange one picture; what there is to say of it comes along."""
    picture, page = choose(pictures, page)
    if picture.place and axes is not None:
        raise InputError(f"the file says what its axes are ({', '.join(picture.axes)}); leave axes={axes!r} out")
    layout = lay_out(picture, axes, page)
    shape, letters = layout.decoded
    if picture.dtype.kind not in "buif":
        raise InputError(f"its pixels are {picture.dtype}, and only real numbers are read")
    check_size(shape, picture.dtype.itemsize, os.path.getsize(source), max_pixels)
    pixels = picture.load(layout.frame)
    if pixels.shape != shape:
        raise InputError(f"its header says {shape}, and {pixels.shape} was decoded; the file is damaged")
    pixels, letters, picture = resolve_colours(picture, pixels, letters)
    pixels, letters = channels_last(pixels, letters)
    notes = list(picture.notes)
    place = picture.place or _spacing(picture, letters, notes)
    image = Image(pixels, letters, **place, source=source, channels=_names(picture, letters, pixels.shape))
    if picture.orientation not in (0, 1):
        image = upright(image, picture.orientation)
        notes.append(f"it was turned upright, as the file asks (orientation {picture.orientation})")
    return image, notes


def _spacing(picture: Picture, letters: str, notes: list[str]) -> dict[str, Any]:
    spatial = letters.rstrip("c")
    known = [axis for axis in spatial if axis in picture.spacing]
    if len(known) == len(spatial):
        return {"spacing": tuple(picture.spacing[axis] for axis in spatial), "unit": "um"}
    if known:
        lacking = ", ".join(axis for axis in spatial if axis not in known)
        notes.append(f"it gives no spacing along {lacking}, so none is used; add it, for example spacing='2 um, 0.5 um, 0.5 um'")
    return {}


def _names(picture: Picture, letters: str, shape: tuple[int, ...]) -> tuple[str, ...]:
    count = shape[-1] if letters.endswith("c") else 1
    return picture.channels if len(picture.channels) == count else ()


def _with_spacing(image: Image, text: str) -> Image:
    numbers, unit = parse_spacing(text)
    return replace(image, spacing=numbers, unit=unit)


def _in_short(error: BaseException) -> str:
    words = " ".join(str(error).split()) or type(error).__name__
    return words if len(words) <= 160 else f"{words[:157]}..."


def write(image: Raster, path: str | os.PathLike[str]) -> None:
    """Write an image without changing a value; the suffix says the format.

    Spacing and channel names are written where the format holds them; what is lost is told by a warning. The file is
    there whole or not at all.

    Parameters
    ----------
    image : Image, or a mask
        Of any axes and dtype the format holds.
    path : path
        Ending in ``.tif``, ``.ome.tif``, ``.png``, ``.npy``, ``.pgm``, ``.ppm``, ``.bmp``, ``.webp``, ``.nii`` or ``.nii.gz``; folders
        are made.

    Raises
    ------
    InputError
        If the format cannot hold the image, with one that can.
    RunError
        If the disk is full or the place cannot be written to.
    """
    path = Path(path)
    family = _FAMILY_OF_SUFFIX.get(_suffix(path))
    if family is None:
        raise InputError(f"{path}: unknown format {path.suffix!r}{did_you_mean(path.suffix, SUFFIXES)}")
    module = import_module(f"microtome.io.images.{family}")
    with whole_file(path) as temporary:
        try:
            losses = module.write(image, temporary)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
    for loss in losses:
        warn(f"{path}: {loss}")
