"""VGG Image Annotator, versions 1 and 2: one JSON file for many images, as exported annotations or as a whole project.

Sizes of images are not in it: what Microtome writes keeps them among the attributes of the file, other files need `shapes`.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from microtome.core.errors import InputError, RecipeError
from microtome.core.events import warn
from microtome.core.kernels.areas import polygons_of
from microtome.core.objects import Object, Objects, class_table
from microtome.core.outlines import Polygon
from microtome.io.annotations.account import Account
from microtome.io.annotations.document import ends, read_json
from microtome.io.annotations.entries import Entries, coordinate, field, number, ring, text
from microtome.io.annotations.losses import filled_holes, losses
from microtome.io.annotations.numbers import extent, plain
from microtome.io.annotations.ovals import CORNERS, ellipse
from microtome.io.annotations.parts import Part, joined
from microtome.io.annotations.sizes import Shapes, checked, enough, tell_beyond
from microtome.io.whole import whole_file

__all__ = ["SUFFIXES", "read", "recognise", "write"]

SUFFIXES = (".json",)
_NO_AREAS = ("polyline", "line", "point")
_CLASS_NAMES = ("class", "label", "name", "type")
_OURS = ("object", "score", "crowd")  # attributes with a meaning of their own, where they hold numbers
_YES_OR_NO = ("", "0", "1")


def recognise(path: Path) -> bool:
    """Whether a file's beginning has the fields of VIA."""
    head = ends(path)
    return b'"_via_img_metadata"' in head or b'"_via_settings"' in head or (b'"filename"' in head and b'"regions"' in head)


def read(path: Path, *, shapes: Mapping[str, tuple[int, int]] | None = None, skip_bad: bool = False) -> list[Objects]:
    """Read VIA annotations, or a VIA project.

    Parameters
    ----------
    path : Path
    shapes : mapping of str to tuple of int, optional
        Height and width by image file name. An image that is not in it, and whose size the file does not say, is taken as just large
        enough for its objects, with a warning.
    skip_bad : bool
        Leave faulty regions and images out with a warning, instead of raising.

    Returns
    -------
    list of Objects
        Polygons; circles and ellipses become polygons; rectangles alone are boxes. The class is the region attribute called class,
        label, name or type, else the only attribute there is; others are told and not read. Regions whose attribute ``object`` is
        the same whole number are parts of one object. Lines and points are no areas: they are left out, and told with their count.

    Raises
    ------
    InputError
        With file, image and region, for whatever is not as VIA writes it.
    """
    path = Path(path)
    document = _metadata(read_json(path), path)
    entries, sizes, counts = Entries(path, skip_bad=skip_bad), Shapes(shapes), Counter[str]()
    attribute = _class_attribute(document, path)
    images: dict[str, tuple[tuple[int, int], list[Part]]] = {}
    for key, entry in document.items():
        found = None
        with entries.entry(f"image {key[:80]!r}"):
            found = _image(entry, sizes, images)
        if found is None:
            continue
        name, shape, regions = found
        parts: list[Part] = []
        for place, region in regions:
            with entries.entry(f"{name}: region {place}"):
                parts += _parts(region, attribute, counts)
        if shape is None:
            counts["size"] += 1
            shape = enough([polygon for part in parts for polygon in part.polygons or polygons_of(Object(1, given_box=part.box))], path)
        images[name] = shape, parts
    classes = class_table([part.class_name for _, parts in images.values() for part in parts])
    of_images = [joined(parts, shape, name, classes) for name, (shape, parts) in images.items()]
    _tell(counts, path)
    tell_beyond(of_images, path)
    return of_images


def _metadata(document: Any, path: Path) -> dict[str, Any]:
    """The images by key: all of a file of annotations, a field of a project."""
    if isinstance(document, dict) and "project" in document and "metadata" in document:
        raise InputError(f"{path}: a project of VIA 3, which is for videos and not read; export COCO from it")
    images = document.get("_via_img_metadata", document) if isinstance(document, dict) else document
    if not isinstance(images, dict):
        raise InputError(f"{path}: not a file of VIA: expected images by key, found {type(images).__name__}")
    return images


def _image(entry: Any, sizes: Shapes, others: Collection[str]) -> tuple[str, tuple[int, int] | None, list[tuple[str, Any]]]:
    """Its name, its size where that is known, and its regions with their places."""
    name = field(entry, "filename", str).replace("\\", "/")
    if name in others:
        raise InputError(f"{name} stands twice")
    return name, _size(entry, name, sizes), _regions(entry)


