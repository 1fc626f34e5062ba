"""TIFF of ids: for more objects than a PNG holds, and for volumes. As many bits as the ids need, compressed without loss."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.units import METRES
from microtome.io.masks.note import KEYWORD, Mask, Note, to_json
from microtome.io.whole import whole_file

__all__ = ["description", "read", "series", "write"]

_BIG = (1 << 32) - (1 << 26)


def write(mask: Mask, path: Path) -> None:
    """Write any mask: 8, 16 or 32 bits, whichever holds its ids; one page a plane; spacing, classes and kind in the description."""
    pixels = mask.pixels.astype(_dtype(mask.pixels), copy=False)
    about = {"axes": mask.axes.upper(), KEYWORD: json.loads(to_json(mask, "label"))}
    with whole_file(path) as temporary:
        tifffile.imwrite(temporary, pixels, bigtiff=pixels.nbytes > _BIG, photometric="minisblack", compression="zlib",
                         compressionargs={"level": 1}, metadata=about, software=False, **_resolution(mask))  # fmt: skip


def _dtype(pixels: NDArray[Any]) -> type[np.integer[Any]]:
    low, high = int(pixels.min()), int(pixels.max())
    if low < 0:
        return np.int32
    return np.uint8 if high <= 0xFF else np.uint16 if high <= 0xFFFF else np.uint32


def _resolution(mask: Mask) -> dict[str, Any]:
    """Pixels a centimetre, which is what a TIFF can say; the exact numbers are in the description."""
    if mask.spacing is None or mask.unit not in METRES:
        return {}
    y, x = (METRES["cm"] / (METRES[mask.unit] * step) for step in mask.spacing[-2:])
    return {"resolution": (x, y), "resolutionunit": "CENTIMETER"}


def series(data: bytes, path: Path) -> tuple[NDArray[Any], str]:
    """The pixels of a TIFF's first image, and its axes as tifffile names them.

    Raises
    ------
    InputError
        If the file is damaged, or holds more than one image.
    """
    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            if len(file.series) > 1:
                shapes = ", ".join(str(one.shape) for one in file.series)
                raise InputError(f"{path}: the TIFF holds {len(file.series)} images of shapes {shapes}; save the mask alone")
            return file.series[0].asarray(), file.series[0].axes
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001 - damaged files raise whatever their bytes lead to
        raise InputError(f"{path}: the TIFF is damaged ({type(error).__name__}: {error})") from None


def description(data: bytes, path: Path) -> str | None:
    """Our note in the first page's description, where there is one."""
    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            shaped = file.shaped_metadata or ()
    except Exception as error:  # noqa: BLE001
        raise InputError(f"{path}: the TIFF is damaged ({type(error).__name__}: {error})") from None
    return next((json.dumps(one[KEYWORD]) for one in shaped if KEYWORD in one), None)


def read(data: bytes, about: Note, path: Path) -> Mask:
    """Read what `write` wrote."""
    return about.mask(series(data, path)[0], path)
