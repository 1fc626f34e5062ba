"""Pascal VOC's XML: the boxes of one image a file, in pixels that count from 1, both edges included."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from microtome.core.errors import InputError
from microtome.core.events import warn
from microtome.core.objects import Box, Object, Objects, class_table
from microtome.core.outlines import Polygon
from microtome.io.annotations.account import Account
from microtome.io.annotations.document import ends, read_xml
from microtome.io.annotations.entries import Entries, coordinate
from microtome.io.annotations.losses import losses
from microtome.io.annotations.per_image import files_in, is_among, targets
from microtome.io.annotations.sizes import Shapes, checked, enough, tell_beyond
from microtome.io.whole import whole_file

__all__ = ["SUFFIXES", "read", "recognise", "write"]

SUFFIXES = (".xml",)

_MARKS = ("difficult", "truncated", "occluded")
_NOT_IN_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def recognise(path: Path) -> bool:
    """Whether a file, or one of the first of a folder, looks like VOC's; never raises on damaged files."""
    if path.is_dir():
        return is_among(path, SUFFIXES, recognise)
    head = ends(path)
    root = re.search(rb"<\s*([A-Za-z_][\w.-]*)[\s>]", head)
    return root is not None and root[1] == b"annotation" and (b"<bndbox" in head or b"<size>" in head)


@dataclass
class _Sums:
    """What is told once for all files."""

    marks: Counter[str]
    parts: int = 0
    polygons: int = 0
    zero_based: int = 0


def read(path: Path, *, shapes: Mapping[str, tuple[int, int]] | None = None, skip_bad: bool = False) -> list[Objects]:
    """Read VOC annotations.

    Parameters
    ----------
    path : Path
        An ``.xml`` file, or a folder of them.
    shapes : mapping of str to (int, int), optional
        Height and width by image file name, for files whose ``<size>`` is missing or 0.
    skip_bad : bool
        Leave faulty objects, or files, out with a warning, instead of ending with the first.

    Returns
    -------
    list of Objects
        One a file, by name. Objects are boxes and count from 1 in the file's order. The box of `xmin` to `xmax` is half-open from
        ``xmin - 1`` to `xmax`, since VOC counts pixels from 1 and includes both edges: its width is ``xmax - xmin + 1``. Classes are
        valued from 1 in alphabetical order over all files.

    Raises
    ------
    InputError
        With file and object: edges that are no numbers, or in the wrong order.

    Notes
    -----
    A box whose edges are equal in x and y is one pixel by VOC's rule. Such boxes are mostly slips of the mouse: each is told.
    The marks difficult, truncated and occluded, and the parts of objects, are left out and told with their count.

    References
    ----------
    Everingham et al., "The Pascal Visual Object Classes (VOC) Challenge", IJCV 88, 2010; the VOC2012 development kit, section 10.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> write(folder, [Objects((12, 12), (Object(1, given_box=(2, 2, 8, 8), class_name="cell"),), "a.png")]).objects
    1
    >>> "<xmin>3</xmin>" in (folder / "a.xml").read_text(), read(folder)[0].items[0].box
    (True, (2.0, 2.0, 8.0, 8.0))
    """
    path = Path(path)
    known, sums = Shapes(shapes), _Sums(Counter())
    files = files_in(path, SUFFIXES)
    if not files:
        raise InputError(f"{path}: no .xml file in this folder or below it")
    found = [one for file in files for one in _of_file(file, known, sums, skip_bad=skip_bad)]
    _tell(path, sums)
    classes = class_table([item.class_name for one in found for item in one.items])
    images = [Objects(one.shape, one.items, one.image, classes) for one in found]
    tell_beyond(images, path)
    return images


def _of_file(path: Path, known: Shapes, sums: _Sums, *, skip_bad: bool) -> list[Objects]:
    """The objects of one file; none where the whole file is faulty and may be left out."""
    try:
        root = read_xml(path, "annotation")
        name = (root.findtext("filename") or "").strip().replace("\\", "/") or path.stem
        shape = _size(root, name, known)
    except InputError as error:
        if not skip_bad:
            raise InputError(f"{error}" if str(path) in str(error) else f"{path}: {error}") from None
        warn(f"{path}: {error}; left out" if str(path) not in str(error) else f"{error}; left out")
        return []
    faulty = Entries(path, skip_bad=skip_bad)
    items: list[Object] = []
    for n, element in enumerate(root.findall("object")):
        with faulty.entry(f"object[{n}]"):
            items.append(_object(element, len(items) + 1, sums, f"{path}: object[{n}]"))
    if shape is None:
        shape = enough([Polygon(np.reshape(item.box, (2, 2))) for item in items], path)
        warn(f"{path}: gives no size; taken as {shape[0]} x {shape[1]}, just enough for its boxes: pass shapes where that matters")
    return [Objects(shape, tuple(items), name)]


