"""Kaggle's run-length tables: a row an object, or a row an image, with pairs of start and length, counted from 1."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.kernels.areas import runs_of
from microtome.core.kernels.run_lengths import of_spans
from microtome.core.kernels.scan_lines import scan_rows
from microtome.core.objects import Object, Objects, Runs
from microtome.io.annotations.account import Account
from microtome.io.annotations.document import LARGEST, read_text
from microtome.io.annotations.entries import Entries
from microtome.io.annotations.losses import is_finer_than_pixels, losses
from microtome.io.annotations.sizes import Shapes, Sized, checked
from microtome.io.whole import whole_file

__all__ = ["SUFFIXES", "Order", "read", "recognise", "write"]

SUFFIXES = (".csv",)

Order = Literal["columns", "rows"]
_IMAGE = ("imageid", "img", "image_id", "image", "id")
_PIXELS = ("encodedpixels", "pixels", "rle_mask", "rle", "encoded_pixels")
_CLASS = ("classid", "class")
_MOST_DIGITS = 18


@dataclass(frozen=True)
class _Columns:
    """Where in a row the image, its runs and, in some tables, its subject, the object's class, and the image's height and width stand."""

    image: int
    pixels: int
    subject: int | None
    kind: int | None
    size: tuple[int, int] | None
    count: int


@dataclass
class _Picture:
    name: str
    shape: tuple[int, int]
    items: list[Object] = field(default_factory=list)


def recognise(path: Path) -> bool:
    """Whether a file's first line has a column of images and one of run lengths; never raises on damaged files."""
    try:
        with path.open("rb") as file:
            head = file.readline(1 << 16).decode("utf-8-sig")
        return _columns(next(csv.reader([head]), [])) is not None
    except (OSError, UnicodeDecodeError, csv.Error):
        return False


def _columns(header: Sequence[str]) -> _Columns | None:
    names = [name.strip().lower() for name in header]
    image, pixels, kind = (next((names.index(name) for name in known if name in names), None) for known in (_IMAGE, _PIXELS, _CLASS))
    if image is None or pixels is None:
        return None
    size = (names.index("height"), names.index("width")) if {"height", "width"} <= set(names) else None
    return _Columns(image, pixels, names.index("subject") if "subject" in names else None, kind, size, len(names))


def read(
    path: Path,
    *,
    shapes: Mapping[str, tuple[int, int]] | None = None,
    skip_bad: bool = False,
    order: Order = "columns",
) -> list[Objects]:
    """Read a run-length table.

    Parameters
    ----------
    path : Path
        A CSV file whose columns are named as in the 2018 Data Science Bowl (`ImageId`, `EncodedPixels`), the ultrasound nerve
        challenge (`img`, `pixels`, with `subject` in its training table) or Carvana (`img`, `rle_mask`). A column `ClassId` is read
        as the object's class. Columns `Height` and `Width`, as in the solutions of the Bowl, are the image's.
    shapes : mapping of str to (int, int)
        Height and width by image file name, where the table does not say them: its runs mean nothing without.
    skip_bad : bool
        Leave faulty rows out with a warning, instead of ending with the first.
    order : {"columns", "rows"}
        How pixels are counted: down the columns from the upper left (Data Science Bowl, nerve, most others), or along the rows
        (Carvana). A wrong order gives stripes, not an error.

    Returns
    -------
    list of Objects
        One an image, by first appearance. Objects count from 1 in the order of their rows; an empty field is an image without
        objects.

    Raises
    ------
    InputError
        With file and row: no size for the image, an odd count of numbers, runs that are out of order, overlap, have no pixel or
        reach beyond the image.

    Notes
    -----
    Carvana's own table counts along the rows. The first runs of its `train_masks.csv`, as public programs quote them, are 40 pixels
    from 879386, 141 from 881253 and 205 from 883140. In rows of 1918 pixels these lie in three successive rows, each centred at
    column 961 to within a pixel and wider than the one above: the roof of a car. In columns of 1280 they lie nowhere near each other.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "train.csv"
    >>> _ = path.write_text("ImageId,EncodedPixels\\na,3 3\\nb,\\n")
    >>> first, second = read(path, shapes={"a.png": (2, 3), "b.png": (2, 3)})
    >>> first.items[0].runs.counts.tolist(), len(second)
    ([2, 3, 1], 0)
    """
    path = Path(path)
    rows = _rows(path)
    columns = _columns(rows[0]) if rows else None
    if columns is None:
        raise InputError(f"{path}: not a run-length table: expected columns such as ImageId,EncodedPixels or img,rle_mask, found "
                         f"{','.join(rows[0])[:60] if rows else 'nothing'}")  # fmt: skip
    known, faulty = Shapes(shapes), Entries(path, skip_bad=skip_bad)
    pictures: dict[str, _Picture] = {}
    for n, row in enumerate(rows[1:], 2):
        if not row:
            continue
        with faulty.entry(f"row {n}" + (f" ({row[columns.image]})" if len(row) > columns.image else "")):
            _add(row, columns, pictures, known, order)
    return [Objects(one.shape, tuple(one.items), one.name) for one in pictures.values()]


def _rows(path: Path) -> list[list[str]]:
    text = read_text(path)
    csv.field_size_limit(min(LARGEST, 2**31 - 1))  # a mask is one field, and the module's own limit is 128 KiB
    try:
        return list(csv.reader(io.StringIO(text), strict=True))
    except csv.Error as error:
        raise InputError(f"{path}: not a table of values between commas, or cut short: {error}") from None


