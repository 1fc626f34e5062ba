"""LabelMe: a JSON file an image, a shape each for polygons, rectangles, circles and masks.

Shapes of one label and one group_id are one object. An object with holes is a mask shape, since polygons here have none.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np

from microtome.core.classes import ClassTable
from microtome.core.errors import InputError
from microtome.core.events import warn
from microtome.core.kernels.areas import polygons_of, runs_of
from microtome.core.kernels.patches import patch_of, runs_at
from microtome.core.objects import Box, Object, Objects, Runs, class_table
from microtome.core.outlines import Polygon
from microtome.io.annotations.account import Account
from microtome.io.annotations.document import ends, read_json
from microtome.io.annotations.entries import Entries, coordinate, field, number, ring
from microtome.io.annotations.losses import is_finer_than_pixels, losses
from microtome.io.annotations.ovals import CORNERS, ellipse
from microtome.io.annotations.parts import Part, joined
from microtome.io.annotations.per_image import is_among, read_each, targets
from microtome.io.annotations.sizes import Shapes, checked, enough, tell_beyond
from microtome.io.images.limits import check_size
from microtome.io.masks import png
from microtome.io.whole import whole_file

__all__ = ["SUFFIXES", "read", "recognise", "write"]

SUFFIXES = (".json",)
_VERSION = "5.5.0"  # the first digits that LabelMe checks; masks are known since 5.2
_NO_AREAS = ("line", "linestrip", "point", "points")
_POLYGONS = ("polygon", "oriented_rectangle", "rotation")  # the last is X-AnyLabeling's name for the one before


def recognise(path: Path) -> bool:
    """Whether a file's beginning has the fields of LabelMe, or the files of a folder do."""
    if path.is_dir():
        return is_among(path, SUFFIXES, recognise)
    head = ends(path)
    return b'"shapes"' in head and (b'"imagePath"' in head or b'"shape_type"' in head or b'"lineColor"' in head)


def read(path: Path, *, shapes: Mapping[str, tuple[int, int]] | None = None, skip_bad: bool = False) -> list[Objects]:
    """Read LabelMe files.

    Parameters
    ----------
    path : Path
        A ``.json`` file, or a folder of them.
    shapes : mapping of str to tuple of int, optional
        Height and width by image file name, for files that do not say; the file's own come first.
    skip_bad : bool
        Leave faulty shapes and files out with a warning, instead of raising.

    Returns
    -------
    list of Objects
        One an image. Polygons stay polygons, circles become polygons, rectangles alone are boxes, masks are runs. Numbered by
        group_id where every object has one of its own. Without an imagePath the image is called as the file. Lines and points are
        no areas: they are left out, and told with their count. ``imageData`` is passed over.

    Raises
    ------
    InputError
        With file and shape, for whatever is not as LabelMe writes it.
    """
    path = Path(path)
    sizes = Shapes(shapes)
    files = list(read_each(path, SUFFIXES, recognise, lambda file: _File(file, path, sizes, skip_bad=skip_bad), skip_bad=skip_bad))
    classes = class_table([part.class_name for file in files for part in file.parts])
    images = [file.objects(classes) for file in files]
    _tell(files, path)
    tell_beyond(images, path)
    return images


class _File:
    """What one file says, before the classes of all files are known."""

    def __init__(self, path: Path, root: Path, sizes: Shapes, *, skip_bad: bool) -> None:
        self.path = path
        self.counts: Counter[str] = Counter()
        document = read_json(path)
        try:
            listed = field(document, "shapes", list)
            self.image = _image_name(document, path, root)
            self.shape = _size(document, self.image, path, sizes)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
        entries = Entries(path, skip_bad=skip_bad)
        self.parts: list[Part] = []
        for place, shape in enumerate(listed):
            with entries.entry(f"shapes[{place}]{_called(shape)}"):
                self.parts += self._parts(shape)
        if self.shape is None:
            self.counts["size"] += 1
            self.shape = enough([polygon for part in self.parts for polygon in _polygons_of_part(part)], path)

    def objects(self, classes: ClassTable) -> Objects:
        assert self.shape is not None
        return joined(self.parts, self.shape, self.image, classes)

    def _parts(self, shape: Any) -> Iterator[Part]:
        label = field(shape, "label", str)
        kind = field(shape, "shape_type", str) if shape.get("shape_type") is not None else "polygon"
        if kind in _NO_AREAS:
            self.counts[kind] += 1
            return
        points = field(shape, "points", list)
        common: dict[str, Any] = {
            "class_name": label,
            "group": field(shape, "group_id", int) if shape.get("group_id") is not None else None,
            "score": number(shape["score"], "'score'") if shape.get("score") is not None else None,
            "crowd": isinstance(shape.get("flags"), dict) and shape["flags"].get("iscrowd") is True,
        }
        if kind in _POLYGONS:
            yield Part((Polygon(ring(points)),), **common)
        elif kind == "rectangle":
            yield Part(box=_box(points), **common)
        elif kind == "circle":
            yield Part((Polygon(_circle(points)),), **common)
            self.counts[kind] += 1  # here a faulty one has been left out
        elif kind == "mask":
            yield Part(runs=self._mask(shape, points), **common)
        else:
            known = ", ".join((*_POLYGONS, "rectangle", "circle", "mask", *_NO_AREAS))
            raise InputError(f"shape_type {kind!r} is not known ({known} are)")

    def _mask(self, shape: Any, points: list[Any]) -> Runs:
        if self.shape is None:
            raise InputError("a mask in a file without imageHeight and imageWidth cannot be placed; give the image's size")
        return _mask(field(shape, "mask", str), points, self.shape)


