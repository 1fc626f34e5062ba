"""GeoJSON as QuPath reads and writes it: a feature an object, x before y, in full-resolution pixels from the upper left corner.

A file is of one image; several images are a folder of files.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.events import warn
from microtome.core.kernels.areas import polygons_of
from microtome.core.objects import Object, Objects, class_table
from microtome.core.outlines import Polygon
from microtome.io.annotations.account import Account
from microtome.io.annotations.document import ends, read_json
from microtome.io.annotations.entries import FARTHEST, Entries, ring, text
from microtome.io.annotations.losses import losses
from microtome.io.annotations.numbers import object_numbers
from microtome.io.annotations.per_image import is_among, read_each, targets
from microtome.io.annotations.sizes import Shapes, checked, enough, tell_beyond
from microtome.io.whole import whole_file

__all__ = ["SUFFIXES", "read", "recognise", "write"]

SUFFIXES = (".geojson", ".json")
_NOT_FINITE = "measurements that are not finite"
_MARK = re.compile(rb'"type"\s*:\s*"Feature(Collection)?"')
Measurements = Mapping[int, Mapping[str, float]]


def recognise(path: Path) -> bool:
    """Whether a file's beginning speaks of features, or the files of a folder do."""
    if path.is_dir():
        return is_among(path, SUFFIXES, recognise)
    return _MARK.search(ends(path)) is not None


def write(
    path: Path,
    images: Sequence[Objects],
    *,
    object_type: Literal["annotation", "detection"] = "annotation",
    measurements: Measurements | None = None,
) -> Account:
    """Write objects as GeoJSON feature collections.

    Parameters
    ----------
    path : Path
        ``.geojson`` or ``.json`` for one image, else a folder, with a ``.geojson`` for each, called as the image.
    images : sequence of Objects
        A Polygon feature an object, a MultiPolygon where it has several parts. Its number is the feature's name, its class the
        classification, its score a measurement.
    object_type : {"annotation", "detection"}
        What QuPath takes the objects for. Detections are lighter: choose them for thousands of cells.
    measurements : mapping of int to mapping of str to float, optional
        Numbers to show with each object, by its number and their name; for one image.

    Returns
    -------
    Account
        Measurements that are not finite have no form in JSON: they are left out and counted.

    Raises
    ------
    InputError
        If one file shall hold several images, two images have one name, or measurements are given for several images.
    RunError
        If the disk refuses.

    Examples
    --------
    >>> import tempfile
    >>> cell = Object(3, (Polygon(np.array([[0.0, 0.0], [0.0, 2.0], [2.0, 0.0]])),), class_name="cell")
    >>> account = write(Path(tempfile.mkdtemp()) / "a.geojson", [Objects((4, 4), (cell,), "a.png")])
    >>> (back,) = read(account.path)
    >>> back.image, back.items[0].number, back.items[0].class_name
    ('a.png', 3, 'cell')
    """
    path = Path(path)
    if measurements and len(images) != 1:
        raise InputError(f"{path}: measurements are by object number, and {len(images)} images have these; write them one by one")
    lost = losses(images, holds=("scores",))
    written = 0
    for file, objects in targets(path, images, SUFFIXES, ".geojson"):
        features = [
            _feature(item, polygons, object_type, (measurements or {}).get(item.number, {}), lost)
            for item in objects.items
            if (polygons := polygons_of(item))
        ]
        lost["objects without a pixel"] += len(objects) - len(features)
        about = {"shape": list(objects.shape), "image": objects.image}
        collection = {"type": "FeatureCollection", "microtome": about, "features": features}
        with whole_file(file) as temporary:
            temporary.write_text(json.dumps(collection, separators=(",", ":")), encoding="ascii")
        written += len(features)
    return Account(path, written, {what: count for what, count in lost.items() if count})


def _feature(
    item: Object, polygons: tuple[Polygon, ...], object_type: str, given: Mapping[str, float], lost: Counter[str]
) -> dict[str, Any]:
    properties: dict[str, Any] = {"objectType": object_type, "name": str(item.number)}
    if item.class_name:
        properties["classification"] = {"name": item.class_name}
    measured = {name: float(value) for name, value in given.items() if math.isfinite(value)}
    lost[_NOT_FINITE] += len(given) - len(measured)
    if item.score is not None and math.isfinite(item.score):
        measured.setdefault("score", float(item.score))
    if measured or given:
        properties["measurements"] = measured
    lost["boxes, now rectangular areas"] += item.form == "box"
    return {"type": "Feature", "geometry": _geometry(polygons), "properties": properties}


def _geometry(polygons: tuple[Polygon, ...]) -> dict[str, Any]:
    parts = [[_closed(one) for one in (polygon.outer, *polygon.holes)] for polygon in polygons]
    return {"type": "Polygon", "coordinates": parts[0]} if len(parts) == 1 else {"type": "MultiPolygon", "coordinates": parts}


def _closed(corners: NDArray[np.float64]) -> list[list[int | float]]:
    """The corners as x, y, the first one again at the end; whole numbers without a point."""
    whole = (corners == np.floor(corners)).all() and (np.abs(corners) <= FARTHEST).all()
    points: list[list[int | float]] = (corners.astype(np.int64) if whole else corners)[:, ::-1].tolist()
    return [*points, points[0]]


