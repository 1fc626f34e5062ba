"""COCO's JSON of instances: polygons, run lengths or boxes of many images, and the bare list of results that detectors write."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.errors import InputError
from microtome.core.events import warn
from microtome.core.kernels.areas import runs_of
from microtome.core.kernels.run_lengths import check
from microtome.core.objects import Box, Object, Objects, Runs
from microtome.core.outlines import Polygon
from microtome.io.annotations import entries as faults
from microtome.io.annotations.account import Account
from microtome.io.annotations.coco_rle import compress, expand
from microtome.io.annotations.document import ends, read_json
from microtome.io.annotations.entries import Entries, coordinate, number
from microtome.io.annotations.losses import is_finer_than_pixels
from microtome.io.annotations.numbers import LARGEST, extent, plain
from microtome.io.annotations.one_table import one_table
from microtome.io.annotations.sizes import Shapes, checked, enough, tell_beyond
from microtome.io.whole import whole_file

__all__ = ["SUFFIXES", "read", "recognise", "write"]

SUFFIXES = (".json",)

_KEYS = re.compile(rb'"(annotations|categories)"\s*:\s*[\[{]')
_RESULTS = re.compile(rb'\[\s*\{[^}]{0,60000}?"(image_id|category_id)"\s*:')
_NO_CLASS = "no class"  # the mark of the category that stands for none
_LEFT_OUT = ("keypoints", "attributes")


def recognise(path: Path) -> bool:
    """Whether a file looks like COCO's instances or results, by its first and last 64 KiB; never raises on damaged files."""
    found = ends(path).lstrip()
    if found.startswith(b"["):
        return bool(_RESULTS.match(found))
    return found.startswith(b"{") and (bool(_KEYS.search(found)) or (b'"image_id"' in found and b'"category_id"' in found))


@dataclass
class _Picture:
    """One image of the file while its annotations are gathered."""

    name: str
    shape: tuple[int, int] | None
    items: list[tuple[Any, Object]] = field(default_factory=list)  # the annotation's own number, and the object


def read(path: Path, *, shapes: Mapping[str, tuple[int, int]] | None = None, skip_bad: bool = False) -> list[Objects]:
    """Read a COCO file.

    Parameters
    ----------
    path : Path
        A JSON document with `images`, `annotations` and `categories`, or a bare list of results, each with `image_id`.
    shapes : mapping of str to (int, int), optional
        Height and width by image file name (in a list of results by image id), where the file gives none.
    skip_bad : bool
        Leave faulty entries out with a warning, instead of ending with the first.

    Returns
    -------
    list of Objects
        One an image of the file, in its order, without objects too. An object's number is its annotation's id where all ids of the
        image fit in 32 bits and are above 0; otherwise objects count from 1. A class has the category's id as its value.

    Raises
    ------
    InputError
        With file and entry: an unknown image or category, an id used twice, a polygon of an odd count of numbers, of fewer than three
        corners or with one that is not finite, run lengths that do not fit the image.

    Notes
    -----
    A polygon may reach outside of the image: it is kept as it is and told; what is outside is cut when it is painted. pycocotools
    paints polygons along pixel edges as Microtome does, pixel for pixel; slanted ones by a rule of its own, which samples the edge
    five times finer and differs in pixels at the border.

    References
    ----------
    Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014, arXiv:1405.0312; https://cocodataset.org/#format-data.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "cells.json"
    >>> square = Polygon(np.array([[2.0, 2.0], [2.0, 8.0], [8.0, 8.0], [8.0, 2.0]]))
    >>> write(path, [Objects((12, 12), (Object(1, (square,), class_name="cell"),), "a.png")]).objects
    1
    >>> read(path)[0].items[0].box
    (2.0, 2.0, 8.0, 8.0)
    """
    path = Path(path)
    document = read_json(path)
    faulty = Entries(path, skip_bad=skip_bad)
    known = Shapes(shapes)
    if isinstance(document, list):
        annotations: list[Any] = document
        pictures, table = _of_results(annotations, faulty, known)
    else:
        annotations = _list(document, "annotations", path)
        pictures = _pictures(_list(document, "images", path), faulty, known)
        table = _categories(_list(document, "categories", path), annotations, faulty)
    _gather(annotations, pictures, table, faulty)
    _tell(path, annotations)
    classes = ClassTable(tuple(entry for entry in table.values() if entry.name))
    images = [_objects(picture, classes, path) for picture in pictures.values()]
    tell_beyond(images, path)
    return images