def _called(shape: Any) -> str:
    label = shape.get("label") if isinstance(shape, dict) else None
    return f" ({label[:40]})" if isinstance(label, str) and label else ""


def _image_name(document: Any, path: Path, root: Path) -> str:
    """The name as seen from the folder that is read: files name their image as seen from themselves."""
    if document.get("imagePath") in (None, ""):
        named, folder = path.stem, path.parent
    else:
        named, folder = PureWindowsPath(field(document, "imagePath", str)).as_posix(), path.parent
    if not root.is_dir() or _is_rooted(named):
        return named
    return posixpath.normpath(posixpath.join(folder.relative_to(root).as_posix(), named))


def _is_rooted(name: str) -> bool:
    return posixpath.isabs(name) or bool(re.match("[A-Za-z]:", name))


def _size(document: Any, image: str, path: Path, sizes: Shapes) -> tuple[int, int] | None:
    said = (document.get("imageHeight"), document.get("imageWidth"))
    if None not in said and (size := checked(*said)):
        return size
    found = sizes.find(image)
    return found.shape if found else None


def _box(points: Sequence[Any]) -> Box:
    """From two opposite corners, or all four."""
    corners = [(coordinate(y, "y"), coordinate(x, "x")) for x, y in _pairs(points, (2, 4))]
    (top, left), (bottom, right) = np.min(corners, axis=0).tolist(), np.max(corners, axis=0).tolist()
    if not (bottom > top and right > left):
        raise InputError("a rectangle whose corners lie on a line encloses no area")
    return (top, left, bottom, right)


def _pairs(points: Sequence[Any], lengths: tuple[int, ...]) -> list[tuple[Any, Any]]:
    if len(points) not in lengths or not all(isinstance(point, (list, tuple)) and len(point) == 2 for point in points):
        raise InputError(f"expected {' or '.join(map(str, lengths))} points [x, y], found {str(points)[:60]}")
    return [(point[0], point[1]) for point in points]


def _circle(points: Sequence[Any]) -> Any:
    """From the centre and a point on the rim."""
    (x, y), (rim_x, rim_y) = [(coordinate(x, "x"), coordinate(y, "y")) for x, y in _pairs(points, (2,))]
    radius = math.hypot(rim_x - x, rim_y - y)
    return ellipse(y, x, radius, radius)


def _mask(text: str, points: Sequence[Any], shape: tuple[int, int]) -> Runs:
    """A PNG that begins at the pixel of the first point; the second is its last pixel."""
    (x0, y0), (x1, y1) = [(coordinate(x, "x"), coordinate(y, "y")) for x, y in _pairs(points, (2,))]
    left, top = round(min(x0, x1)), round(min(y0, y1))
    height, width = round(max(y0, y1)) - top + 1, round(max(x0, x1)) - left + 1
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError(f"'mask' is not base64 ({error})") from None
    if not data.startswith(png.SIGNATURE):
        raise InputError("'mask' is not a PNG")
    head = png.header(data, Path("mask"))
    slack = 0 if all(float(edge).is_integer() for edge in (x0, y0, x1, y1)) else 1  # fractions may round apart
    if abs(head.height - height) > slack or abs(head.width - width) > slack:
        raise InputError(f"the mask is {head.height} x {head.width} pixels, its box {height} x {width}")
    if head.height > shape[0] + 1 or head.width > shape[1] + 1:
        raise InputError(f"the mask is {head.height} x {head.width} pixels, more than the image's {shape[0]} x {shape[1]}")
    check_size((head.height, head.width), 1, len(data), None)
    if head.colour not in (png.GREY, png.PALETTE):
        raise InputError("'mask' is a PNG in colours; expected one channel")
    return runs_at(png.indices(data, Path("mask")), top, left, shape)


