"""NIfTI of ids: masks of medical volumes, in their place in the world. What a header cannot say is in an extension."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.errors import InputError
from microtome.core.events import warn
from microtome.core.raster import InstanceMap, SemanticMap
from microtome.io.images import nifti as volumes
from microtome.io.images.limits import check_size
from microtome.io.masks.note import Kind, Mask, parse, to_json
from microtome.io.whole import whole_file

__all__ = ["read", "recognise", "write"]


def recognise(data: bytes) -> bool:
    """Whether these bytes begin a NIfTI file."""
    return volumes.recognise(data[:512])


def write(mask: Mask, path: Path) -> None:
    """Write any mask in 8, 16 or 32 bits, whichever holds its ids, with its place; kind, classes and scores go into an extension.

    Raises
    ------
    InputError
        If its place cannot be said in NIfTI.
    MissingExtra
        Without nibabel.
    """
    with whole_file(path) as temporary:
        try:
            volumes.write_volume(mask, mask.pixels.astype(_dtype(mask.pixels), copy=False), json.loads(to_json(mask, "label")), temporary)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None


def _dtype(pixels: NDArray[Any]) -> type[np.integer[Any]]:
    low, high = int(pixels.min()), int(pixels.max())
    return np.int32 if low < 0 or high > 0xFFFF else np.uint8 if high <= 0xFF else np.uint16


def read(path: Path, kind: Kind | None) -> Mask:
    """Read a mask, whoever wrote it.

    Parameters
    ----------
    path : Path
    kind : {"semantic", "instance"} or None
        What to take a file for that does not say itself; left out, instance.

    Raises
    ------
    InputError
        If the file is damaged or claims an absurd size, or a value, scaled as the header asks, is no whole number.
    MissingExtra
        Without nibabel.
    """
    try:
        header = volumes.header_of(path)
        check_size(header.shape, max(header.dtype.itemsize, 8 if header.scale else 1), path.stat().st_size, None)
        values = volumes.stored(path, header)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except volumes.ERRORS as error:
        raise InputError(f"{path}: damaged, or NIfTI of a kind that is not read ({' '.join(str(error).split())[:160]})") from error
    for said in header.notes:
        warn(f"{path}: {said}")
    ids = _whole_numbers(values, header, path)
    about = parse(json.dumps(header.noted), path) if header.noted and "kind" in header.noted else None
    if about is not None:
        facts = {key: value for key, value in about.facts.items() if key not in ("spacing", "unit", "origin", "direction")}
        make = SemanticMap if about.kind == "semantic" else InstanceMap
        return make(ids.astype(about.dtype), source=str(path), **facts, **header.place)
    if ids.ndim == 3 and len(ids) == 1:  # as images are read: a picture saved as a volume of one slice
        ids = ids[0]
        header.place.update({"spacing": header.place["spacing"][1:]} if "spacing" in header.place else {})
    axes = "zyx"[-ids.ndim :]
    if kind == "semantic":
        return SemanticMap(ids, axes=axes, source=str(path), classes=_classes(ids), **header.place)
    return InstanceMap(ids, axes=axes, source=str(path), **header.place)


def _whole_numbers(values: NDArray[Any], header: volumes.Header, path: Path) -> NDArray[Any]:
    if header.scale is None and values.dtype.kind != "f":
        return values
    with np.errstate(invalid="ignore", over="ignore"):  # what is not finite is told below
        scaled = values if header.scale is None else values * np.float64(header.scale[0]) + header.scale[1]
        bad = ~np.isfinite(scaled) | (scaled != np.floor(scaled))
    scale = "" if header.scale is None else f", scaled as the header asks (times {header.scale[0]:g} plus {header.scale[1]:g}),"
    if bad.any():
        place = tuple(int(i) for i in np.unravel_index(int(bad.argmax()), bad.shape))
        raise InputError(f"{path}: {int(bad.sum())} values{scale} are not whole numbers (first {scaled[place]} at {place}): a picture or a "
                         "score map, not a mask; save the labels as integers without scaling")  # fmt: skip
    warn(f"{path}: labels saved as {values.dtype}{scale or ';'} all are whole numbers and were read as such")
    if np.abs(scaled).max(initial=0) > 2**62:
        raise InputError(f"{path}: an id is {np.abs(scaled).max():g}; ids fit in 32 bits")
    return scaled.astype(np.int64)


def _classes(ids: NDArray[Any]) -> ClassTable:
    """A class for each value that occurs."""
    found = [int(value) for value in np.unique(ids) if value]
    if max(found, default=0) <= 1 and min(found, default=0) >= 0:
        return ClassTable.binary()
    return ClassTable((ClassEntry(0, "background", "background"), *(ClassEntry(value, f"class {value}", "stuff") for value in found)))