def _list(document: Any, name: str, path: Path) -> list[Any]:
    if not isinstance(document, Mapping) or not isinstance(document.get("images"), list):
        raise InputError(f"{path}: not COCO: expected an object with lists of images, annotations and categories, or a list of results")
    found = document.get(name)
    if found is None:
        warn(f"{path}: has no {name}; read as if the list were empty")
        return []
    if isinstance(found, Mapping):  # some write annotations by id
        return list(found.values())
    if not isinstance(found, list):
        raise InputError(f"{path}: {name!r} must be a list, found {type(found).__name__}")
    return found


def _pictures(images: list[Any], faulty: Entries, known: Shapes) -> dict[Any, _Picture]:
    pictures: dict[Any, _Picture] = {}
    for n, image in enumerate(images):
        with faulty.entry(f"images[{n}]"):
            ident = faults.field(image, "id", (int, str))
            if ident in pictures:
                raise InputError(f"the id {ident!r} is that of an image before; give each image its own")
            name = faults.field(image, "file_name", str).replace("\\", "/")
            pictures[ident] = _Picture(name, _size(image, name, known))
    return pictures


def _size(image: Any, name: str, known: Shapes) -> tuple[int, int] | None:
    if (image.get("height"), image.get("width")) in ((None, None), (0, 0)):
        found = known.find(name)
        return found.shape if found else None
    return checked(*(faults.field(image, side, (int, float, str)) for side in ("height", "width")))


def _categories(categories: list[Any], annotations: list[Any], faulty: Entries) -> dict[int, ClassEntry]:
    """Class by category id; the category that stands for none has no name. Ids need not be dense."""
    used = {one.get("category_id") for one in annotations if isinstance(one, Mapping) and isinstance(one.get("category_id"), int)}
    table: dict[int, ClassEntry] = {}
    for n, category in enumerate(categories):
        with faulty.entry(f"categories[{n}]"):
            ident = faults.field(category, "id", int)
            name = "" if category.get("microtome") == _NO_CLASS else faults.field(category, "name", str)
            if not -LARGEST <= ident <= LARGEST:
                raise InputError(f"the id {ident} does not fit in 32 bits")
            if ident in table:
                raise InputError(f"the id {ident} is that of {table[ident].name!r}; give each category its own")
            twin = next((entry for entry in table.values() if name and entry.name == name), None)
            if twin and {twin.value, ident} <= used:
                raise InputError(f"the name {name!r} is that of category {twin.value} too, and both have annotations; rename one")
            if twin:
                unused = ident if twin.value in used else twin.value
                warn(f"{faulty.path}: two categories are named {name!r}; {unused}, which has no annotation, was left out")
                table.pop(unused, None)
            if not twin or ident in used:
                table[ident] = ClassEntry(ident, name, "stuff" if category.get("isthing") == 0 else "thing")
    return table


def _of_results(results: list[Any], faulty: Entries, known: Shapes) -> tuple[dict[Any, _Picture], dict[int, ClassEntry]]:
    """The images and classes that a list of results mentions; names it has none."""
    pictures: dict[Any, _Picture] = {}
    ids: set[int] = set()
    for n, result in enumerate(results):
        ident = result.get("image_id") if isinstance(result, Mapping) else None
        if isinstance(ident, (int, str)) and ident not in pictures:
            with faulty.entry(f"[{n}]"):
                found = known.find(str(ident))
                pictures[ident] = _Picture(found.name, found.shape) if found else _Picture(str(ident), None)
        if isinstance(result, Mapping) and isinstance(category := result.get("category_id"), int) and abs(category) <= LARGEST:
            ids.add(category)
    if ids:
        warn(f"{faulty.path}: results name no classes; they are called 'class {min(ids)}' and so on, by the category's id")
    return pictures, {ident: ClassEntry(ident, f"class {ident}") for ident in sorted(ids)}


def _gather(annotations: list[Any], pictures: dict[Any, _Picture], table: dict[int, ClassEntry], faulty: Entries) -> None:
    """Hang each annotation's object under its image."""
    seen: set[Any] = set()
    for n, annotation in enumerate(annotations):
        ident = annotation.get("id") if isinstance(annotation, Mapping) else None
        ident = ident if isinstance(ident, (int, str)) else None
        with faulty.entry(f"annotations[{n}]" + (f" (id {ident})" if ident is not None else "")):
            image_id = faults.field(annotation, "image_id", (int, str))
            if ident is not None and ident in seen:
                raise InputError(f"the id {ident!r} is that of an annotation before; give each its own")
            if image_id not in pictures:
                raise InputError(f"image_id {image_id!r} is no image of the file")
            category = faults.field(annotation, "category_id", int)
            if category not in table:
                raise InputError(f"category_id {category} is no category of the file ({', '.join(map(str, sorted(table)[:20])) or 'none'})")
            picture = pictures[image_id]
            one, size = _object(annotation, table[category].name, picture.shape)
            picture.shape = size
            picture.items.append((annotation.get("object_number", ident), one))
            seen.add(ident)


