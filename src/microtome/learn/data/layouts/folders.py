"""Folders of pictures: which there are, and what is in them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from microtome.core.errors import InputError
from microtome.core.events import warn
from microtome.io.find import Found, find_images
from microtome.io.images import is_image
from microtome.learn.data.problem import Problem

__all__ = ["Pictures", "children", "folders_of", "has_picture", "natural", "picture_files", "pictures_of", "same_name_twice", "way_to"]

Pictures = Mapping[str, tuple[Path, ...]]
"""The files of each picture, by its name below a folder, without suffix."""

_DEEPEST = 5
_NO_DATA = {"__macosx", "__pycache__"}


class Subfolder(NamedTuple):
    """A folder in the data folder, and the names on the way to it."""

    path: Path
    parts: tuple[str, ...]


def children(folder: Path) -> list[Path]:
    """The folders in a folder, in natural order, without hidden ones."""
    try:
        with os.scandir(folder) as entries:
            names = [one.name for one in entries if one.is_dir() and not one.name.startswith(".") and one.name.lower() not in _NO_DATA]
    except OSError as error:
        raise InputError(f"{folder}: cannot be read: {error.strerror or error}") from error
    return [folder / name for name in sorted(names, key=natural)]


def natural(name: str) -> list[tuple[int, str]]:
    """A key that sorts A2 before A10."""
    return [(int(part), "") if part.isdecimal() else (-1, part.casefold()) for part in re.split(r"(\d+)", name) if part]


def folders_of(root: Path) -> Iterator[Subfolder]:
    """The data folder itself, and those below it, five deep."""
    if not root.is_dir():
        raise InputError(f"{root}: expected a folder of labelled images")
    level, seen = [Subfolder(root, ())], {os.path.realpath(root)}
    for _ in range(_DEEPEST + 1):
        yield from level
        below = {os.path.realpath(child): Subfolder(child, (*parts, child.name)) for folder, parts in level for child in children(folder)}
        level = [one for place, one in below.items() if place not in seen]  # not through links to what was there
        seen |= below.keys()


def way_to(root: Path, files: Iterable[Path]) -> list[Path]:
    """The data folder, and those below it on the way to all of the files: where lists that speak of them may lie.

    >>> [folder.as_posix() for folder in way_to(Path("d"), [Path("d/set/train/a.png"), Path("d/set/val/b.png")])]
    ['d', 'd/set']
    """
    parents = {file.parent for file in files}
    shared = Path(os.path.commonpath(parents)).relative_to(root).parts if parents else ()
    return [root.joinpath(*shared[:count]) for count in range(len(shared) + 1)]


def picture_files(folder: Path, *, deep: bool = True) -> list[Found]:
    """The pictures in a folder, with those of its subfolders; none is no error."""
    if deep:
        return [one for one in find_images([folder]) if not _is_cellpose(one.path)] if has_picture(folder) else []
    files = [child for child in folder.iterdir() if is_image(child) and not child.name.startswith(".") and child.is_file()]
    return [Found(file, file.name) for file in sorted(files, key=lambda file: natural(file.name))]


def _is_cellpose(path: Path) -> bool:
    """Whether a file is Cellpose's own ``a_seg.npy``: no array of numbers, but a pickled dictionary."""
    if not path.name.lower().endswith("_seg.npy"):
        return False
    with path.open("rb") as file:
        return b"'|O'" in file.read(128)


def has_picture(folder: Path) -> bool:
    """Whether there is any picture in a folder or below it."""
    seen: set[str] = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        if any(is_image(name) and not name.startswith(".") for name in names):
            return True
        seen.add(os.path.realpath(place))
        folders[:] = [one for one in folders if not one.startswith(".") and os.path.realpath(os.path.join(place, one)) not in seen]
    return False


def pictures_of(folder: Path, found: Sequence[Found], channels: Sequence[str], problems: list[Problem], root: Path) -> Pictures:
    """The files of each picture: one, or with `channels` as many as those, in their order.

    Parameters
    ----------
    folder : Path
        What the names of `found` are relative to.
    found : sequence of Found
    channels : sequence of str
        Names of folders that hold one channel each, or endings of the files' stems. Empty: a file is a picture.
    problems : list of Problem
        Gets pictures that lack a channel, and files of one name, which are left out.
    root : Path
        The data folder, for the names in problems.
    """
    if not channels:
        return _one_file_each(found, problems, root)
    of: dict[str, dict[str, Path]] = {}
    others = []
    for one in found:
        if split := _channel(one.stem, channels):
            of.setdefault(split[0], {})[split[1]] = one.path
        else:
            others.append(one.name)
    if not of:
        raise InputError(f"{folder}: no image is of a channel {', '.join(channels)}: neither folders of that name nor names that end so; "
                         f"the first is {found[0].name if found else 'missing'}")  # fmt: skip
    if others:
        warn(f"{folder}: {len(others)} images are of none of the channels {', '.join(channels)} and are left out (first {others[0]})")
    for files in of.values():
        if missing := [channel for channel in channels if channel not in files]:
            there = next(iter(files.values())).relative_to(root).as_posix()
            problems.append(Problem("channel-missing", f"has no file of the channel {', '.join(missing)}", there,
                                    "the file is missing, or has another name", "add it; until then the image is left out",
                                    values=tuple(missing)))  # fmt: skip
    return {name: tuple(files[channel] for channel in channels) for name, files in of.items() if len(files) == len(channels)}


def _channel(stem: str, channels: Sequence[str]) -> tuple[str, str] | None:
    first, _, rest = stem.partition("/")
    if rest and first in channels:
        return rest, first
    channel = next(
        (channel for channel in sorted(channels, key=len, reverse=True) if stem.endswith(channel) and len(stem) > len(channel)), None
    )
    return (stem[: -len(channel)], channel) if channel else None


def _one_file_each(found: Sequence[Found], problems: list[Problem], root: Path) -> Pictures:
    of: dict[str, tuple[Path, ...]] = {}
    for one in found:
        if one.stem in of:
            problems.append(same_name_twice(one.path, of[one.stem][0], root))
        else:
            of[one.stem] = (one.path,)
    return of


def same_name_twice(path: Path, taken: Path, root: Path) -> Problem:
    """Two files that differ only in their suffix: which of them is meant nobody can tell."""
    file, other = path.relative_to(root).as_posix(), taken.relative_to(root).as_posix()
    return Problem("same-name-twice", f"has the name of {taken.name} but for the suffix, and is left out", file,
                   "the file was converted and the original kept", "remove one of the two", others=(other,))  # fmt: skip