def _size(entry: Mapping[str, Any], name: str, sizes: Shapes) -> tuple[int, int] | None:
    if found := sizes.find(name):
        return found.shape
    about = entry.get("file_attributes")
    if isinstance(about, dict) and str(about.get("height", "")).isdecimal() and str(about.get("width", "")).isdecimal():
        return checked(about["height"], about["width"])
    return None


def _regions(entry: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The regions and their places: a list in VIA 2, by number in VIA 1."""
    regions = field(entry, "regions", (list, dict))
    return [(str(place), one) for place, one in (regions.items() if isinstance(regions, dict) else enumerate(regions))]


def _class_attribute(document: Mapping[str, Any], path: Path) -> str | None:
    """The one attribute of all regions that is the class."""
    names: Counter[str] = Counter()
    for entry in document.values():
        regions = entry.get("regions") if isinstance(entry, dict) else None
        listed = regions.values() if isinstance(regions, dict) else regions if isinstance(regions, list) else ()
        for region in listed:
            attributes = region.get("region_attributes") if isinstance(region, dict) else None
            names.update(name for name, value in attributes.items() if not _is_ours(name, value)) if isinstance(attributes, dict) else None
    known = sorted((name for name in names if name.lower() in _CLASS_NAMES), key=lambda name: _CLASS_NAMES.index(name.lower()))
    chosen = known[0] if known else next(iter(names)) if len(names) == 1 else None
    if others := sorted(set(names) - {chosen}):
        taken = f"{chosen!r} is the class" if chosen else f"none of them is called {', '.join(_CLASS_NAMES)}, so there are no classes"
        warn(f"{path}: region attributes {', '.join(others)} were not read; {taken}")
    return chosen


def _is_ours(name: str, value: Any) -> bool:
    return name in _OURS and (_is_number(value) if name != "crowd" else str(value) in _YES_OR_NO)


def _whole(value: Any) -> int | None:
    text = str(value)
    return int(text) if text.isdecimal() and len(text) < 20 else None


def _is_number(value: Any) -> bool:
    try:
        number(value, "")
    except InputError:
        return value == ""
    return True


def _parts(region: Any, attribute: str | None, counts: Counter[str]) -> Iterator[Part]:
    shape = field(region, "shape_attributes", dict)
    about = region.get("region_attributes") or {}
    if not isinstance(about, dict):
        raise InputError(f"'region_attributes' must be named values, found {str(about)[:60]}")
    kind = field(shape, "name", str)
    common: dict[str, Any] = {
        "class_name": _class_name(about.get(attribute)) if attribute is not None else "",
        "group": _whole(about.get("object")),
        "score": number(about["score"], "'score'") if about.get("score", "") != "" and _is_number(about["score"]) else None,
        "crowd": str(about.get("crowd")) == "1",
    }
    if kind in _NO_AREAS:
        counts[kind] += 1
    elif kind in ("polygon", "polygone"):
        yield Part((Polygon(_polygon(shape)),), **common)
    elif kind == "rect":
        left, top, width, height = _numbers(shape, "x", "y", "width", "height")
        if not (width > 0 and height > 0):
            raise InputError(f"a rectangle of {width:g} x {height:g} encloses no area")
        yield Part(box=(top, left, top + height, left + width), **common)
    elif kind in ("circle", "ellipse"):
        yield Part((Polygon(_oval(kind, shape)),), **common)
        counts[kind] += 1  # here a faulty one has been left out
    else:
        raise InputError(f"shape {kind!r} is not known (polygon, rect, circle, ellipse, {', '.join(_NO_AREAS)} are)")


def _polygon(shape: Mapping[str, Any]) -> Any:
    x, y = field(shape, "all_points_x", list), field(shape, "all_points_y", list)
    if len(x) != len(y):
        raise InputError(f"{len(x)} values in all_points_x and {len(y)} in all_points_y; expected as many of both")
    return ring(list(zip(x, y, strict=True)))


def _oval(kind: str, shape: Mapping[str, Any]) -> Any:
    x, y = _numbers(shape, "cx", "cy")
    if kind == "circle":
        (radius,) = _numbers(shape, "r")
        return ellipse(y, x, radius, radius)
    radius_x, radius_y = _numbers(shape, "rx", "ry")
    return ellipse(y, x, radius_y, radius_x, number(shape.get("theta", 0.0), "'theta'"))


def _numbers(shape: Mapping[str, Any], *names: str) -> list[float]:
    return [coordinate(field(shape, name, (int, float, str)), f"{name!r}") for name in names]


def _class_name(value: Any) -> str:
    """The text, or the one box that is ticked."""
    if isinstance(value, dict):
        ticked = [str(name) for name, on in value.items() if on in (True, "true", 1)]
        if len(ticked) > 1:
            raise InputError(f"the region is of several classes ({', '.join(ticked)}); give it one")
        return text(ticked[0], "the class") if ticked else ""
    return "" if value is None else text(str(value), "the class")


def _tell(counts: Counter[str], path: Path) -> None:
    left_out = {kind: counts[kind] for kind in _NO_AREAS if counts[kind]}
    if left_out:
        named = ", ".join(f"{count} of type {kind}" for kind, count in left_out.items())
        warn(f"{path}: {sum(left_out.values())} regions are no areas ({named}), and were left out")
    if ovals := counts["circle"] + counts["ellipse"]:
        warn(f"{path}: {ovals} circles and ellipses were read as polygons of {CORNERS} corners")
    if counts["size"]:
        warn(f"{path}: the size of {counts['size']} images is not in the file and was taken as just large enough for the objects; "
             "give the sizes, or the folder of the images")  # fmt: skip


def write(path: Path, images: Sequence[Objects], *, version: Literal[1, 2] = 2) -> Account:
    """Write annotations that VIA imports.

    Parameters
    ----------
    path : Path
    images : sequence of Objects
        A polygon region for each part, a rect region for a box. Region attributes: ``class``, ``object`` (the number, which joins
        parts), ``score``, ``crowd``. Height and width of the image are attributes of its file.
    version : {1, 2}
        Of VIA: 1 lists regions by number and repeats the first corner.

    Returns
    -------
    Account
        VIA knows no holes: they are filled, and counted with the pixels gained.

    Raises
    ------
    InputError
        If two images have one name.
    RunError
        If the disk refuses.

    Examples
    --------
    >>> import tempfile
    >>> cell = Object(3, (Polygon(np.array([[0.0, 0.0], [0.0, 2.0], [2.0, 0.0]])),), class_name="cell")
    >>> account = write(Path(tempfile.mkdtemp()) / "via.json", [Objects((4, 4), (cell,), "a.png")])
    >>> read(account.path)[0].items[0].polygons[0].outer.tolist()
    [[0.0, 0.0], [0.0, 2.0], [2.0, 0.0]]
    """
    path = Path(path)
    if version not in (1, 2):
        raise RecipeError(f"version {version!r} of VIA is not written; 1 and 2 are")
    lost = losses(images, holds=("scores", "crowds"))
    document: dict[str, Any] = {}
    written = 0
    for place, objects in enumerate(images, 1):
        of_objects = [list(_regions_of(item, objects.shape, version, lost)) for item in objects.items]
        written += sum(bool(regions) for regions in of_objects)
        name = objects.image or f"image {place}"
        key = f"{name}-1"
        if key in document:
            raise InputError(f"{path}: two images are called {name}; each needs its own name")
        document[key] = _entry(name, [region for regions in of_objects for region in regions], objects.shape, version)
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(document, separators=(",", ":")), encoding="ascii")
    return Account(path, written, {what: count for what, count in lost.items() if count})


def _entry(name: str, regions: list[Any], shape: tuple[int, int], version: int) -> dict[str, Any]:
    """Size -1 is what VIA itself says of files whose bytes it has not counted."""
    about = {"height": str(shape[0]), "width": str(shape[1])}
    if version == 1:
        numbered = {str(place): region for place, region in enumerate(regions)}
        return {"fileref": "", "size": -1, "filename": name, "base64_img_data": "", "file_attributes": about, "regions": numbered}
    return {"filename": name, "size": -1, "regions": regions, "file_attributes": about}


def _regions_of(item: Object, shape: tuple[int, int], version: int, lost: Counter[str]) -> Iterator[dict[str, Any]]:
    about: dict[str, str] = {"class": item.class_name} if item.class_name else {}
    about["object"] = str(item.number)
    if item.score is not None and math.isfinite(item.score):
        about["score"] = repr(float(item.score))
    if item.crowd:
        about["crowd"] = "1"
    if item.form == "box":
        top, left, bottom, right = (plain(edge) for edge in item.box)
        lost["boxes moved in their last digit"] += left + extent(left, right) != right or top + extent(top, bottom) != bottom
        rect = {"name": "rect", "x": left, "y": top, "width": plain(extent(left, right)), "height": plain(extent(top, bottom))}
        yield {"shape_attributes": rect, "region_attributes": about}
        return
    polygons = polygons_of(item)
    if not polygons:
        lost["objects without a pixel"] += 1
    lost.update(filled_holes(item, polygons, shape))
    for polygon in polygons:
        corners = polygon.outer if version == 2 else np.vstack([polygon.outer, polygon.outer[:1]])
        y, x = ([plain(value) for value in values.tolist()] for values in corners.T)
        yield {"shape_attributes": {"name": "polygon", "all_points_x": x, "all_points_y": y}, "region_attributes": about}