def _object(annotation: Mapping[str, Any], class_name: str, shape: tuple[int, int] | None) -> tuple[Object, tuple[int, int] | None]:
    """The object of one annotation, and the image's size as far as it is known then."""
    polygons, runs = _area(annotation.get("segmentation"), shape)
    box = _box(annotation["bbox"]) if annotation.get("bbox") else None
    if not polygons and runs is None:
        if box is None:
            raise InputError("has neither a segmentation nor a bbox")
        if box[2] <= box[0] or box[3] <= box[1]:
            raise InputError(f"the bbox {annotation['bbox']} has no extent, and there is no segmentation")
    crowd = annotation.get("iscrowd") or 0
    if crowd not in (0, 1):
        raise InputError(f"'iscrowd' must be 0 or 1, found {crowd!r}")
    score = annotation.get("score")
    one = Object(0, polygons, runs, box, class_name, None if score is None else number(score, "score"), bool(crowd))
    return one, runs.shape if runs is not None else shape


def _area(segmentation: Any, shape: tuple[int, int] | None) -> tuple[tuple[Polygon, ...], Runs | None]:
    if not segmentation or segmentation == [[]]:  # how programs write a box and nothing more
        return (), None
    if isinstance(segmentation, list):
        rings = segmentation if isinstance(segmentation[0], (list, dict)) else [segmentation]  # some write one ring without a list around
        return tuple(Polygon(_ring(flat, f"segmentation[{k}]")) for k, flat in enumerate(rings)), None
    sides = faults.field(segmentation, "size", list)
    if len(sides) != 2:
        raise InputError(f"the size of its run lengths must be [height, width], found {sides!r:.60}")
    size = checked(*sides) or (0, 0)
    if shape is not None and size != shape:
        raise InputError(f"its run lengths are for {size[0]} x {size[1]} (height x width), the image is {shape[0]} x {shape[1]}")
    counts = faults.field(segmentation, "counts", (str, list))
    runs = Runs(size, expand(counts) if isinstance(counts, str) else _counts(counts))
    check(runs)
    return (), runs


def _ring(flat: Any, what: str) -> NDArray[np.float64]:
    if not isinstance(flat, list):
        raise InputError(f"{what} must be a list of numbers x, y, x, y, ..., found {type(flat).__name__}")
    if len(flat) % 2:
        raise InputError(f"{what}: {len(flat)} numbers are no pairs of x and y")
    return faults.ring(list(zip(flat[::2], flat[1::2], strict=True)), what)


def _counts(counts: Sequence[Any]) -> NDArray[np.int64]:
    for k, count in enumerate(counts):
        if type(count) is not int or not 0 <= count <= LARGEST:
            raise InputError(f"run lengths: count {k} is {count!r}; they must be whole numbers, none negative")
    return np.array(counts, np.int64)


def _box(bbox: Any) -> Box:
    if not isinstance(bbox, list) or len(bbox) != 4:
        raise InputError(f"'bbox' must be four numbers x, y, width, height, found {bbox!r:.60}")
    x, y, width, height = (coordinate(value, "a number of the bbox") for value in bbox)
    if width < 0 or height < 0:
        raise InputError(f"the bbox {bbox} has a negative width or height; it must be x, y, width, height")
    return (y, x, y + height, x + width)


def _tell(path: Path, annotations: list[Any]) -> None:
    found = Counter(key for one in annotations if isinstance(one, Mapping) for key in _LEFT_OUT if one.get(key))
    for key, count in found.items():
        warn(f"{path}: {count} annotations have {key}, which were left out")


def _objects(picture: _Picture, classes: ClassTable, path: Path) -> Objects:
    idents = [ident for ident, _ in picture.items]
    own = all(type(ident) is int and 0 < ident <= LARGEST for ident in idents) and len(set(idents)) == len(idents)
    if not own and any(ident is not None for ident in idents):
        warn(f"{path}: {picture.name}: its annotations' ids are not all numbers from 1 to {LARGEST}; its objects count from 1")
    items = tuple(replace(one, number=ident if own else n) for n, (ident, one) in enumerate(picture.items, 1))
    shape = picture.shape
    if shape is None:
        shape = enough([polygon for item in items for polygon in item.polygons] + [_corners(item.box) for item in items], path)
        warn(f"{path}: {picture.name or 'an image'} has no size in the file; taken as {shape[0]} x {shape[1]}, just enough for its "
             "objects: pass shapes where that matters")  # fmt: skip
    return Objects(shape, items, picture.name, classes)


def _corners(box: Box) -> Polygon:
    return Polygon(np.reshape(box, (2, 2)))


