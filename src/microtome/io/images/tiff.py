"""TIFF and BigTIFF: plain, ImageJ and OME; strips or tiles, any compression the decoder knows.

Reading goes through tifffile, after `tiff_structure` has checked that the file is all there. tifffile logs what it
works around; here that is heard, and either told to the user or an error. Other files named in the metadata are
never opened.
"""

from __future__ import annotations

import logging
import math
import struct
import xml.etree.ElementTree as ElementTree
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.io.images.picture import RGB, Picture
from microtome.io.images.tiff_metadata import from_imagej, from_ome, from_tags
from microtome.io.images.tiff_structure import check_chain, check_segments
from microtome.io.images.tiff_write import write

__all__ = ["ERRORS", "opened", "write"]

# tifffile trusts its tags: a damaged one surfaces as whatever it was used for.
ERRORS = (tifffile.TiffFileError, imagecodecs.DelayedImportError, RuntimeError, ValueError, TypeError, KeyError, IndexError,
          AttributeError, AssertionError, ArithmeticError, OSError, EOFError, NotImplementedError, struct.error, zlib.error,
          ElementTree.ParseError)  # fmt: skip

_AXES = {"Y": "y", "X": "x", "Z": "z", "C": "c", "T": "t", "S": "s"}
_COLOURS_NOT_READ = {5: "CMYK (printing inks)", 6: "YCbCr", 8: "CIE L*a*b*", 9: "ICC L*a*b*", 10: "ITU L*a*b*",
                     32803: "raw sensor values (CFA)", 32844: "LogL", 32845: "LogLuv"}  # fmt: skip
_JPEG = (6, 7, 33007, 34892)
# What tifffile works around and what would lose or move planes; everything else it logs is passed on.
_LOSES_PLANES = ("series", "Missing data", "reshape", "circular", "invalid page", "incorrect Strip", "missing data")

_heard: ContextVar[list[str] | None] = ContextVar("microtome_tifffile", default=None)


def _hear(record: logging.LogRecord) -> bool:
    heard = _heard.get()
    if heard is None or record.levelno < logging.WARNING:
        return True
    heard.append(record.getMessage())
    return False


logging.getLogger("tifffile").addFilter(_hear)


@contextmanager
def opened(path: Path) -> Iterator[list[Picture]]:
    """Read the tags of every page and what the metadata makes of them."""
    check_chain(path)
    heard: list[str] = []
    token = _heard.set(heard)
    try:
        with tifffile.TiffFile(path, _multifile=False, is_mmstack=False, is_ndtiff=False) as tif:
            pictures = _pictures(tif, heard)
            before = len(heard)
            yield pictures
            if len(heard) > before:
                raise InputError(f"the TIFF's pixels were decoded with an error: {_plainly(heard[before])}")
    finally:
        _heard.reset(token)


def _pictures(tif: Any, heard: list[str]) -> list[Picture]:
    series = tif.series
    lost = [message for message in heard if any(word in message for word in _LOSES_PLANES)]
    if lost:
        raise InputError(f"the TIFF's pages do not agree with what is said of them: {_plainly(lost[0])}")
    if tif.is_ome and series[0].kind != "ome":
        raise InputError(
            "it is one file of an OME-TIFF set (its metadata names others, or not this one), and sets are not read;"
            " save it as one file, or as plain TIFF"
        )
    notes = tuple(f"the TIFF has a damaged tag: {_plainly(message)}" for message in dict.fromkeys(heard))
    if len(series) > 1 and series[0].kind in ("generic", "uniform", "shaped"):
        pages = [page for page in tif.pages if not page.aspage().is_reduced]
        found = [_of_page(tif, page.aspage()) for page in pages]
    else:
        found = [_of_series(tif, one, number) for number, one in enumerate(series)]
    return [replace(picture, notes=notes + picture.notes) for picture in found]


def _plainly(message: str) -> str:
    """tifffile's message without the object's repr in front."""
    return message.rpartition("> ")[2] if message.startswith("<tifffile") else message


def _of_page(tif: Any, page: Any) -> Picture:
    axes = _letters(page.axes)

    def load(_: tuple[int, int] | None) -> NDArray[Any]:
        _check_pieces([page], tif)
        return _bits_to_bytes(page.asarray())

    picture = Picture(page.shape, _dtype(page), axes, load, spacing=from_tags(page.tags))
    return _with_colours(picture, page, display_only=False)


def _of_series(tif: Any, series: Any, number: int) -> Picture:
    page = series.keyframe
    axes, shape = _letters(series.axes), tuple(series.shape)

    def load(frame: tuple[int, int] | None) -> NDArray[Any]:
        if series.dataoffset is not None:
            return _bits_to_bytes(_contiguous(tif, series, frame))
        keys = _planes_of(shape, page.shape, frame)
        _check_pieces(series.pages if keys is None else [series.pages[key] for key in keys], tif)
        if frame is None or keys is None:
            return _bits_to_bytes(series.asarray() if frame is None else series.asarray().take(frame[1], frame[0]))
        values = tif.asarray(series=number, key=keys)
        return _bits_to_bytes(values.reshape(shape[: frame[0]] + shape[frame[0] + 1 :]))

    spacing, channels = _said(tif, series, number, axes)
    picture = Picture(shape, _dtype(page), axes, load, name=series.name, spacing=spacing, channels=channels)
    return _with_colours(picture, page, display_only=tif.is_imagej or tif.is_ome)