def read(path: Path, *, shapes: Mapping[str, tuple[int, int]] | None = None, skip_bad: bool = False) -> list[Objects]:
    """Read the polygons of GeoJSON files.

    Parameters
    ----------
    path : Path
        A FeatureCollection, a list of features, or one feature; or a folder of such files, each of one image.
    shapes : mapping of str to tuple of int, optional
        Height and width by image file name; the image of ``a.geojson`` is the one called ``a``. Left out: what the file says if
        Microtome wrote it, else just enough for all objects, with a warning.
    skip_bad : bool
        Leave faulty features and files out with a warning, instead of raising.

    Returns
    -------
    list of Objects
        Numbered by name where every name is a number of its own, otherwise in order. Points and lines are no areas: they are left
        out, with a warning that counts them; so are nuclei inside cells, and features off the first plane are read as if on it. The
        image is called as the file, unless the file says.

    Raises
    ------
    InputError
        If a file is not GeoJSON, or a ring has corners that are not numbers.
    """
    path = Path(path)
    sizes = Shapes(shapes)
    found = list(read_each(path, SUFFIXES, recognise, lambda file: _read_file(file, sizes, skip_bad), skip_bad=skip_bad))
    classes = class_table([item.class_name for _, items, _ in found for item in items])
    images = [Objects(shape, items, image, classes) for shape, items, image in found]
    tell_beyond(images, path)
    return images


def _read_file(path: Path, sizes: Shapes, skip_bad: bool) -> tuple[tuple[int, int], tuple[Object, ...], str]:
    document = read_json(path)
    features = _features(document, path)
    entries = Entries(path, skip_bad=skip_bad)
    kept: dict[int, Object] = {}
    for place, feature in enumerate(features):
        with entries.entry(f"feature {place}"):
            if _is_area(feature) and (polygons := _polygons(feature["geometry"])):
                kept[place] = Object(0, polygons, class_name=_class_name(feature), score=_score(feature))
    _warn_of_losses(path, features, len(kept) + entries.bad)
    numbers = object_numbers([str(_properties(features[place]).get("name") or "") for place in kept])
    items = tuple(replace(item, number=number) for number, item in zip(numbers, kept.values(), strict=True))
    about = _about(document)
    given = sizes.find(path.name)
    shape = given.shape if given else about.get("shape")
    if shape is None:
        shape = enough([polygon for item in items for polygon in item.polygons], path)
        warn(f"{path}: the image's size is not in the file; it was taken as just large enough for the objects")
    return shape, items, about.get("image") or path.stem


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


def _polygons(geometry: dict[str, Any]) -> tuple[Polygon, ...]:
    coordinates = geometry["coordinates"]
    parts = [coordinates] if geometry["type"] == "Polygon" else coordinates
    try:
        rings = [[[corner[:2] for corner in one] for one in part] for part in parts]
    except (TypeError, KeyError):
        raise InputError(f"a ring must be a list of corners [x, y], found {str(coordinates)[:60]}") from None
    return tuple(Polygon(ring(part[0], "a ring"), tuple(ring(one, "a hole") for one in part[1:])) for part in rings if part)


def _properties(feature: dict[str, Any]) -> dict[str, Any]:
    properties = feature.get("properties")
    return properties if isinstance(properties, dict) else {}


def _class_name(feature: dict[str, Any]) -> str:
    found = _properties(feature).get("classification")
    if isinstance(found, str):
        return text(found, "the class")
    if not isinstance(found, dict):
        return ""
    names = found.get("names")  # newer QuPath lists the parts of a derived class
    return text(str(found.get("name") or (": ".join(map(str, names)) if isinstance(names, list) else "")), "the class")


def _measurements(feature: dict[str, Any]) -> set[str]:
    """The names of its measurements but for the score; older QuPath lists them."""
    measured = _properties(feature).get("measurements")
    names = [str(one.get("name")) for one in measured if isinstance(one, dict)] if isinstance(measured, list) else measured
    return set(names) - {"score"} if isinstance(names, (list, dict)) else set()


def _score(feature: dict[str, Any]) -> float | None:
    measured = _properties(feature).get("measurements")
    score = measured.get("score") if isinstance(measured, dict) else None
    return float(score) if isinstance(score, (int, float)) and not isinstance(score, bool) and math.isfinite(score) else None


def _warn_of_losses(path: Path, features: list[dict[str, Any]], kept: int) -> None:
    if skipped := len(features) - kept:
        warn(f"{path}: {skipped} of {len(features)} features are points, lines or empty, not areas, and were left out")
    if nuclei := sum("nucleusGeometry" in feature for feature in features):
        warn(f"{path}: {nuclei} cells have a nucleus inside; the cells' outlines were read, the nuclei left out")
    if measured := sum(bool(_measurements(feature)) for feature in features):
        warn(f"{path}: {measured} features have measurements, which were not read")
    planes = [feature["geometry"].get("plane") for feature in features if _is_area(feature)]
    if deep := sum(isinstance(plane, dict) and bool(plane.get("z") or plane.get("t")) for plane in planes):
        warn(f"{path}: {deep} features lie on another z plane or time point; they were read as if on the first")


def _about(document: Any) -> dict[str, Any]:
    """Shape and name of the image, where Microtome wrote the file."""
    try:
        about = document["microtome"]
        height, width = about["shape"]
        return {"shape": checked(height, width), "image": text(str(about.get("image", "")), "the image's name")}
    except (ValueError, KeyError, TypeError):
        return {}  # another program's file