def _polygons_of_part(part: Part) -> tuple[Polygon, ...]:
    return part.polygons or polygons_of(Object(1, given_box=part.box))


def _tell(files: Sequence[_File], path: Path) -> None:
    counts = sum((file.counts for file in files), Counter[str]())
    left_out = {kind: counts[kind] for kind in _NO_AREAS if counts[kind]}
    if left_out:
        named = ", ".join(f"{count} of type {kind}" for kind, count in left_out.items())
        warn(f"{path}: {sum(left_out.values())} shapes are no areas ({named}), and were left out")
    if counts["circle"]:
        warn(f"{path}: {counts['circle']} circles were read as polygons of {CORNERS} corners")
    if counts["size"]:
        warn(f"{path}: {counts['size']} files do not say their image's size; it was taken as just large enough for the objects")


def write(path: Path, images: Sequence[Objects]) -> Account:
    """Write LabelMe files.

    Parameters
    ----------
    path : Path
        A ``.json`` file for one image, else a folder: a file an image, called as the image.
    images : sequence of Objects
        Polygons without holes are polygon shapes, one a part; areas with holes are mask shapes, exact in every pixel; boxes are
        rectangles. The number is the group_id, so that parts come together again. Scores stand in a field ``score`` and crowds are
        flagged ``iscrowd``: LabelMe shows neither, and keeps both.

    Returns
    -------
    Account

    Raises
    ------
    InputError
        If one file shall hold several images, or two images have one name.
    RunError
        If the disk refuses.

    Examples
    --------
    >>> import tempfile
    >>> cell = Object(3, (Polygon(np.array([[0.0, 0.0], [0.0, 2.0], [2.0, 0.0]])),), class_name="cell")
    >>> file = Path(tempfile.mkdtemp()) / "a.json"
    >>> account = write(file, [Objects((4, 4), (cell,), "a.png")])
    >>> account.objects, account.lost, read(file)[0].items[0].class_name
    (1, {}, 'cell')
    """
    path = Path(path)
    lost = losses(images, holds=("scores", "crowds"))
    written = 0
    for file, objects in targets(path, images, SUFFIXES, ".json"):
        shapes = [shape for item in objects.items for shape in _shapes(item, objects.shape, lost)]
        written += len({shape["group_id"] for shape in shapes})
        below = file.parent.relative_to(path).as_posix() if file != path else "."
        with whole_file(file) as temporary:
            temporary.write_text(json.dumps(_document(shapes, objects, below), indent=2), encoding="ascii")
    return Account(path, written, {what: count for what, count in lost.items() if count})


def _document(shapes: list[dict[str, Any]], objects: Objects, below: str) -> dict[str, Any]:
    as_it_is = below == "." or not objects.image or _is_rooted(objects.image)
    image = objects.image if as_it_is else posixpath.relpath(objects.image, below)
    return {"version": _VERSION, "flags": {}, "shapes": shapes, "imagePath": image, "imageData": None,
            "imageHeight": objects.shape[0], "imageWidth": objects.shape[1]}  # fmt: skip


def _shapes(item: Object, shape: tuple[int, int], lost: Counter[str]) -> Iterator[dict[str, Any]]:
    if item.form == "box":
        top, left, bottom, right = item.box
        yield _shape(item, "rectangle", [[left, top], [right, bottom]])
        return
    polygons = polygons_of(item)
    if any(polygon.holes for polygon in polygons):
        lost["outlines with holes, now whole pixels"] += is_finer_than_pixels(item, shape)
        polygons = ()
        runs = runs_of(item, shape)
        if runs.area:
            pixels, top, left = patch_of(runs)
            bottom, right = top + pixels.shape[0] - 1, left + pixels.shape[1] - 1
            packed = base64.b64encode(png.encode(pixels.astype(np.uint8), {})).decode("ascii")
            yield _shape(item, "mask", [[left, top], [right, bottom]], packed)
            return
    if not polygons:
        lost["objects without a pixel"] += 1
    for polygon in polygons:
        yield _shape(item, "polygon", polygon.outer[:, ::-1].tolist())


def _shape(item: Object, kind: str, points: list[list[float]], mask: str | None = None) -> dict[str, Any]:
    shape: dict[str, Any] = {"label": item.class_name, "points": points, "group_id": item.number, "description": "",
                             "shape_type": kind, "flags": {"iscrowd": True} if item.crowd else {}, "mask": mask}  # fmt: skip
    if item.score is not None and math.isfinite(item.score):
        shape["score"] = item.score
    return shape
