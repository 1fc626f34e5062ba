"""What the steps explained about one image, read from its ``.npz`` and made small enough for the page."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.app.report.palette import CIVIDIS, OBJECTS, colours_apart, dense, rgb
from microtome.app.report.pictures import Scale, shrunk, to_webp
from microtome.core.errors import InputError

__all__ = ["read_explained"]

_MOST_BINS = 256
_MOST_CLUSTERS = 64


def read_explained(path: Path, picture: NDArray[np.uint8] | None, side: int) -> list[dict[str, Any]]:
    """Read what was explained, in order, as plain data for the page's charts and pictures.

    Parameters
    ----------
    path : Path
        The ``.npz`` the run wrote; nothing in it is unpickled.
    picture : ndarray of uint8 or None
        The preview that markers are drawn over.
    side : int
        The longer side of pictures, in pixels.

    Raises
    ------
    InputError
        If the file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return [_card(item, file, picture, side) for item in json.loads(str(file["meta"]))]
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; run again with --explain to write it") from None
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: is damaged ({error}); run again with --explain and --overwrite") from error


def _card(item: Mapping[str, Any], file: Mapping[str, NDArray[Any]], picture: NDArray[np.uint8] | None, side: int) -> dict[str, Any]:
    data = {**item["values"], **{field: file[key] for field, key in item["arrays"].items()}}
    card = {"kind": item["kind"], "step": item["step"], "about": item["about"]}
    if item["kind"] == "histogram":
        return card | _histogram(data)
    if item["kind"] == "clusters":
        return card | _clusters(data)
    if item["kind"] == "map":
        return card | _map(data, side)
    if item["kind"] == "markers":
        return card | _markers(data, side, picture)
    return card | {"kind": "values", "values": {name: str(value) for name, value in item["values"].items()}}


def _histogram(data: Mapping[str, Any]) -> dict[str, Any]:
    """Counts by level, gathered into at most 256 bars; levels are bar centres, or edges where there is one more than counts."""
    counts, levels = np.asarray(data["counts"], float).ravel(), np.asarray(data["levels"], float).ravel()
    centres = (levels[1:] + levels[:-1]) / 2 if len(levels) == len(counts) + 1 else levels
    together = -(-len(counts) // _MOST_BINS) or 1
    starts = np.arange(0, len(counts), together)
    share = np.diff(np.append(starts, len(counts)))
    step = float(centres[1] - centres[0]) if len(centres) > 1 else 1.0
    thresholds = np.atleast_1d(np.asarray(data.get("thresholds", ()), float)).ravel()
    return {
        "counts": np.add.reduceat(counts, starts).tolist() if len(counts) else [],
        "centres": (np.add.reduceat(centres, starts) / share).tolist() if len(counts) else [],
        "width": step * together,
        "thresholds": thresholds[np.isfinite(thresholds)].tolist(),
    }


def _map(data: Mapping[str, Any], side: int) -> dict[str, Any]:
    values = _middle(np.asarray(data["values"]))
    if values.dtype.kind in "b":
        values = values.astype(np.uint8)
    small = shrunk(values, Scale(side, 0).fit(values.shape)).astype(np.float64)
    finite = small[np.isfinite(small)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    level = np.nan_to_num((small - low) / ((high - low) or 1.0), nan=0.0, posinf=1.0, neginf=0.0)
    coloured = CIVIDIS[(np.clip(level, 0, 1) * 255).astype(np.uint8)]
    return {"picture": to_webp(coloured, 85), "low": low, "high": high, "size": list(small.shape)}


def _markers(data: Mapping[str, Any], side: int, picture: NDArray[np.uint8] | None) -> dict[str, Any]:
    """Every marker is shown, be it one pixel: it is carried to its place in the small picture and drawn one pixel wider all round."""
    labels = _middle(np.asarray(data["labels"]))
    size = Scale(side, 0).fit(labels.shape)
    there = np.nonzero(labels > 0)
    small = np.zeros(size, np.int64)
    small[there[0] * size[0] // labels.shape[0], there[1] * size[1] // labels.shape[1]] = labels[there]
    numbers, ids = dense(_thickened(small))
    drawn = np.full((*size, 3), 24, np.uint8) if picture is None else _dimmed(shrunk(picture, size))
    drawn[numbers > 0] = rgb(OBJECTS)[colours_apart(numbers, len(ids))[numbers[numbers > 0] - 1]]
    return {"picture": to_webp(drawn, 85), "size": list(size), "count": len(np.unique(labels[there]))}


def _thickened(numbers: NDArray[Any]) -> NDArray[Any]:
    padded = np.pad(numbers, 1)
    thick = numbers.copy()
    for down in range(3):
        for right in range(3):
            free = thick == 0
            thick[free] = padded[down : down + thick.shape[0], right : right + thick.shape[1]][free]
    return thick


def _dimmed(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    grey = picture if picture.ndim == 2 else picture.mean(axis=2)
    return np.repeat((grey * 0.55)[..., None], 3, axis=2).astype(np.uint8)


def _clusters(data: Mapping[str, Any]) -> dict[str, Any]:
    sizes = np.asarray(data["sizes"], float).ravel()
    centres = np.asarray(data["centres"], float).reshape(len(sizes), -1)
    order = np.argsort(-sizes, kind="stable")[:_MOST_CLUSTERS]
    return {"centres": centres[order].tolist(), "sizes": sizes[order].tolist(), "count": len(sizes)}


def _middle(values: NDArray[Any]) -> NDArray[Any]:
    return values[len(values) // 2] if values.ndim > 2 else values