def _size(root: Element, name: str, known: Shapes) -> tuple[int, int] | None:
    size = root.find("size")
    texts = [(size.findtext(side) or "").strip() if size is not None else "" for side in ("height", "width")]
    if any(texts) and (said := checked(*texts)):
        return said
    found = known.find(name)
    return found.shape if found else None


def _object(element: Element, own: int, sums: _Sums, place: str) -> Object:
    name = element.findtext("name")
    if name is None:
        raise InputError("has no <name>")
    box = _box(element)
    if box[2] - box[0] == box[3] - box[1] == 1:
        warn(f"{place}: its box is a single pixel, from {box[1] + 1:g}, {box[0] + 1:g} to the same; kept, but perhaps a slip of the mouse")
    for mark in _MARKS:
        sums.marks[mark] += (element.findtext(mark) or "0").strip() not in ("0", "", "Unspecified")
    sums.parts += len(element.findall("part"))
    sums.polygons += element.find("polygon") is not None
    sums.zero_based += min(box[:2]) == -1
    return Object(own, given_box=box, class_name=name.strip())


def _box(element: Element) -> Box:
    box = element.find("bndbox")
    if box is None:
        raise InputError("has no <bndbox>")
    left, top, right, bottom = (coordinate((box.findtext(edge) or "").strip(), edge) for edge in ("xmin", "ymin", "xmax", "ymax"))
    if right < left or bottom < top:
        raise InputError(f"its box has no extent: from {left:g}, {top:g} to {right:g}, {bottom:g}; xmin and ymin must come first")
    return (top - 1, left - 1, bottom, right)


def _tell(path: Path, sums: _Sums) -> None:
    if said := ", ".join(f"{count} {mark}" for mark, count in sums.marks.items() if count):
        warn(f"{path}: objects are marked ({said}); the marks were left out, the objects kept")
    if sums.parts:
        warn(f"{path}: {sums.parts} parts of objects (such as heads and hands) were left out")
    if sums.zero_based:
        warn(f"{path}: {sums.zero_based} boxes begin at 0, though VOC counts from 1: whoever wrote them may have counted from 0")
    if sums.polygons:
        warn(f"{path}: {sums.polygons} objects have polygons beside their boxes, which are not VOC's and were not read")


def write(path: Path, images: Sequence[Objects]) -> Account:
    """Write VOC annotations, the boxes of one image a file.

    Parameters
    ----------
    path : Path
        A folder; or, for a single image, a file ending in ``.xml``.
    images : sequence of Objects
        Files are named by their image.

    Returns
    -------
    Account
        Areas become boxes; edges between pixels are rounded outwards; scores, crowd marks, numbers other than 1, 2, 3 ..., class values
        and classes without an object are lost. Each is counted.

    Raises
    ------
    InputError
        If two images would share a file, or a name holds a character that XML cannot.
    RunError
        If the disk refuses.
    """
    path = Path(path)
    files = targets(path, images, SUFFIXES, ".xml")
    lost = losses(images, holds=("boxes",))
    texts = [_text(one, lost, file) for file, one in files]
    for (file, _), (text, _) in zip(files, texts, strict=True):
        with whole_file(file) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return Account(path, sum(count for _, count in texts), {what: count for what, count in lost.items() if count})


def _text(one: Objects, lost: Counter[str], file: Path) -> tuple[str, int]:
    """The document of one image, and how many objects are in it."""
    root = Element("annotation")
    SubElement(root, "filename").text = one.image
    _with(SubElement(root, "size"), width=one.shape[1], height=one.shape[0], depth=3)  # objects do not know it; VOC's pictures have 3
    SubElement(root, "segmented").text = "0"
    count = 0
    for item in one.items:
        top, left, bottom, right = item.box
        if bottom <= top or right <= left:
            lost["objects without a pixel"] += 1
            continue
        count += 1
        element = SubElement(root, "object")
        _with(element, name=item.class_name, pose="Unspecified", truncated=0, difficult=0)
        whole = [math.floor(left) + 1, math.floor(top) + 1, math.ceil(right), math.ceil(bottom)]
        _with(SubElement(element, "bndbox"), **dict(zip(("xmin", "ymin", "xmax", "ymax"), whole, strict=True)))
        lost["boxes rounded outwards"] += whole != [left + 1, top + 1, right, bottom]
        lost["areas (only the boxes are written)"] += item.form != "box"
        lost["object numbers"] += item.number != count
        lost["class names with other spaces"] += item.class_name != item.class_name.strip()
    ElementTree.indent(root)
    text: str = ElementTree.tostring(root, encoding="unicode")
    if strange := _NOT_IN_XML.search(text):
        raise InputError(f"{file}: the name of the image or of a class holds the character {strange[0]!r}, which XML cannot; rename it")
    return f"{text}\n", count


def _with(element: Element, **texts: str | int) -> None:
    for name, text in texts.items():
        SubElement(element, name).text = str(text)