def _add(row: list[str], columns: _Columns, pictures: dict[str, _Picture], known: Shapes, order: Order) -> None:
    if len(row) != columns.count:
        raise InputError(f"{len(row)} values, the header names {columns.count}")
    name = row[columns.image].strip()
    if columns.subject is not None:
        name = f"{row[columns.subject].strip()}_{name}"
    if name not in pictures:
        said = checked(row[columns.size[0]], row[columns.size[1]]) if columns.size else None
        found = known.find(name) or (Sized(name, said) if said else known.need(name))
        pictures[name] = _Picture(found.name, found.shape)
    picture = pictures[name]
    if not (text := row[columns.pixels].strip()):
        return
    runs = _runs(text, picture.shape, order)
    class_name = row[columns.kind].strip() if columns.kind is not None else ""
    picture.items.append(Object(len(picture.items) + 1, runs=runs, class_name=class_name))


def _runs(text: str, shape: tuple[int, int], order: Order) -> Runs:
    pairs = _pairs(text)
    pixels = shape[0] * shape[1]
    starts, ends = pairs[:, 0] - 1, pairs.sum(axis=1) - 1
    wrong = np.concatenate([[False], starts[1:] < ends[:-1]]) | (pairs < 1).any(axis=1) | (ends > pixels)
    if wrong.any():
        raise InputError(_what_is_wrong(pairs, int(wrong.argmax()), shape))
    along = of_spans(starts, ends, shape)
    return along if order == "columns" else scan_rows(along.counts, shape, 0, 0, shape)


def _pairs(text: str) -> NDArray[np.int64]:
    words = text.split()
    if strange := next((word for word in words if not (word.isascii() and word.isdecimal()) or len(word) > _MOST_DIGITS), None):
        raise InputError(f"runs are pairs of whole numbers, start and length, found {strange[:20]!r}")
    if len(words) % 2:
        raise InputError(f"{len(words)} numbers are no pairs of start and length; the row was cut short")
    return np.array(words, np.int64).reshape(-1, 2)


def _what_is_wrong(pairs: NDArray[np.int64], k: int, shape: tuple[int, int]) -> str:
    start, length = pairs[k].tolist()
    this = f"run {k + 1} ({start} {length})"
    if start < 1 or length < 1:
        return f"{this}: starts count from 1, and a run has at least one pixel"
    if start + length - 1 > shape[0] * shape[1]:
        return f"{this} reaches beyond the {shape[0] * shape[1]} pixels of an image of {shape[0]} x {shape[1]}"
    before, its_length = pairs[k - 1].tolist()
    if start < before:
        return f"{this} starts before the run ahead of it ({before} {its_length}); runs must be in order"
    return f"{this} overlaps the run ahead of it ({before} {its_length})"


def write(path: Path, images: Sequence[Objects], *, order: Order = "columns") -> Account:
    """Write a run-length table with the columns ImageId and EncodedPixels, a row an object.

    Parameters
    ----------
    path : Path
    images : sequence of Objects
        An image without objects is a row with an empty field. Names are written as they are.
    order : {"columns", "rows"}
        As for `read`.

    Returns
    -------
    Account
        The table holds pixels and nothing else: polygons are written as the pixels whose centre they hold, boxes without an area and
        objects without a pixel are left out, and numbers other than 1, 2, 3 ..., classes, scores and crowd marks are lost. Image
        sizes are not in it: `read` must be given them.

    Raises
    ------
    InputError
        If two images have the same name, or one has none.
    RunError
        If the disk refuses.
    """
    path = Path(path)
    _refuse_same_names(images, path)
    lost = losses(images, values={})
    text, objects = io.StringIO(), 0
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["ImageId", "EncodedPixels"])
    for one in images:
        fields = {item.number: found for item in one.items if (found := _field(item, one.shape, order, lost))}
        objects += len(fields)
        table.writerows([one.image, found] for found in fields.values() or [""])
        lost["object numbers"] += sum(own != n for n, own in enumerate(fields, 1))
    with whole_file(path) as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8", newline="")
    return Account(path, objects, {what: count for what, count in lost.items() if count})


def _refuse_same_names(images: Sequence[Objects], path: Path) -> None:
    names = Counter(one.image for one in images)
    if "" in names or len(names) < len(images):
        twice = next((name for name, count in names.items() if count > 1 and name), "")
        raise InputError(f"{path}: {f'two images are named {twice!r}' if twice else 'an image has no name'}; rows are told apart by it")


def _field(item: Object, shape: tuple[int, int], order: Order, lost: Counter[str]) -> str:
    """The runs of one object as text; empty where it cannot be written, which is counted."""
    if item.form == "box":
        lost["boxes without an area"] += 1
        return ""
    runs = runs_of(item, shape)
    if not runs.area:
        lost["objects without a pixel"] += 1
        return ""
    lost["objects with edges off the pixels' or outside of the image, written as their pixels"] += is_finer_than_pixels(item, shape)
    lost["classes"] += bool(item.class_name)
    if order == "rows":  # to count along the rows is to count down the columns of the picture turned over
        runs = scan_rows(runs.counts, (shape[1], shape[0]), 0, 0, (shape[1], shape[0]))
    counts = runs.counts
    ends = np.cumsum(counts)
    pairs = np.stack([ends[:-1:2] + 1, counts[1::2]], axis=1)
    return " ".join(map(str, pairs[pairs[:, 1] > 0].ravel().tolist()))
