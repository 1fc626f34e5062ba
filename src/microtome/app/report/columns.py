"""``objects.csv`` as the page carries it: column by column, numbers in four bytes, words as places in a list."""

from __future__ import annotations

import base64
import csv
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError

__all__ = ["MOST_ROWS", "Columns", "numbers_by_image", "read_columns"]

MOST_ROWS = 250_000
_WORDS = ("image", "group", "output", "class")
_CHUNK = 5_000


@dataclass(frozen=True, eq=False)
class Columns:
    """The first rows of a table.

    Attributes
    ----------
    values : dict of str to ndarray
        int32 or float32; for words, places in `words`.
    words : dict of str to list of str
        What the places of a column of words stand for.
    rows : int
        How many rows the file has; those beyond `MOST_ROWS` are counted only.
    """

    values: dict[str, NDArray[Any]]
    words: dict[str, list[str]] = field(default_factory=dict)
    rows: int = 0

    def __len__(self) -> int:
        return len(next(iter(self.values.values()))) if self.values else 0

    def describe(self) -> list[dict[str, Any]]:
        """Name, type and words of each column, in the order of `data`."""
        return [{"name": name, "type": column.dtype.str[1:], "words": self.words.get(name)} for name, column in self.values.items()]

    def data(self) -> str:
        """All columns one after the other, deflated, as base64."""
        raw = b"".join(column.astype(column.dtype.newbyteorder("<")).tobytes() for column in self.values.values())
        return base64.b64encode(zlib.compress(raw, 6)).decode("ascii")


def read_columns(path: Path, images: Mapping[str, int]) -> Columns:
    """Read ``objects.csv``; the image column becomes the image's place in the run.

    Raises
    ------
    InputError
        If the file is missing, names an image the run does not know, or has words among a column's numbers.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return _read(csv.reader(file), path, images)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; run again with --resume to write it") from None


def _read(lines: Iterator[list[str]], path: Path, images: Mapping[str, int]) -> Columns:
    names, rows = next(lines, []), 0
    columns = {name: _Column(name, path, dict(images) if name == "image" else {}) for name in names}
    while chunk := list(islice(lines, _CHUNK)):
        shown = chunk[: max(MOST_ROWS - rows, 0)]
        for name, cells in zip(names, zip(*shown, strict=True), strict=False):
            columns[name].add(cells, rows + 2)
        rows += len(chunk)
    values = {name: column.narrow() for name, column in columns.items()}
    return Columns(values, {name: list(column.places) for name, column in columns.items() if column.wordy and name != "image"}, rows)


def numbers_by_image(path: Path, names: Sequence[str]) -> dict[str, list[float | None]]:
    """The columns of ``images.csv`` that hold numbers, one value an image in the order of `names`; None where it has none."""
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        rows = {_unguarded(row["image"]): row for row in csv.DictReader(file)}
    fields = [field for field in next(iter(rows.values()), {}) if field not in ("image", "group", "status", "error")]
    found = {field: [_number(rows.get(name, {}).get(field)) for name in names] for field in fields}
    return {field: values for field, values in found.items() if any(value is not None for value in values)}


def _unguarded(cell: str) -> str:
    """A word as it was, without the mark that keeps spreadsheets from reading it as a formula."""
    return cell[1:] if cell[:2] in ("'=", "'+", "'@") else cell


def _number(cell: str | None) -> float | None:
    return float(cell) if cell and _is_number(cell) else None


class _Column:
    """One column as it grows. It holds words if its first cell with something in it is no number."""

    def __init__(self, name: str, path: Path, places: dict[str, int]) -> None:
        self.name, self.path, self.places = name, path, places
        self.wordy: bool | None = True if name in _WORDS else None
        self.cells: list[NDArray[Any]] = []

    def add(self, cells: Sequence[str], line: int) -> None:
        if self.wordy is None and (first := next(filter(None, cells), None)) is not None:
            self.wordy = not _is_number(first)
            self.cells = [np.full(len(part), self._place("")) for part in self.cells] if self.wordy else self.cells
        self.cells.append(np.array([self._place(cell) for cell in cells], np.int32) if self.wordy else self._numbers(cells, line))

    def _place(self, cell: str) -> int:
        word = _unguarded(cell)
        if self.name == "image" and word not in self.places:
            raise InputError(f"{self.path}: image {word!r} is not in run.json; the two come from different runs")
        return self.places.setdefault(word, len(self.places))

    def _numbers(self, cells: Sequence[str], line: int) -> NDArray[np.float64]:
        try:
            return np.array([float(cell) if cell else np.nan for cell in cells])
        except ValueError:
            wrong = next(k for k, cell in enumerate(cells) if cell and not _is_number(cell))
            found = f"{self.path}: line {line + wrong}: {self.name} is {cells[wrong]!r}"
            raise InputError(f"{found}, not a number as in the lines above") from None

    def narrow(self) -> NDArray[Any]:
        """int32 where every cell is a whole number that fits, else float32."""
        values = np.concatenate(self.cells) if self.cells else np.zeros(0, np.int32)
        whole = values.dtype == np.int32 or bool(np.all(np.isfinite(values) & (values == np.round(values)) & (np.abs(values) < 2**31)))
        return values.astype(np.int32 if whole else np.float32)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