def _letters(axes: str) -> str:
    """Microtome's letters: samples are channels unless there are both; what means nothing to us is a page."""
    letters = "".join(_AXES.get(letter, "p") for letter in axes)
    return letters if "c" in letters else letters.replace("s", "c")


def _planes_of(shape: tuple[int, ...], plane: tuple[int, ...], frame: tuple[int, int] | None) -> list[int] | None:
    """The numbers of the pages that hold one frame, or None for all of them."""
    outer = shape[: len(shape) - len(plane)]
    if frame is None or frame[0] >= len(outer):
        return None
    numbers = np.arange(math.prod(outer)).reshape(outer)
    return [int(n) for n in numbers.take(frame[1], axis=frame[0]).ravel()]


def _dtype(page: Any) -> np.dtype[Any]:
    if page.dtype is None:
        raise InputError(f"pixels of {page.bitspersample} bits in format {page.sampleformat} are not read")
    return np.dtype(np.uint8) if page.dtype == bool else np.dtype(page.dtype).newbyteorder("=")


def _bits_to_bytes(pixels: NDArray[Any]) -> NDArray[Any]:
    if pixels.dtype == bool:
        return np.where(pixels, np.uint8(255), np.uint8(0))
    return pixels


def _said(tif: Any, series: Any, number: int, axes: str) -> tuple[dict[str, float], tuple[str, ...]]:
    """Spacing and channel names by whichever metadata the file has."""
    tags = series.keyframe.tags
    if series.kind == "ome":
        return from_ome(tif.ome_metadata, number)
    if series.kind == "imagej":
        channels = series.shape[axes.index("c")] if "c" in axes else 1
        return from_imagej(tif.imagej_metadata or {}, tags, channels)
    return from_tags(tags), ()


def _with_colours(picture: Picture, page: Any, *, display_only: bool) -> Picture:
    """Palette, opacity, orientation and colour names; in ImageJ and OME files a palette is only for display."""
    kind = int(page.photometric)
    if kind in _COLOURS_NOT_READ and not (kind == 6 and int(page.compression) in _JPEG):
        raise InputError(f"its colours are {_COLOURS_NOT_READ[kind]}; convert it to RGB or grey")
    notes: list[str] = []
    palette = None
    if kind == 3 and page.colormap is not None and not display_only:
        palette = np.ascontiguousarray(np.asarray(page.colormap).T)
        palette = (palette >> 8 if palette.max(initial=0) > 255 else palette).astype(np.uint8)
    inverted = kind == 0 and picture.dtype.kind == "u" and not display_only
    if inverted and page.bitspersample > 1:
        notes.append("it counts from white (0) to black: values were inverted, so that bright is high")
        if page.bitspersample not in (8, 16, 32):
            raise InputError(f"it counts from white to black in {page.bitspersample} bits, which is not read; save it with 8 bits")
    channels = picture.channels or (RGB if kind in (2, 6) and _samples(picture) in (3, 4) else ())
    alpha = "c" in picture.axes and page.samplesperpixel > 1 and [int(e) for e in page.extrasamples] in ([1], [2])
    if alpha and len(channels) == _samples(picture):
        channels = channels[:-1]
    if channels == RGB and _samples(picture) - alpha != 3:
        channels = ()
    orientation = int(page.tags.valueof(274, default=1) or 1)
    return replace(
        picture, palette=palette, white_is_zero=inverted, channels=channels, alpha=alpha, orientation=orientation, notes=tuple(notes)
    )


def _samples(picture: Picture) -> int:
    return picture.shape[picture.axes.index("c")] if "c" in picture.axes else 1


def _contiguous(tif: Any, series: Any, frame: tuple[int, int] | None) -> NDArray[Any]:
    """Planes that follow one another unpacked; a large ImageJ stack has a page for the first one only."""
    check_segments([series.dataoffset], [series.nbytes], tif.filehandle.size, 0)
    if frame is None:
        return series.asarray()
    dtype = np.dtype(series.dtype).newbyteorder(tif.byteorder)
    stored = np.memmap(tif.filehandle.path, dtype, "r", series.dataoffset, tuple(series.shape))
    return np.array(stored.take(frame[1], frame[0]))


def _check_pieces(pages: Any, tif: Any) -> None:
    """Every strip or tile must be in the file, of a sane size, and none left out."""
    size = tif.filehandle.size
    for page in pages:
        if page is None:
            raise InputError("the TIFF's metadata speaks of planes that the file does not hold")
        frame = page.keyframe
        missing = check_segments(page.dataoffsets, page.databytecounts, size, page.index if isinstance(page.index, int) else 0)
        expected = math.prod(frame.chunked)
        if missing or len(page.dataoffsets) < expected:
            missing += max(0, expected - len(page.dataoffsets))
            raise InputError(f"{missing:,} of {expected:,} pieces of page {page.index} are not stored; the file is damaged or sparse")
        piece = math.prod(frame.chunks) * frame.dtype.itemsize
        if piece > max(2**26, 4 * math.prod(frame.shape) * frame.dtype.itemsize):
            raise InputError(f"page {page.index} is stored in pieces of {frame.chunks}, larger than the image; the file is damaged")
