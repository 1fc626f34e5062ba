"""Writing TIFF: ImageJ's form where it can hold the values (uint8, uint16, float32), OME's for the others.

Both say spacing, unit and channel names in full, and bytes depend on nothing but the image.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from microtome.core.errors import InputError
from microtome.core.raster import Raster
from microtome.core.units import METRES
from microtome.io.images.picture import RGB

__all__ = ["write"]

_IMAGEJ = (np.uint8, np.uint16, np.float32)
_OME = (*_IMAGEJ, np.int8, np.int16, np.int32, np.uint32, np.float64)
_LARGEST_CLASSIC = 2**32 - 2**25
_FINEST = 2**32 - 1


def write(image: Raster, to: Path) -> list[str]:
    """Write planes, volumes and any number of channels, deflated without loss; nothing is lost."""
    dtype = image.pixels.dtype
    if dtype not in _OME:
        raise InputError(f"a TIFF is not written with {dtype} (ImageJ and OME have no such pixels); convert it, or write .npy")
    as_ome = to.name.lower().endswith((".ome.tif", ".ome.tiff")) or dtype not in _IMAGEJ or image.pixels.nbytes > _LARGEST_CLASSIC
    if as_ome:
        _write_ome(image, to)
    else:
        _write_imagej(image, to)
    return []


def _is_rgb(image: Raster) -> bool:
    three = image.has_channels and image.pixels.shape[-1] == 3 and image.pixels.dtype == np.uint8
    return three and getattr(image, "channels", ()) in ((), RGB)


def _planes(image: Raster) -> tuple[np.ndarray[Any, Any], str]:
    """The array as files hold it: channels before rows, colours after columns."""
    if _is_rgb(image):
        return image.pixels, image.axes.upper().replace("C", "S")
    pixels, axes = image.pixels, image.axes
    if image.has_channels:
        pixels, axes = np.moveaxis(pixels, -1, -3), f"{axes[:-3]}cyx"
    return pixels, axes.upper()


def _micrometres(image: Raster) -> dict[str, float]:
    if image.spacing is None or image.unit == "px":
        return {}
    scale = METRES[image.unit] / METRES["um"]
    return {axis: length * scale for axis, length in zip(image.axes.rstrip("c"), image.spacing, strict=True)}


def _write_imagej(image: Raster, to: Path) -> None:
    pixels, axes = _planes(image)
    if not _is_rgb(image):  # else the writer takes a picture of one column for a row of samples
        pixels, axes = pixels[..., None], f"{axes}S"
    spacing = _micrometres(image)
    metadata: dict[str, Any] = {"axes": axes}
    names = getattr(image, "channels", ())
    if names and not _is_rgb(image):
        metadata["Labels"] = list(names) * (image.shape[0] if image.ndim == 3 else 1)
    if spacing:
        metadata |= {"unit": "um"} | ({"spacing": spacing["z"]} if "z" in spacing else {})
    tifffile.imwrite(to, np.ascontiguousarray(pixels), imagej=True, metadata=metadata, compression="zlib",
                     photometric="rgb" if _is_rgb(image) else "minisblack", software="microtome",
                     resolution=tuple(_density(spacing[axis]) for axis in "xy") if spacing else None)  # fmt: skip


def _density(spacing: float) -> tuple[int, int]:
    """Pixels a micrometre as the two whole numbers a TIFF holds, exact where they are small enough."""
    density = 1 / Fraction(repr(spacing))
    scale = max(density.numerator, density.denominator) / _FINEST
    if scale > 1:
        density = density.limit_denominator(max(1, int(_FINEST / max(1.0, float(density)))))
    return density.numerator, density.denominator


def _write_ome(image: Raster, to: Path) -> None:
    pixels, axes = _planes(image)
    metadata: dict[str, Any] = {"axes": axes, "UUID": "00000000-0000-0000-0000-000000000000"}
    for axis, length in _micrometres(image).items():
        metadata |= {f"PhysicalSize{axis.upper()}": length, f"PhysicalSize{axis.upper()}Unit": "µm"}
    names = getattr(image, "channels", ())
    if names and not _is_rgb(image):
        metadata["Channel"] = {"Name": list(names)}
    tifffile.imwrite(to, np.ascontiguousarray(pixels), ome=True, metadata=metadata, compression="zlib", software="microtome",
                     photometric="rgb" if _is_rgb(image) else "minisblack", bigtiff=pixels.nbytes > _LARGEST_CLASSIC)  # fmt: skip
