"""YOLO's text files: one an image, a line an object, as a box or as one polygon, in fractions of the image's width and height."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Context, Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.errors import InputError
from microtome.core.events import warn
from microtome.core.kernels.areas import polygons_of, runs_of
from microtome.core.objects import Box, Object, Objects, Runs
from microtome.core.outlines import Polygon
from microtome.io.annotations.account import Account
from microtome.io.annotations.bridges import bridged
from microtome.io.annotations.document import ends, read_text
from microtome.io.annotations.entries import Entries, number, ring
from microtome.io.annotations.losses import filled_holes, is_finer_than_pixels, losses
from microtome.io.annotations.one_table import one_table
from microtome.io.annotations.per_image import files_in, targets
from microtome.io.annotations.sizes import Shapes, Sized, tell_beyond
from microtome.io.find import stem_of
from microtome.io.images import is_image, shape_of
from microtome.io.whole import whole_file

__all__ = ["SUFFIXES", "read", "recognise", "write"]

SUFFIXES = (".txt",)

_CLASS_LISTS = ("classes.txt", "obj.names", "data.yaml", "data.yml", "dataset.yaml")
_OTHER_TEXTS = re.compile(r"(_?classes|labels|train|val|valid|test|trainval)\.txt|(readme|license).*\.txt", re.IGNORECASE)
_APART = 0.01  # how far outside of the image Ultralytics lets a coordinate be: rounding puts it there
_MOST_CLASSES = 1 << 16
_exact = Context(prec=60)  # a product of a text's digits and a width is not rounded twice
_digits = Context(prec=20)  # three more than a float holds, so that the product rounds back to it
_BOX_DECIMALS = 12
Ring = NDArray[np.float64]


def recognise(path: Path) -> bool:
    """Whether a text file, or one of the first of a folder, holds lines of a class and fractions; never raises on damaged files."""
    try:
        files = (file for file in _label_files(_labels_folder(path)) if file.stat().st_size)  # an empty one has no objects
        return any(_looks_right(file) for file in islice(files, 20))
    except OSError:
        return False


def _looks_right(file: Path) -> bool:
    lines = [words for line in ends(file).splitlines() if (words := line.split())]
    try:
        for words in lines[:3]:
            _class(words[0].decode(), None)
            _numbers([word.decode() for word in words[1:]])
    except ValueError:  # which an InputError is
        return False
    return bool(lines)


def _is_fraction(value: float) -> bool:
    return -_APART <= value <= 1 + _APART


def _labels_folder(path: Path) -> Path:
    return path / "labels" if (path / "labels").is_dir() else path


def _label_files(folder: Path) -> list[Path]:
    """The label files of a folder: those in folders called ``labels``, where there are such; no lists of images, classes or licences."""
    files = [file for file in files_in(folder, SUFFIXES) if not _is_other_text(file)]
    return [file for file in files if "labels" in file.relative_to(folder).parts[:-1]] or files


def _is_other_text(file: Path) -> bool:
    """Whether a file is called as those beside labels, and does not begin as labels do."""
    if not _OTHER_TEXTS.fullmatch(file.name):
        return False
    words = ends(file).split(maxsplit=1)
    return file.name == "classes.txt" or not words or not words[0].isdigit()


def read(path: Path, *, shapes: Mapping[str, tuple[int, int]] | None = None, skip_bad: bool = False) -> list[Objects]:
    """Read YOLO labels.

    Parameters
    ----------
    path : Path
        A ``.txt`` file, a folder of them, or a data set's folder with ``labels`` in it.
    shapes : mapping of str to (int, int), optional
        Height and width by image file name. Left out: those of the picture of the same stem, beside the file or in the folder
        ``images`` that stands where its path has ``labels``; no pixel is decoded.
    skip_bad : bool
        Leave faulty lines, and files without a size, out with a warning, instead of ending with the first.

    Returns
    -------
    list of Objects
        One a file, by name; an empty file is an image without objects. A line of a class and four numbers is a box (centre x, y, width,
        height), one of more is a polygon (x, y, x, y, ...); a number too many is a score. Objects count from 1 by line. Class k of the
        file, which counts from 0, has the value ``k + 1``, since 0 is the background of a mask. Names come from ``classes.txt``,
        ``obj.names`` or the `names` of ``data.yaml`` in the folder or up to two above it.

    Raises
    ------
    InputError
        With file and line: numbers that are none, or not from 0 to 1 (by more than a hundredth, as in Ultralytics), a class beyond the
        names; or an image whose size is not known; or if the labels are of key points.

    Notes
    -----
    A fraction's decimals are multiplied by the width exactly and rounded once, so that a whole pixel written with enough digits is a
    whole pixel. A box's edges, which are half sums of such numbers, are rounded to 12 decimals of a pixel.

    References
    ----------
    https://docs.ultralytics.com/datasets/segment/ and https://docs.ultralytics.com/datasets/detect/.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.txt").write_text("0 0.5 0.5 0.5 0.5")
    >>> _ = (folder / "classes.txt").write_text("cell")
    >>> found = read(folder, shapes={"a.png": (12, 12)})[0]
    >>> found.image, found.items[0].box, found.items[0].class_name
    ('a.png', (3.0, 3.0, 9.0, 9.0), 'cell')
    """
    path = Path(path)
    folder = _labels_folder(path)
    files = _label_files(folder)
    if not files:
        raise InputError(f"{path}: no .txt file of labels in this folder or below it")
    base = folder if folder.is_dir() else folder.parent
    names = _names(base)
    known, pictures = Shapes(shapes), _Pictures()
    found: list[tuple[Sized, tuple[tuple[int, Object], ...]]] = []
    for file in files:
        faulty = Entries(file, skip_bad=skip_bad)
        sized = None
        with faulty.entry("its image"):
            sized = _size(file, base, known, pictures)
        if sized is not None:
            found.append((sized, tuple(_objects(file, sized.shape, names, faulty))))
    if names is None:
        top = max((value for _, items in found for value, _ in items), default=-1)
        names = [f"class {value}" for value in range(top + 1)]
        if names:
            warn(f"{path}: no classes.txt or data.yaml names the classes; they are called 'class 0' to 'class {top}'")
    classes = ClassTable(tuple(ClassEntry(k, name) for k, name in enumerate(names, 1) if name))
    images = [Objects(sized.shape, tuple(item for _, item in items), sized.name, classes) for sized, items in found]
    tell_beyond(images, path)
    return images


def _size(file: Path, base: Path, known: Shapes, pictures: _Pictures) -> Sized:
    sized = known.find(_images_for_labels(file.relative_to(base)).with_suffix("").as_posix()) or pictures.find(file, base)
    if sized is None:
        raise InputError(f"the size of image {file.stem!r} is not known, and fractions mean nothing without; put the picture in "
                         f"images/ beside labels/, or pass shapes={{{file.stem!r}: (height, width)}}")  # fmt: skip
    return sized


class _Pictures:
    """Sizes of pictures on disk, by the stem of a label file; each folder is listed once."""

    def __init__(self) -> None:
        self._listed: dict[Path, dict[str, Path]] = {}

    def find(self, file: Path, base: Path) -> Sized | None:
        """The picture that belongs to a label file, named as the label file is below `base`."""
        for folder in _picture_folders(file):
            if folder not in self._listed:
                here = sorted(folder.iterdir()) if folder.is_dir() else []
                self._listed[folder] = {stem_of(one.name): one for one in here if is_image(one) and one.is_file()}
            if picture := self._listed[folder].get(file.stem):
                height, width = shape_of(picture)[-2:]
                name = picture.relative_to(base) if picture.is_relative_to(base) else file.relative_to(base).with_name(picture.name)
                return Sized(name.as_posix(), (height, width))
        return None


def _picture_folders(file: Path) -> list[Path]:
    """Where the picture of a label file may be: beside it, or in ``images`` instead of the last ``labels`` of its path."""
    return list(dict.fromkeys([file.parent, _images_for_labels(file.absolute()).parent]))


def _images_for_labels(file: Path) -> Path:
    *parts, name = file.parts
    if "labels" not in parts:
        return file
    at = len(parts) - 1 - parts[::-1].index("labels")
    return Path(*parts[:at], "images", *parts[at + 1 :], name)


def _names(base: Path) -> list[str] | None:
    """The class names near a folder, by class from 0; None where there is no list."""
    places = [base, *list(base.absolute().parents)[:2]]
    file = next((place / name for place in places for name in _CLASS_LISTS if (place / name).is_file()), None)
    if file is None:
        return None
    text = read_text(file)
    names = _names_in_yaml(text, file) if file.suffix in (".yaml", ".yml") else [line.strip() for line in text.rstrip().splitlines()]
    if twice := [name for name, count in Counter(names).items() if count > 1 and name]:
        raise InputError(f"{file}: two classes are named {twice[0]!r}; give each its own name")
    return names


def _names_in_yaml(text: str, file: Path) -> list[str]:
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InputError(f"{file}: not YAML that can be read: {' '.join(str(error).split())[:120]}") from None
    if isinstance(document, dict) and "kpt_shape" in document:
        raise InputError(f"{file}: labels of key points (kpt_shape), whose lines are no polygons; export boxes or segments")
    names: Any = document.get("names") if isinstance(document, dict) else None
    numbered = dict(enumerate(names)) if isinstance(names, list) else names
    if not isinstance(numbered, dict) or not all(type(key) is int and 0 <= key < _MOST_CLASSES for key in numbered):
        raise InputError(f"{file}: expected `names`, a list or a mapping from class numbers to names, found {type(names).__name__}")
    if any(isinstance(name, (list, dict)) for name in numbered.values()):
        raise InputError(f"{file}: in `names`, a class is called by a list or a mapping; expected text")
    return [str(numbered.get(k, f"class {k}")) for k in range(max(numbered, default=-1) + 1)]


def _objects(file: Path, shape: tuple[int, int], names: list[str] | None, faulty: Entries) -> Iterator[tuple[int, Object]]:
    """The class number and the object of each line; without `names` classes are called by their number."""
    count = 0
    for n, line in enumerate(read_text(file).splitlines(), 1):
        if not line.strip():
            continue
        with faulty.entry(f"line {n}"):
            words = line.split()
            value = _class(words[0], names)
            numbers, score = _numbers(words[1:])
            polygons = () if len(numbers) == 4 else (Polygon(_ring(numbers, shape)),)
            box = _box(numbers, shape) if len(numbers) == 4 else None
            count += 1
            yield value, Object(count, polygons, given_box=box, class_name=names[value] if names else f"class {value}", score=score)


def _class(word: str, names: list[str] | None) -> int:
    value = number(word, "the class")
    if not value.is_integer() or not 0 <= value < _MOST_CLASSES:
        raise InputError(f"the class must be a whole number from 0, found {word[:20]!r}")
    if names is not None and value >= len(names):
        raise InputError(f"class {int(value)} has no name: the list near it ends with {len(names) - 1}")
    return int(value)


def _numbers(words: list[str]) -> tuple[list[str], float | None]:
    """The fractions of a line, as text, and its score where it has one number more than pairs."""
    if len(words) < 4:
        raise InputError(f"{len(words)} numbers after the class; a box has 4, a polygon 6 or more")
    for word in words:
        if not _is_fraction(number(word, "a coordinate")):
            raise InputError(f"{word[:20]} is not from 0 to 1; coordinates are fractions of the image's width and height")
    return (words[:-1], float(words[-1])) if len(words) % 2 else (words, None)


def _pixels(fraction: str, size: int) -> float:
    return float(_exact.multiply(_exact.create_decimal(fraction), Decimal(size)))


def _ring(numbers: list[str], shape: tuple[int, int]) -> Ring:
    height, width = shape
    pairs = zip(numbers[::2], numbers[1::2], strict=True)
    return ring([(_pixels(x, width), _pixels(y, height)) for x, y in pairs])


def _box(numbers: list[str], shape: tuple[int, int]) -> Box:
    x, y, width, height = map(_exact.create_decimal, numbers)
    if not width or not height:
        raise InputError("its box has no extent: the width or the height is 0")
    edges = [(middle + sign * length / 2) * size for sign in (-1, 1)
             for middle, length, size in ((y, height, shape[0]), (x, width, shape[1]))]  # fmt: skip
    top, left, bottom, right = (float(round(edge, _BOX_DECIMALS)) for edge in edges)
    return (top, left, bottom, right)


def write(path: Path, images: Sequence[Objects]) -> Account:
    """Write YOLO labels: a text file an image, and ``classes.txt``.

    Parameters
    ----------
    path : Path
        A folder.
    images : sequence of Objects
        Files are named by their image. Classes count from 0 in the order of their values.

    Returns
    -------
    Account
        Polygons keep their corners to the last digit. A line is one ring: parts are joined by bridges of no width, which is exact under
        the even-odd rule; holes are filled in, and counted with the pixels gained. Parts that overlap or lie within each other, and what
        reaches outside of the image, are written as their pixels. Scores, crowd marks, numbers other than 1, 2, 3 ... and class values
        other than 1, 2, 3 ... are lost. Each is counted. Image sizes and the suffixes of image names are not in the files.

    Raises
    ------
    InputError
        If two images would share a file, or a class name does not fit on a line.
    RunError
        If the disk refuses.
    """
    path = Path(path)
    files = targets(path, images, SUFFIXES, ".txt")
    lists = (path if path not in [file for file, _ in files] else path.parent) / "classes.txt"
    if any(file.name.casefold() == lists.name for file, _ in files):
        raise InputError(f"{path}: an image named 'classes' would share its file with the list of classes; rename it")
    table, _ = one_table(images)
    names = [entry.name for entry in sorted(table, key=lambda entry: entry.value)]
    if any(not item.class_name for one in images for item in one.items):
        names.append(_free_name(names))
    if strange := next((name for name in names if name != " ".join(name.split())), None):
        raise InputError(f"{path}: the class name {strange!r} does not fit on a line of its own; rename the class")
    number_of = {name: k for k, name in enumerate(names)}
    lost = losses(images, holds=("classes",), values={name: k + 1 for name, k in number_of.items()})
    texts = {file: _text(one, number_of, names, lost) for file, one in files}
    for file, text in {**{file: text for file, (text, _) in texts.items()}, lists: "".join(f"{name}\n" for name in names)}.items():
        with whole_file(file) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return Account(path, sum(count for _, count in texts.values()), {what: count for what, count in lost.items() if count})


def _free_name(names: list[str]) -> str:
    return next(name for k in range(len(names) + 1) if (name := f"object {k}" if k else "object") not in names)


def _text(one: Objects, number_of: Mapping[str, int], names: list[str], lost: Counter[str]) -> tuple[str, int]:
    """The lines of one image, and how many there are."""
    lines: list[str] = []
    for item in one.items:
        found = _box_line(item.box, one.shape, lost) if item.form == "box" else _ring_line(item, one.shape, lost)
        if found is None:
            continue
        lines.append(" ".join([str(number_of.get(item.class_name, len(names) - 1)), *found]))
        lost["objects without a class"] += not item.class_name
        lost["object numbers"] += item.number != len(lines)
    return "".join(f"{line}\n" for line in lines), len(lines)


def _box_line(box: Box, shape: tuple[int, int], lost: Counter[str]) -> list[str] | None:
    height, width = shape
    top, left, bottom, right = max(box[0], 0.0), max(box[1], 0.0), min(box[2], height), min(box[3], width)
    if top >= bottom or left >= right:
        lost["boxes without a pixel in the image"] += 1
        return None
    lost["boxes cut at the image's edge"] += (top, left, bottom, right) != box
    lost[f"boxes rounded to {_BOX_DECIMALS} decimals"] += any(round(edge, _BOX_DECIMALS) != edge for edge in (top, left, bottom, right))
    x0, y0, x1, y1 = map(Decimal, (left, top, right, bottom))
    return [_fraction(*one) for one in ((x0 + x1, 2 * width), (y0 + y1, 2 * height), (x1 - x0, width), (y1 - y0, height))]


def _fraction(length: Decimal, size: int) -> str:
    return f"{_digits.divide(length, Decimal(size)).normalize():f}"


def _ring_line(item: Object, shape: tuple[int, int], lost: Counter[str]) -> list[str] | None:
    found = _single_ring(item, shape, lost)
    if found is None:
        return None
    return [_fraction(Decimal(place), size) for y, x in found.tolist() for place, size in ((x, shape[1]), (y, shape[0]))]


def _single_ring(item: Object, shape: tuple[int, int], lost: Counter[str]) -> Ring | None:
    """One ring for all of an object's parts; None where it has no pixel."""
    polygons = polygons_of(item)
    rings = [polygon.outer for polygon in polygons]
    lost.update(filled_holes(item, polygons, shape))
    outside = any((one < 0).any() or (one > shape).any() for one in rings)
    if len(rings) == 1 and not outside:
        return rings[0]
    filled = _united(rings, shape)
    if not filled.area and (outside or not rings):
        lost["objects without a pixel in the image"] += 1
        return None
    joined = bridged(rings)
    if not outside and np.array_equal(_united([joined], shape).counts, filled.counts):
        return joined
    lost["objects cut, or of parts in each other, written as their pixels"] += is_finer_than_pixels(item, shape)
    return bridged([polygon.outer for polygon in polygons_of(Object(1, runs=filled))])


def _united(rings: Sequence[Ring], shape: tuple[int, int]) -> Runs:
    return runs_of(Object(1, tuple(Polygon(one) for one in rings)), shape)
