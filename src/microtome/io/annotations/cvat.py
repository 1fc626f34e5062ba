"""CVAT for images 1.1: one XML file for many images, with boxes, polygons, ellipses and masks.

A mask's run lengths go row by row inside its box, first the zeros (CVAT, cvat/apps/dataset_manager/formats/transformations.py,
MaskConverter; confirmed by its maintainers in their discussion of the format).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import numpy as np
from numpy.typing import NDArray

from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.errors import InputError
from microtome.core.events import warn
from microtome.core.kernels.areas import polygons_of, runs_of
from microtome.core.kernels.patches import patch_of
from microtome.core.kernels.scan_lines import scan_rows
from microtome.core.objects import Box, Object, Objects, Runs, class_table
from microtome.core.outlines import Polygon
from microtome.io.annotations.account import Account
from microtome.io.annotations.document import ends, read_xml
from microtome.io.annotations.entries import Entries, coordinate, number, ring
from microtome.io.annotations.losses import is_finer_than_pixels, losses
from microtome.io.annotations.numbers import plain
from microtome.io.annotations.one_table import one_table
from microtome.io.annotations.ovals import CORNERS, ellipse
from microtome.io.annotations.parts import Part, joined
from microtome.io.annotations.sizes import checked, tell_beyond
from microtome.io.whole import whole_file

__all__ = ["SUFFIXES", "read", "recognise", "write"]

SUFFIXES = (".xml",)
_NO_AREAS = ("polyline", "points", "cuboid", "skeleton", "tag")
_OURS = ("score", "is_crowd")
_NAMELESS = "object"  # CVAT takes no shape without a label
_NOT_IN_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def recognise(path: Path) -> bool:
    """Whether a file's outermost element is CVAT's, with images, tracks or a description of the task in it."""
    head = ends(path)
    return b"<annotations" in head and any(mark in head for mark in (b"<meta", b"<image", b"<track", b"<version"))


def read(path: Path, *, shapes: Mapping[str, tuple[int, int]] | None = None, skip_bad: bool = False) -> list[Objects]:
    """Read a file of "CVAT for images 1.1".

    Parameters
    ----------
    path : Path
    shapes : mapping of str to tuple of int, optional
        Not needed: the file says the size of each image.
    skip_bad : bool
        Leave faulty shapes and images out with a warning, instead of raising.

    Returns
    -------
    list of Objects
        Ordered within an image as they lie upon each other (z_order). Polygons; ellipses and turned boxes become polygons; boxes; masks
        are runs. Shapes of one label and one group_id above 0 are one object, and a box among them is the box around it. Lines,
        points, cuboids, skeletons and tags are no areas: they are left out, and told with their count.

    Raises
    ------
    InputError
        With file, image and shape, for whatever is not as CVAT writes it; for a file of "CVAT for video", whose tracks are no
        images; for document types and entities.
    """
    path = Path(path)
    root = read_xml(path, "annotations")
    if root.find("track") is not None:
        raise InputError(f"{path}: a file of 'CVAT for video 1.1': its objects are tracks over frames; export 'CVAT for images 1.1'")
    labels = list(dict.fromkeys((label.text or "") for label in root.findall("./meta//labels/label/name")))
    entries, counts = Entries(path, skip_bad=skip_bad), Counter[str]()
    images: dict[str, tuple[tuple[int, int], list[Part]]] = {}
    for element in root.findall("image"):
        found = None
        with entries.entry(f"image {element.get('name') or element.get('id')!r}"):
            found = _image(element, images)
        if found is None:
            continue
        name, shape = found
        parts: list[tuple[float, Part]] = []
        for place, child in enumerate(element):
            with entries.entry(f"image {name}: {child.tag}[{place}]"):
                parts += _parts(child, shape, labels, counts)
        parts.sort(key=lambda one: one[0])
        images[name] = shape, [part for _, part in parts]
    classes = _classes(labels, [part.class_name for _, parts in images.values() for part in parts])
    of_images = [joined(parts, shape, name, classes, boxes_are_areas=False) for name, (shape, parts) in images.items()]
    _tell(counts, path)
    tell_beyond(of_images, path)
    return of_images


def _image(element: Element, others: Collection[str]) -> tuple[str, tuple[int, int]]:
    name = _text(element, "name").replace("\\", "/")
    if name in others:
        raise InputError("stands twice")
    return name, checked(_text(element, "height"), _text(element, "width")) or (0, 0)


def _classes(labels: Sequence[str], used: Sequence[str]) -> ClassTable:
    """The labels of the task in their order, valued from 1; where it has none, the names in use."""
    if not labels:
        return class_table(used)
    return ClassTable(tuple(ClassEntry(value, name) for value, name in enumerate((name for name in labels if name), 1)))


def _text(element: Element, name: str) -> str:
    value = element.get(name)
    if value is None:
        raise InputError(f"{name!r} is missing")
    return value


def _numbers(element: Element, *names: str) -> list[float]:
    return [coordinate(_text(element, name), f"{name!r}") for name in names]


def _parts(element: Element, shape: tuple[int, int], labels: Sequence[str], counts: Counter[str]) -> Iterator[tuple[float, Part]]:
    """The shape of an element, and the layer it lies in."""
    if element.tag in _NO_AREAS:
        counts[element.tag] += 1
        return
    attributes = {one.get("name", ""): one.text or "" for one in element.findall("attribute")}
    counts["attributes"] += len(set(attributes) - set(_OURS))
    group = int(number(element.get("group_id", "0"), "'group_id'"))
    common: dict[str, Any] = {
        "class_name": _label(element, labels),
        "group": group if group > 0 else None,
        "score": number(attributes["score"], "attribute 'score'") if attributes.get("score") else None,
        "crowd": attributes.get("is_crowd", "").lower() in ("1", "true"),
    }
    layer = number(element.get("z_order", "0"), "'z_order'")
    if element.tag == "polygon":
        yield layer, Part((Polygon(_ring(_text(element, "points"))),), **common)
    elif element.tag == "box":
        box, turn = _box(element)
        yield layer, Part((Polygon(_turned(box, turn)),), **common) if turn else Part(box=box, **common)
        counts["turned boxes"] += bool(turn)
    elif element.tag == "ellipse":
        x, y, radius_x, radius_y = _numbers(element, "cx", "cy", "rx", "ry")
        turn = math.radians(number(element.get("rotation", "0"), "'rotation'"))
        yield layer, Part((Polygon(ellipse(y, x, radius_y, radius_x, turn)),), **common)
        counts["ellipses"] += 1  # here a faulty one has been left out
    elif element.tag == "mask":
        yield layer, Part(runs=_mask(element, shape), **common)
    else:
        raise InputError(f"<{element.tag}> is not known (polygon, box, ellipse, mask, {', '.join(_NO_AREAS)} are)")


def _label(element: Element, labels: Sequence[str]) -> str:
    label = _text(element, "label")
    if labels and label and label not in labels:
        raise InputError(f"label {label!r} is not among the labels of the task ({', '.join(labels)[:80]})")
    return label


def _ring(points: str) -> NDArray[np.float64]:
    return ring([point.split(",") for point in points.split(";") if point.strip()])


def _box(element: Element) -> tuple[Box, float]:
    """A box, and its turn in radians, clockwise on the screen."""
    left, top, right, bottom = _numbers(element, "xtl", "ytl", "xbr", "ybr")
    if not (right > left and bottom > top):
        raise InputError(f"a box from ({left:g}, {top:g}) to ({right:g}, {bottom:g}) encloses no area")
    return (top, left, bottom, right), math.radians(number(element.get("rotation", "0"), "'rotation'"))


def _turned(box: Box, turn: float) -> NDArray[np.float64]:
    """The corners of a box turned about its centre."""
    top, left, bottom, right = box
    y, x = (top + bottom) / 2, (left + right) / 2
    across = np.array([left - x, right - x, right - x, left - x])
    down = np.array([top - y, top - y, bottom - y, bottom - y])
    return np.column_stack([y + across * math.sin(turn) + down * math.cos(turn), x + across * math.cos(turn) - down * math.sin(turn)])


def _mask(element: Element, shape: tuple[int, int]) -> Runs:
    left, top, width, height = (round(value) for value in _numbers(element, "left", "top", "width", "height"))
    if not (0 < width <= shape[1] and 0 < height <= shape[0]):
        raise InputError(f"a mask of {height} x {width} pixels in an image of {shape[0]} x {shape[1]}")
    lengths = _text(element, "rle").split(",")
    if not all(re.fullmatch(r"\s*[0-9]{1,10}\s*", length, re.ASCII) for length in lengths):
        wrong = next(length for length in lengths if not re.fullmatch(r"\s*[0-9]{1,10}\s*", length, re.ASCII))
        raise InputError(f"run lengths must be whole numbers from 0, found {wrong.strip()[:20]!r}")
    counts = np.array([int(length) for length in lengths], np.int64)
    if (covered := int(counts.sum())) != height * width:
        raise InputError(f"run lengths cover {covered} pixels, the mask's box has {height} x {width} = {height * width}")
    return scan_rows(counts, (height, width), top, left, shape)


def _tell(counts: Counter[str], path: Path) -> None:
    left_out = {kind: counts[kind] for kind in _NO_AREAS if counts[kind]}
    if left_out:
        named = ", ".join(f"{count} x {kind}" for kind, count in left_out.items())
        warn(f"{path}: {sum(left_out.values())} shapes are no areas ({named}), and were left out")
    if counts["ellipses"]:
        warn(f"{path}: {counts['ellipses']} ellipses were read as polygons of {CORNERS} corners")
    if counts["turned boxes"]:
        warn(f"{path}: {counts['turned boxes']} boxes are turned; they were read as polygons of four corners")
    if counts["attributes"]:
        warn(f"{path}: {counts['attributes']} attributes of shapes were not read")


def write(path: Path, images: Sequence[Objects]) -> Account:
    """Write a file that CVAT imports as "CVAT for images 1.1".

    Parameters
    ----------
    path : Path
    images : sequence of Objects
        Polygons without holes are polygons, one a part; other areas are masks, exact in every pixel; boxes are boxes. The number is the
        group_id, which joins parts; the place in the order is the z_order; scores and crowds are attributes of the shapes. Classes are
        the labels of the task, in the order of their values.

    Returns
    -------
    Account

    Raises
    ------
    InputError
        If two images have one name, or a name has a character that XML cannot hold.
    RunError
        If the disk refuses.

    Examples
    --------
    >>> import tempfile
    >>> cell = Object(3, runs=Runs((2, 3), np.array([2, 3, 1])), class_name="cell")
    >>> account = write(Path(tempfile.mkdtemp()) / "annotations.xml", [Objects((2, 3), (cell,), "a.png")])
    >>> read(account.path)[0].items[0].runs.counts.tolist()
    [2, 3, 1]
    """
    path = Path(path)
    table, _ = one_table(images)
    used = {item.class_name for one in images for item in one.items}
    names = [_writable(entry.name, path) for entry in table if entry.role != "background" or entry.name in used]
    lost = losses(images, holds=("scores", "crowds", "classes"), values={name: value for value, name in enumerate(names, 1)})
    nameless = sum(not item.class_name for one in images for item in one.items)
    lost["objects without a class"] = nameless
    root = Element("annotations")
    SubElement(root, "version").text = "1.1"
    root.append(_meta(names if not nameless or _NAMELESS in names else [*names, _NAMELESS], len(images)))
    seen: set[str] = set()
    written = 0
    for number_of_image, objects in enumerate(images):
        name = objects.image or f"image {number_of_image + 1}"
        if name in seen:
            raise InputError(f"{path}: two images are called {name}; each needs its own name")
        seen.add(name)
        element = SubElement(root, "image", id=str(number_of_image), name=_writable(name, path),
                             width=str(objects.shape[1]), height=str(objects.shape[0]))  # fmt: skip
        for layer, item in enumerate(objects.items):
            shapes = list(_shapes(item, objects.shape, lost))
            for shape in shapes:
                _finish(shape, item, layer, path)
            element.extend(shapes)
            written += bool(shapes)
    indent(root, " ")
    with whole_file(path) as temporary:
        temporary.write_bytes(tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")
    return Account(path, written, {what: count for what, count in lost.items() if count})


def _meta(labels: Sequence[str], size: int) -> Element:
    meta = Element("meta")
    task = SubElement(meta, "task")
    for name, value in (("size", str(size)), ("mode", "annotation"), ("z_order", "True")):
        SubElement(task, name).text = value
    listed = SubElement(task, "labels")
    for label in labels:
        element = SubElement(listed, "label")
        SubElement(element, "name").text = label
        attributes = SubElement(element, "attributes")
        for name, kind, start, values in (("score", "number", "1", "0\n1\n0.0001"), ("is_crowd", "checkbox", "false", "false")):
            attribute = SubElement(attributes, "attribute")
            for field, value in (("name", name), ("mutable", "False"), ("input_type", kind), ("default_value", start), ("values", values)):
                SubElement(attribute, field).text = value
    return meta


def _writable(name: str, path: Path) -> str:
    if found := _NOT_IN_XML.search(name):
        raise InputError(f"{path}: the name {name!r} has the character {found.group()!r}, which XML cannot hold; rename it")
    return name


def _shapes(item: Object, shape: tuple[int, int], lost: Counter[str]) -> Iterator[Element]:
    if item.form == "box":
        top, left, bottom, right = (str(plain(edge)) for edge in item.box)
        yield Element("box", xtl=left, ytl=top, xbr=right, ybr=bottom)
        return
    if item.runs is None and not any(polygon.holes for polygon in item.polygons):
        for polygon in polygons_of(item):
            points = ";".join(f"{plain(x)},{plain(y)}" for y, x in polygon.outer.tolist())
            yield Element("polygon", points=points)
        return
    lost["outlines with holes, now whole pixels"] += is_finer_than_pixels(item, shape)
    runs = runs_of(item, shape)
    if not runs.area:
        lost["objects without a pixel"] += 1
        return
    patch = patch_of(runs)
    flat = np.concatenate([[False], patch.pixels.ravel(), [False]])
    turns = np.flatnonzero(flat[1:] != flat[:-1])
    counts = np.diff(np.concatenate([[0], turns, [patch.pixels.size]]))
    lengths = ", ".join(map(str, counts[: len(counts) - (counts[-1] == 0)].tolist()))
    height, width = patch.pixels.shape
    yield Element("mask", rle=lengths, left=str(patch.left), top=str(patch.top), width=str(width), height=str(height))


def _finish(shape: Element, item: Object, layer: int, path: Path) -> None:
    for name, value in (("label", item.class_name or _NAMELESS), ("source", "file"), ("occluded", "0"), ("z_order", str(layer)),
                        ("group_id", str(item.number))):  # fmt: skip
        shape.set(name, _writable(value, path))
    if item.score is not None and math.isfinite(item.score):
        SubElement(shape, "attribute", name="score").text = repr(float(item.score))
    if item.crowd:
        SubElement(shape, "attribute", name="is_crowd").text = "true"