def write(path: Path, images: Sequence[Objects]) -> Account:
    """Write a COCO file.

    Parameters
    ----------
    path : Path
    images : sequence of Objects
        Images are numbered from 1 in this order. Category ids are the classes' values.

    Returns
    -------
    Account
        Polygons stay polygons to the last digit, run lengths stay run lengths. COCO's polygons have no holes: an object with holes, or
        of parts that meet in a corner, is written as run lengths, which is exact where all its edges run along pixels; where they do
        not, it is counted. So are classes whose value changes because images contradict each other.

    Raises
    ------
    InputError
        If a coordinate is not finite.
    RunError
        If the disk refuses.

    Notes
    -----
    An object number that another image has too is kept in the field `object_number`, since COCO's ids are unique in the file. Objects
    without a class get a category marked as none. ``iscrowd`` is 1 for crowds only, also where the area is given by run lengths;
    converters that take all run lengths for crowds leave such objects out.
    """
    path = Path(path)
    lost: Counter[str] = Counter()
    table, lost["class values"] = one_table(images)
    numbers = [item.number for one in images for item in one.items]
    own = len(set(numbers)) == len(numbers)
    values = {entry.name: entry.value for entry in table}
    values[""] = max([0, *values.values()]) + 1
    annotations = []
    for n, (picture, item) in enumerate(_each(images), 1):
        one = {"id": item.number if own else n, "image_id": picture, "category_id": values[item.class_name]}
        annotations.append(one | _geometry(item, images[picture - 1].shape, lost) | _facts(item, lost))
        if not own:
            annotations[-1]["object_number"] = item.number
    document = {
        "images": [{"id": n, "file_name": one.image, "height": one.shape[0], "width": one.shape[1]} for n, one in enumerate(images, 1)],
        "categories": _written_table(table, lost) + _none_of(values[""], images),
        "annotations": annotations,
    }
    try:
        text = json.dumps(document, separators=(",", ":"), allow_nan=False)
    except ValueError:
        raise InputError(f"{path}: a coordinate is not finite, which JSON cannot hold; correct the objects") from None
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="ascii")
    return Account(path, len(annotations), {what: count for what, count in lost.items() if count})


def _each(images: Sequence[Objects]) -> Iterator[tuple[int, Object]]:
    for n, one in enumerate(images, 1):
        for item in one.items:
            yield n, item


def _written_table(table: ClassTable, lost: Counter[str]) -> list[dict[str, Any]]:
    lost["classes that are background or ignored, written as things"] += len(table.values("background", "ignore"))
    return [{"id": entry.value, "name": entry.name} | ({"isthing": 0} if entry.role == "stuff" else {}) for entry in table]


def _none_of(value: int, images: Sequence[Objects]) -> list[dict[str, Any]]:
    needed = any(not item.class_name for one in images for item in one.items)
    return [{"id": value, "name": "object", "microtome": _NO_CLASS}] if needed else []


def _geometry(item: Object, shape: tuple[int, int], lost: Counter[str]) -> dict[str, Any]:
    top, left, bottom, right = item.box
    width, height = extent(left, right), extent(top, bottom)
    lost["boxes moved in their last digit"] += left + width != right or top + height != bottom
    about: dict[str, Any] = {"segmentation": [], "area": plain(width * height), "bbox": [plain(v) for v in (left, top, width, height)]}
    runs = item.runs
    if runs is None and _beyond_polygons(item.polygons):
        words = "objects with holes, with edges off the pixels' or outside of the image, written as their pixels"
        lost[words] += is_finer_than_pixels(item, shape)
        runs = runs_of(item, shape)
    if runs is not None:
        about["segmentation"] = {"size": list(shape), "counts": compress(runs.counts)}
        about["area"] = runs.area
    elif item.polygons:
        about["segmentation"] = [[plain(v) for v in polygon.outer[:, ::-1].ravel().tolist()] for polygon in item.polygons]
        about["area"] = plain(sum(_enclosed(polygon.outer) for polygon in item.polygons))
    return about


def _beyond_polygons(polygons: tuple[Polygon, ...]) -> bool:
    """Whether there are holes, or parts of whole-numbered corners that meet in one."""
    if any(polygon.holes for polygon in polygons):
        return True
    corners = [set(map(tuple, polygon.outer.tolist())) for polygon in polygons]
    whole = all((polygon.outer == np.floor(polygon.outer)).all() for polygon in polygons)
    return whole and len(set().union(*corners)) < sum(map(len, corners))


def _enclosed(ring: NDArray[np.float64]) -> float:
    y, x = (ring - ring[0]).T
    return abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2


def _facts(item: Object, lost: Counter[str]) -> dict[str, Any]:
    facts: dict[str, Any] = {"iscrowd": int(item.crowd)}
    if item.score is not None and np.isfinite(item.score):
        facts["score"] = item.score
    lost["scores that are not finite"] += item.score is not None and not np.isfinite(item.score)
    return facts
