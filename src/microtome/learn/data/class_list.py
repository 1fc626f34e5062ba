"""Class lists beside labelled images: ``classes.json``, ``classes.txt``, ``label_colors.txt`` (CamVid), nnU-Net's ``dataset.json``, ..."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from microtome.core.classes import ClassEntry, ClassTable, Role
from microtome.core.errors import InputError
from microtome.core.events import warn
from microtome.io.annotations.document import read_json, read_text
from microtome.learn.data.layouts.folders import way_to

__all__ = ["ClassList", "Colour", "class_list_of", "read_class_list"]

Colour = tuple[int, int, int]

NAMES = ("classes.json", "classes.txt", "label_colors.txt", "class_dict.csv", "label_class_dict.csv", "labels.txt", "dataset.json")
_IGNORED = {"void", "ignore", "ignored", "unlabelled", "unlabeled", "unknown", "dontcare", "don't care"}
_ROLES = ("background", "thing", "stuff", "ignore")
_COLOURED = re.compile(r"^\s*(\d+)[\s,]+(\d+)[\s,]+(\d+)[\s,]+(\S.*?)\s*$")
_NUMBERED = re.compile(r"^\s*(\d+)\s*[:,;\s]\s*(\S.*?)\s*$")


@dataclass(frozen=True)
class ClassList:
    """What a class list says.

    Attributes
    ----------
    path : Path
    classes : ClassTable
    colours : mapping of tuple of int to int
        The value of each colour (red, green, blue), where the list gives colours.
    """

    path: Path
    classes: ClassTable
    colours: Mapping[Colour, int] = field(default_factory=dict)


def class_list_of(root: Path, labels: Iterable[Path] = ()) -> ClassList | None:
    """The class list of a data folder, of a folder on the way to all of its label files, or of the folder above, which is told."""
    for folder in way_to(root, labels):
        if found := _list_in(folder):
            return read_class_list(found)
    try:
        path = _list_in(root.resolve().parent)
        listed = None if path is None else read_class_list(path)
    except InputError as error:
        warn(f"{root}: the class list of the folder above is passed over: {error}")
        return None
    if listed:
        warn(f"{root}: the class list {path} of the folder above is used")
    return listed


def _list_in(folder: Path) -> Path | None:
    return next((path for name in NAMES if (path := folder / name).is_file() and (name != "dataset.json" or _is_of_nnunet(path))), None)


def _is_of_nnunet(path: Path) -> bool:
    """Whether a ``dataset.json`` is nnU-Net's or the Medical Segmentation Decathlon's, with a value for each class."""
    found = read_json(path)
    labels = found.get("labels") if isinstance(found, dict) else None
    if not isinstance(labels, dict) or not ({"channel_names", "modality"} & set(found)):
        return False
    return not any(isinstance(one, list) for one in labels.values())


def read_class_list(path: Path) -> ClassList:
    """Read a class list.

    Parameters
    ----------
    path : Path
        ``.json``: ``{"ignore_index": 11, "classes": [{"id": 0, "name": "Sky", "color": [128, 128, 128]}, ...]}``, also ``{"0": "Sky"}``
        or ``["Sky", ...]``. ``.txt``: a name a line, valued from 0; or ``0 Sky``; or CamVid's ``128 128 128 Sky``. ``.csv``: columns
        ``name, r, g, b``. Classes called void, unlabelled or ignore, and the ignore index, are ignored; background is the background.

    Raises
    ------
    InputError
        If it is none of these, or names a class or value twice.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "label_colors.txt"
    >>> _ = path.write_text("128 128 128\\tSky\\n0 0 0\\tVoid\\n")
    >>> found = read_class_list(path)
    >>> [(entry.value, entry.name, entry.role) for entry in found.classes], found.colours[128, 128, 128]
    ([(0, 'Sky', 'thing'), (1, 'Void', 'ignore')], 0)
    """
    suffix = path.suffix.lower()
    try:
        rows = list({".json": _json, ".csv": _csv}.get(suffix, _text)(path))
        if not rows:
            raise InputError("it names no class")
        return ClassList(path, ClassTable(tuple(sorted((row for row, _ in rows), key=lambda row: row.value))), _colours(rows))
    except InputError as error:
        raise error if str(error).startswith(str(path)) else InputError(f"{path}: {error}") from None


_Row = tuple[ClassEntry, Colour | None]


def _row(value: Any, name: Any, colour: Any = None, role: Any = None, ignored: Any = None) -> _Row:
    try:
        number, word = int(value), str(name).strip()
        shade = None if colour is None else (int(colour[0]), int(colour[1]), int(colour[2]))
    except (TypeError, ValueError, IndexError, KeyError):
        raise InputError(
            f"a class needs a whole number, a name and perhaps three numbers of a colour, found {value!r}, {name!r}, {colour!r}"
        ) from None
    if not word:
        raise InputError(f"the class of value {number} has no name")
    part: Role = role if role in _ROLES else "ignore" if number == ignored else _role_of(word)
    return ClassEntry(number, word, part), shade


def _role_of(name: str) -> Role:
    lower = name.lower()
    return "ignore" if lower in _IGNORED else "background" if lower in ("background", "_background_", "bg") else "thing"


def _json(path: Path) -> Iterator[_Row]:
    found = read_json(path)
    ignored = found.get("ignore_index", found.get("ignore")) if isinstance(found, dict) else None
    if isinstance(found, dict):
        found = found.get("classes", found.get("categories", found.get("labels", found)))
    items = list(found.items()) if isinstance(found, dict) else list(enumerate(found)) if isinstance(found, list) else []
    listed = set()
    for number, one in items:
        if isinstance(one, dict):
            row = _row(
                one.get("id", one.get("value", number)), one.get("name"), one.get("color", one.get("colour")), one.get("role"), ignored
            )
        else:
            row = _row(*((number, one) if str(number).isdecimal() or isinstance(number, int) else (one, number)), ignored=ignored)
        listed.add(row[0].value)
        yield row
    if isinstance(ignored, int) and ignored not in listed and items:
        yield ClassEntry(ignored, "ignored", "ignore"), None


def _csv(path: Path) -> Iterator[_Row]:
    table = csv.DictReader(io.StringIO(read_text(path)), skipinitialspace=True)
    columns = {name.strip().lower(): name for name in table.fieldnames or []}
    if not {"name", "r", "g", "b"} <= set(columns):
        raise InputError(f"expected the columns name, r, g, b, found {', '.join(columns) or 'none'}")
    for number, row in enumerate(table):
        yield _row(row[columns["id"]] if "id" in columns else number, row[columns["name"]], [row[columns[one]] for one in "rgb"])


def _text(path: Path) -> Iterator[_Row]:
    lines = [line for line in read_text(path).splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if lines and all(_COLOURED.match(line) for line in lines):
        for number, line in enumerate(lines):
            *colour, name = _COLOURED.findall(line)[0]
            yield _row(number, name, colour)
    elif lines and all(_NUMBERED.match(line) for line in lines):
        for line in lines:
            yield _row(*_NUMBERED.findall(line)[0])
    else:
        for number, line in enumerate(lines, -1 if lines and lines[0].strip() == "__ignore__" else 0):
            if number >= 0:  # labelme counts from what is not labelled, which its masks do not hold
                yield _row(number, line)


def _colours(rows: list[_Row]) -> dict[Colour, int]:
    colours: dict[Colour, int] = {}
    for entry, colour in rows:
        if colour is None:
            continue
        if colour in colours:
            raise InputError(f"{entry.name} has the colour {colour} of another class")
        colours[colour] = entry.value
    return colours
