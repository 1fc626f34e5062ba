"""GeoJSON as QuPath reads and writes it: a feature an object, x before y, in full-resolution pixels from the upper left corner."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.events import warn
from microtome.core.outlines import Outlines, Polygon
from microtome.io.annotations.account import Account
from microtome.io.annotations.numbers import object_numbers
from microtome.io.annotations.rings import enough
from microtome.io.whole import whole_file

__all__ = ["read", "write"]

Measurements = Mapping[int, Mapping[str, float]]


def write(
    path: Path,
    outlines: Outlines,
    *,
    object_type: Literal["annotation", "detection"] = "annotation",
    measurements: Measurements | None = None,
) -> Account:
    """Write outlines as a GeoJSON feature collection.

    Parameters
    ----------
    path : Path
    outlines : Outlines
        A Polygon feature an object, a MultiPolygon where it has several parts. Its number is the feature's name, its class the
        classification.
    object_type : {"annotation", "detection"}
        What QuPath takes the objects for. Detections are lighter: choose them for thousands of cells.
    measurements : mapping of int to mapping of str to float, optional
        Numbers to show with each object, by its number and their name.

    Returns
    -------
    Account
        Measurements that are not finite have no form in JSON: they are left out and counted.

    Raises
    ------
    RunError
        If the disk refuses.
    """
    path = Path(path)
    lost: Counter[str] = Counter()
    features = []
    for number, polygons in outlines.objects.items():
        properties: dict[str, Any] = {"objectType": object_type, "name": str(number)}
        if number in outlines.class_names:
            properties["classification"] = {"name": outlines.class_names[number]}
        if measurements and number in measurements:
            given = measurements[number]
            properties["measurements"] = {name: float(value) for name, value in given.items() if math.isfinite(value)}
            lost["measurements that are not finite"] += len(given) - len(properties["measurements"])
        features.append({"type": "Feature", "geometry": _geometry(polygons), "properties": properties})
    collection = {"type": "FeatureCollection", "microtome": {"shape": list(outlines.shape)}, "features": features}
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(collection, separators=(",", ":")), encoding="ascii")
    return Account(path, len(features), {what: count for what, count in lost.items() if count})


def _geometry(polygons: tuple[Polygon, ...]) -> dict[str, Any]:
    parts = [[_closed(ring) for ring in (polygon.outer, *polygon.holes)] for polygon in polygons]
    return {"type": "Polygon", "coordinates": parts[0]} if len(parts) == 1 else {"type": "MultiPolygon", "coordinates": parts}


def _closed(ring: NDArray[np.float64]) -> list[list[int | float]]:
    """The corners as x, y, the first one again at the end; whole numbers without a point."""
    corners: list[list[int | float]] = (ring.astype(np.int64) if (ring == np.floor(ring)).all() else ring)[:, ::-1].tolist()
    return [*corners, corners[0]]


def read(path: Path, *, shape: tuple[int, int] | None = None) -> Outlines:
    """Read the polygons of a GeoJSON file as outlines.

    Parameters
    ----------
    path : Path
        A FeatureCollection, a list of features, or one feature.
    shape : tuple of int, optional
        Height and width of the image. Left out: what the file says if Microtome wrote it, else just enough for all outlines.

    Returns
    -------
    Outlines
        Numbered by name where every name is a number of its own, otherwise in order. Points and lines are no areas: they are left
        out, with a warning that counts them; so are nuclei inside cells, and features off the first plane are read as if on it.

    Raises
    ------
    InputError
        If the file is not GeoJSON, or a ring has corners that are not numbers.
    """
    path = Path(path)
    document = _document(path)
    features = _features(document, path)
    kept = [(feature, _polygons(feature["geometry"], f"{path}: feature {n}")) for n, feature in enumerate(features) if _is_area(feature)]
    _warn_of_losses(path, features, len(kept))
    numbers = object_numbers([str(_properties(feature).get("name") or "") for feature, _ in kept])
    by_number = sorted(zip(numbers, kept, strict=True), key=lambda one: one[0])
    objects = {number: polygons for number, (_, polygons) in by_number}
    names = {number: name for number, (feature, _) in by_number if (name := _class_name(feature))}
    return Outlines(shape or _shape(document) or enough([one for polygons in objects.values() for one in polygons]), objects, names)


def _document(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not GeoJSON: {error}") from None


def _features(document: Any, path: Path) -> list[dict[str, Any]]:
    kind = document.get("type") if isinstance(document, dict) else None
    features = document.get("features") if kind == "FeatureCollection" else [document] if kind == "Feature" else document
    if not isinstance(features, list) or not all(isinstance(one, dict) for one in features):
        raise InputError(
            f"{path}: not GeoJSON features: expected a FeatureCollection, a Feature or a list of them, found {kind or 'other JSON'}"
        )
    return features


def _is_area(feature: dict[str, Any]) -> bool:
    geometry = feature.get("geometry")
    return isinstance(geometry, dict) and geometry.get("type") in ("Polygon", "MultiPolygon") and bool(geometry.get("coordinates"))


def _polygons(geometry: dict[str, Any], place: str) -> tuple[Polygon, ...]:
    coordinates = geometry["coordinates"]
    parts = [coordinates] if geometry["type"] == "Polygon" else coordinates
    try:
        rings = [[_ring(ring) for ring in part] for part in parts]
    except (ValueError, TypeError, IndexError, KeyError, OverflowError) as error:
        raise InputError(f"{place}: a ring must be a list of [x, y] pairs of finite numbers ({error})") from None
    return tuple(Polygon(part[0], tuple(part[1:])) for part in rings if part)


def _ring(corners: Any) -> NDArray[np.float64]:
    points = np.asarray([[corner[1], corner[0]] for corner in corners], np.float64).reshape(-1, 2)
    if len(points) < 3 or not np.isfinite(points).all():
        raise ValueError(f"found {len(points)} corners" if len(points) < 3 else "found one that is not finite")
    return points[:-1] if (points[0] == points[-1]).all() else points


def _properties(feature: dict[str, Any]) -> dict[str, Any]:
    properties = feature.get("properties")
    return properties if isinstance(properties, dict) else {}


def _class_name(feature: dict[str, Any]) -> str:
    found = _properties(feature).get("classification")
    if isinstance(found, str):
        return found
    if not isinstance(found, dict):
        return ""
    names = found.get("names")  # newer QuPath lists the parts of a derived class
    return str(found.get("name") or (": ".join(map(str, names)) if isinstance(names, list) else ""))


def _warn_of_losses(path: Path, features: list[dict[str, Any]], kept: int) -> None:
    if skipped := len(features) - kept:
        warn(f"{path}: {skipped} of {len(features)} features are points, lines or empty, not areas, and were left out")
    if nuclei := sum("nucleusGeometry" in feature for feature in features):
        warn(f"{path}: {nuclei} cells have a nucleus inside; the cells' outlines were read, the nuclei left out")
    planes = [feature["geometry"].get("plane") for feature in features if _is_area(feature)]
    if deep := sum(isinstance(plane, dict) and bool(plane.get("z") or plane.get("t")) for plane in planes):
        warn(f"{path}: {deep} features lie on another z plane or time point; they were read as if on the first")


def _shape(document: Any) -> tuple[int, int] | None:
    try:
        height, width = document["microtome"]["shape"]
        return int(height), int(width)
    except (ValueError, KeyError, TypeError):
        return None  # another program's file
