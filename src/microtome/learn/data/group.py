"""Which images belong together, and must not be torn apart by splits: from a manifest, the folders, or the names."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from microtome.core.errors import InputError, RecipeError
from microtome.core.events import warn
from microtome.io.annotations.document import read_text
from microtome.io.find import stem_of
from microtome.learn.data.dataset import Entry
from microtome.learn.data.layouts.folders import way_to
from microtome.learn.data.layouts.names import folded, is_role, split_named

__all__ = ["grouped"]

_KEYS = ("name", "file", "filename", "file_name", "image", "stem", "id")


def grouped(root: Path, entries: Sequence[Entry], group: str | None, manifest: Path | None) -> list[Entry]:
    """Give entries their groups.

    Parameters
    ----------
    root : Path
        The data folder.
    entries : sequence of Entry
    group : str or None
        ``"folder"``: the folder an image lies in, below ``images/`` and splits. Else a regular expression with one group, searched in
        the image's name: ``r"(p\\d+)_"``. Left out: as a manifest says.
    manifest : Path or None
        A CSV file with a column ``group`` and one of ``name``, ``file``, ``image``, ``stem``. Left out: ``manifest.csv`` in the data
        folder or the one above, where it has those. A column ``split`` counts for images that have no split.

    Raises
    ------
    RecipeError
        If the expression is none, or has not one group.
    InputError
        If a manifest given has not the columns, or the folders tell nothing.
    """
    if group is None:
        found = manifest or _manifest_of(root, entries)
        return list(entries) if found is None else _by_manifest(root, entries, Path(found), given=manifest is not None)
    if manifest is not None:
        raise RecipeError("group and manifest both say what belongs together; give one of them")
    return _by_folder(root, entries) if group == "folder" else _by_expression(root, entries, group)


def _by_folder(root: Path, entries: Sequence[Entry]) -> list[Entry]:
    folders = [
        "/".join(part for part in PurePosixPath(entry.name).parts[:-1] if not is_role(part) and not split_named(part)) for entry in entries
    ]
    if entries and not any(folders):
        raise InputError(f"{root}: group='folder', and no image lies in a folder of its own below images/; name groups otherwise")
    return [replace(entry, group=folder) for entry, folder in zip(entries, folders, strict=True)]


def _by_expression(root: Path, entries: Sequence[Entry], pattern: str) -> list[Entry]:
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise RecipeError(f"group: {pattern!r} is no regular expression: {error}") from None
    if expression.groups != 1:
        raise RecipeError(
            f"group: {pattern!r} has {expression.groups} groups in parentheses; write one, around what names the group: '(p\\d+)_'"
        )
    matches = [expression.search(entry.name) for entry in entries]
    if entries and not any(matches):
        raise InputError(f"{root}: group {pattern!r} matches no image's name; the first is {entries[0].name!r}")
    without = [entry.name for entry, match in zip(entries, matches, strict=True) if not match]
    if without:
        warn(f"{root}: group {pattern!r} does not match {len(without)} of {len(entries)} images (first {without[0]!r}); these stand alone")
    return [replace(entry, group=(match[1] or "") if match else "") for entry, match in zip(entries, matches, strict=True)]


def _manifest_of(root: Path, entries: Sequence[Entry]) -> Path | None:
    places = (*way_to(root, (path for entry in entries for path in entry.images)), root.resolve().parent)
    return next((path for path in (place / "manifest.csv" for place in places) if path.is_file()), None)


def _by_manifest(root: Path, entries: Sequence[Entry], path: Path, *, given: bool) -> list[Entry]:
    table = _table(path)
    columns = list(table[0]) if table else []
    key = next((name for name in _KEYS if name in columns), None)
    if key is None or "group" not in columns:
        if given:
            there = ", ".join(columns) or "none"
            raise InputError(f"{path}: a manifest needs a column 'group' and one of {', '.join(_KEYS)}; found {there}")
        return list(entries)
    rows: dict[str, dict[str, str]] = {}
    for row in table:
        if row[key] and rows.setdefault(_bare(row[key]), row)["group"] != row["group"]:
            told = f"{path}: {row[key]!r} is there twice, with the groups {rows[_bare(row[key])]['group']!r} and {row['group']!r}"
            if given:
                raise InputError(f"{told}; keep one, or give whole paths")
            warn(f"{told}; it is passed over, and no image has a group")
            return list(entries)
    found = [next((rows[name] for name in _names(root, entry) if name in rows), None) for entry in entries]
    matched = [row for row in found if row]
    if not matched and not given:
        return list(entries)
    counted = len({row["group"] for row in matched if row["group"]})
    warn(f"{root}: groups are taken from {path} (column 'group': {counted} groups of {len(matched)} images)")
    if missing := [entry.name for entry, row in zip(entries, found, strict=True) if not row]:
        warn(f"{path}: {len(missing)} of {len(entries)} images are not in it (first {missing[0]!r}); each stands for itself")
    return [_with_row(entry, row) if row else entry for entry, row in zip(entries, found, strict=True)]


def _table(path: Path) -> list[dict[str, str]]:
    """The rows by the names of columns in lower case; columns may be parted by commas, semicolons or tabs."""
    text = read_text(path)
    head = text.partition("\n")[0]
    table = csv.DictReader(io.StringIO(text), delimiter=max(",;\t", key=head.count), restval="")
    return [{name.strip().lower(): value.strip() for name, value in row.items() if isinstance(name, str)} for row in table]


def _with_row(entry: Entry, row: dict[str, str]) -> Entry:
    return replace(entry, group=row["group"], split=entry.split or split_named(row.get("split", "")) or "")


def _names(root: Path, entry: Entry) -> tuple[str, ...]:
    """What a manifest may call an image: by its path, or by its last part."""
    path = entry.images[0]
    whole = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
    return (_bare(entry.name), _bare(whole), _bare(path.name), _bare(PurePosixPath(entry.name).name))


def _bare(name: str) -> str:
    return folded(stem_of(name.replace("\\", "/").removeprefix("./")))
