"""Splits given as lists of names: ``splits/train.txt``, ``ImageSets/Main/val.txt`` (Pascal VOC), ``train.txt`` in the data folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from microtome.core.events import warn
from microtome.io.annotations.document import read_text
from microtome.io.find import stem_of
from microtome.learn.data.dataset import Entry
from microtome.learn.data.layouts.folders import way_to
from microtome.learn.data.layouts.names import folded, split_named

__all__ = ["with_split_lists"]

_FOLDERS = ("splits", "ImageSets/Segmentation", "ImageSets/Main", "ImageSets", "lists", "metadata", ".")


def with_split_lists(root: Path, entries: Sequence[Entry]) -> list[Entry]:
    """Give images the split of the list that names them, where folders and files say none for any labelled image.

    A list has a name a line: a path, a file's name, or a stem; what stands behind a blank is passed over, unless the name has blanks.
    An image that two lists name keeps the first and is told, as are names without image.
    """
    if any(entry.split for entry in entries if entry.truth):
        return list(entries)
    lists = _lists(way_to(root, (path for entry in entries for path in entry.images)))
    if not lists:
        return list(entries)
    by_name: dict[str, list[int]] = {}
    for number, entry in enumerate(entries):
        stems = (entry.name, PurePosixPath(entry.name).name, *(path.stem for path in entry.images))
        for name in dict.fromkeys(folded(stem) for stem in stems):
            by_name.setdefault(name, []).append(number)
    of: dict[int, str] = {}
    unknown, torn = [], []
    for split, path in lists:
        for line in read_text(path).splitlines():
            found = _found(line, by_name)
            if found is None and line.strip():
                unknown.append(line.strip())
            elif found is not None and of.setdefault(found, split) != split:
                torn.append(entries[found].name)
    divided = [replace(entry, split=of.get(number, entry.split)) for number, entry in enumerate(entries)] if of else list(entries)
    _tell(root, [path for _, path in lists], len(of), sum(not entry.split for entry in divided), len(entries), unknown, torn)
    return divided


def _lists(places: Sequence[Path]) -> list[tuple[str, Path]]:
    for folder in (place / name for place in places for name in _FOLDERS):
        if folder.is_dir():
            files = sorted(path for path in folder.glob("*.txt") if split_named(path.stem) and path.is_file())
            if files:
                return [(split_named(path.stem) or "", path) for path in files]
    return []


def _found(line: str, by_name: dict[str, list[int]]) -> int | None:
    for text in (line.strip(), *line.split()[:1]):
        whole = folded(stem_of(text.replace("\\", "/")))
        for name in (whole, folded(text), PurePosixPath(whole).name):
            if len(numbers := by_name.get(name, [])) == 1:
                return numbers[0]
    return None


def _tell(
    root: Path, paths: Sequence[Path], named: int, without: int, count: int, unknown: Sequence[str], torn: Sequence[str]
) -> None:  # fmt: skip
    place = ", ".join(path.relative_to(root).as_posix() for path in paths)
    if not named:
        return
    if unknown:
        warn(f"{root}: {place}: {len(unknown)} names are of no image, or of several (first {unknown[0]!r})")
    if torn:
        warn(f"{root}: {place}: {len(torn)} images are in two lists (first {torn[0]!r}); they keep the first")
    if without:
        warn(f"{root}: {place}: {without} of {count} images are in none of these lists and have no split")
