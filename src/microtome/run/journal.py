"""The journal: a line for each finished image, written the moment it is finished.

``OUT/journal.jsonl`` is what survives a crash, what ``--resume`` reads, and what the tables are made from. A last line
cut short by a crash is left out: its image is done again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from microtome.core.errors import RunError
from microtome.core.result import Result
from microtome.core.table import Table

__all__ = ["JOURNAL", "append", "read", "start"]

JOURNAL = "journal.jsonl"


def start(out: Path, keep: Iterable[tuple[str, Result]]) -> None:
    """Begin a journal with the (key, result) pairs kept from an earlier run."""
    from microtome.io.whole import whole_file

    with whole_file(out / JOURNAL) as temporary:
        temporary.write_text("".join(_line(result, key) for key, result in keep), encoding="ascii")


def append(out: Path, result: Result, key: str) -> None:
    """Note one finished image; `key` says of which recipe, version and input.

    Raises
    ------
    RunError
        If the disk is full.
    """
    try:
        with (out / JOURNAL).open("a", encoding="ascii") as file:
            file.write(_line(result, key))
    except OSError as error:
        raise RunError(f"{out / JOURNAL}: cannot be written: {error.strerror}; free some space and run again with --resume") from error


def read(out: Path) -> Iterator[tuple[str, Result]]:
    """Give back the key and the result (without pixels) of each finished image."""
    try:
        lines = (out / JOURNAL).read_bytes().split(b"\n")
    except FileNotFoundError:
        return
    for line in lines:
        try:
            entry = json.loads(line)
            yield entry["key"], _result(entry)
        except (ValueError, KeyError, TypeError):
            continue  # cut short by a crash: the image is done again


def _line(result: Result, key: str) -> str:
    table = result.objects
    entry = {
        "name": result.name,
        "key": key,
        "files": dict(result.files),
        "summary": dict(result.summary),
        "record": dict(result.record),
        "timings": dict(result.timings),
        "warnings": list(result.warnings),
        "columns": {name: _plain(values) for name, values in table.columns.items()},
        "units": dict(table.units),
        "types": {name: "object" if values.dtype.kind in "OU" else values.dtype.name for name, values in table.columns.items()},
    }
    return json.dumps(entry, default=_number) + "\n"  # ASCII: no character of a name can look like the end of a line


def _result(entry: Mapping[str, Any]) -> Result:
    columns = {
        name: np.array([np.nan if v is None else v for v in values], dtype=entry["types"][name])
        for name, values in entry["columns"].items()
    }
    return Result(
        entry["name"], {}, Table(columns, entry["units"]), None, entry["files"], entry["summary"], entry["record"],
        entry["timings"], tuple(entry["warnings"]),
    )  # fmt: skip


def _plain(values: Any) -> list[Any]:
    """A column as a list; NaN, which JSON does not have, as null."""
    if values.dtype.kind == "f" and np.isnan(values).any():
        return [None if v != v else v for v in values.tolist()]
    return list(values.tolist())


def _number(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} {value!r} does not belong in a journal")
