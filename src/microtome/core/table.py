"""Named columns with units: what measuring gives and a spreadsheet reads."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError, did_you_mean

__all__ = ["Table"]


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of one length, in order. A column's unit stands in its name: ``area_px``, ``area_um2``.

    Attributes
    ----------
    columns : dict of str to ndarray
        Numbers, or text as object arrays.
    units : dict of str to str
        The unit of each column that has one (``"um2"``); columns without an entry are plain numbers or text.

    Examples
    --------
    >>> table = Table({"label": np.array([1, 2]), "area_px": np.array([30, 12])}, {"area_px": "px"})
    >>> len(table), table["area_px"].tolist()
    (2, [30, 12])
    """

    columns: Mapping[str, NDArray[Any]]
    units: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        columns = {name: np.asarray(values) for name, values in self.columns.items()}
        lengths = {name: len(values) for name, values in columns.items()}
        if len(set(lengths.values())) > 1:
            raise InputError(f"table: columns differ in length: {lengths}")
        object.__setattr__(self, "columns", columns)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()))) if self.columns else 0

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self.columns:
            raise InputError(f"table: no column {name!r}{did_you_mean(name, self.columns)}")
        return self.columns[name]

    def rows(self) -> Iterator[dict[str, Any]]:
        """Each row as a dict of plain Python values."""
        names = list(self.columns)
        for values in zip(*(column.tolist() for column in self.columns.values()), strict=True):
            yield dict(zip(names, values, strict=True))

    def with_front(self, **constants: Any) -> Table:
        """The same table with columns of one constant value put before the others."""
        front = {name: np.full(len(self), value, dtype=object if isinstance(value, str) else None) for name, value in constants.items()}
        return Table({**front, **self.columns}, self.units)

    def to_csv(self) -> str:
        """The table as comma-separated text with a header line; floats in the shortest form that reads back the same."""
        header = ",".join(_quoted(name) for name in self.columns)
        rows = map(",".join, zip(*(_cells(column) for column in self.columns.values()), strict=True))
        return "\n".join([header, *rows]) + "\n"

    def to_pandas(self) -> Any:
        """The table as a pandas DataFrame, where pandas is installed."""
        from microtome.core.errors import MissingExtra

        try:
            import pandas
        except ImportError:
            raise MissingExtra("a DataFrame needs pandas: pip install pandas") from None
        return pandas.DataFrame(dict(self.columns))

    @classmethod
    def concat(cls, tables: Iterable[Table]) -> Table:
        """Stack tables; a column that one of them lacks is NaN there (empty for text)."""
        parts = [table for table in tables if table.columns]
        names = list(dict.fromkeys(name for table in parts for name in table.columns))
        columns = {name: np.concatenate([_column_or_gap(table, name, parts) for table in parts]) for name in names}
        units = {name: unit for table in parts for name, unit in table.units.items()}
        return cls(columns, units)


def _column_or_gap(table: Table, name: str, parts: list[Table]) -> NDArray[Any]:
    if name in table.columns:
        return table.columns[name]
    kind = next(part.columns[name].dtype.kind for part in parts if name in part.columns)
    return np.full(len(table), "", dtype=object) if kind in "OU" else np.full(len(table), np.nan)


def rows_to_csv(names: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Write rows as CSV with `names` as the header; what a row lacks, and NaN, is left empty."""
    names = list(names)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow([_cell(row.get(name, "")) for name in names])
    return out.getvalue()


def _cells(column: NDArray[Any]) -> list[str]:
    """A column's cells as text; by column, since tables may have millions of rows."""
    values = column.tolist()
    if column.dtype.kind == "f":
        return ["" if value != value else repr(value) for value in values]
    if column.dtype.kind in "iu":
        return list(map(str, values))
    known = {value: _quoted(_cell(value)) for value in set(values)}
    return [known[value] for value in values]


def _quoted(value: Any) -> str:
    """One cell as the csv module writes it."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow([value])
    return out.getvalue()[:-1] if value != "" else ""


def _cell(value: Any) -> Any:
    if isinstance(value, (float, np.floating)):
        return "" if np.isnan(value) else repr(float(value))
    if isinstance(value, str) and value[:1] in ("=", "+", "@"):
        return "'" + value  # a file name must not become a formula in a spreadsheet
    return value
