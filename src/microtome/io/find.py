"""Which files are meant: files, folders and globs of the command line, each with the name its outputs get."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from microtome.core.errors import InputError
from microtome.io.images import SUFFIXES, is_image

__all__ = ["Found", "MissingInput", "find_images", "stem_of"]


class MissingInput(InputError):
    """Nothing is there under a name the user gave: wrong use of the command, not a damaged file."""


@dataclass(frozen=True)
class Found:
    """One image file, and its name among the outputs.

    Attributes
    ----------
    path : Path
        Where it is.
    name : str
        With forward slashes: the file's own name, or its path below the folder (or the fixed part of the glob) given.
    """

    path: Path
    name: str

    @property
    def stem(self) -> str:
        """The name without its suffix: what outputs are called by."""
        return stem_of(self.name)


def stem_of(name: str) -> str:
    """A name without its suffix, the whole of it where it is a double one.

    >>> stem_of("a/b.ome.tif"), stem_of("a/well.03.png")
    ('a/b', 'a/well.03')
    """
    lower = name.lower()
    suffix = next((suffix for suffix in SUFFIXES if lower.endswith(suffix)), Path(name).suffix)
    return name[: len(name) - len(suffix)]


def find_images(arguments: Sequence[str | os.PathLike[str]]) -> list[Found]:
    """Find the images that files, folders and globs name, in the order given and naturally sorted within each.

    Folders are searched with their subfolders for known suffixes; hidden files and folders are passed over. A file
    given by its own name is taken whatever its suffix. A file that several arguments reach is taken once.

    Parameters
    ----------
    arguments : sequence of path or str
        ``"a.png"``, ``"plate/"``, ``"plate/**/*.tif"``.

    Raises
    ------
    MissingInput
        If an argument names nothing, or no image.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("b10.png", "b9.png", "notes.txt"):
    ...     (folder / name).touch()
    >>> [found.name for found in find_images([folder])]
    ['b9.png', 'b10.png']
    """
    by_place: dict[str, Found] = {}
    for argument in arguments:
        for found in _find(argument):
            by_place.setdefault(os.path.realpath(found.path), found)
    return list(by_place.values())


def _find(argument: str | os.PathLike[str]) -> list[Found]:
    path = Path(argument)
    if path.is_dir():
        return _some(_in_folder(path, path), f"{path}: no image in this folder or below it (known are: {', '.join(SUFFIXES)})")
    if path.exists():
        return [Found(path, path.name)]
    if glob.has_magic(os.fspath(argument)):
        return _some(_by_pattern(os.fspath(argument)), f"{argument}: no image matches this pattern")
    raise MissingInput(f"{path}: there is no such file or folder")


def _some(found: Iterator[Found], otherwise: str) -> list[Found]:
    images = sorted(found, key=lambda one: _natural(one.name))
    if not images:
        raise MissingInput(otherwise)
    return images


def _in_folder(folder: Path, base: Path) -> Iterator[Found]:
    """Images below `folder`, named relative to `base`; linked folders are followed once."""
    seen: set[str] = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        seen.add(os.path.realpath(place))
        folders[:] = [f for f in folders if not f.startswith(".") and os.path.realpath(os.path.join(place, f)) not in seen]
        for name in files:
            if not name.startswith(".") and is_image(name):
                path = Path(place, name)
                yield Found(path, path.relative_to(base).as_posix())


def _by_pattern(pattern: str) -> Iterator[Found]:
    fixed = _fixed_part(Path(pattern))
    for match in glob.iglob(pattern, recursive=True):
        path = Path(match)
        if path.is_dir():
            yield from _in_folder(path, fixed)
        elif is_image(path):
            name = path.relative_to(fixed)
            yield Found(path, path.name if ".." in name.parts else name.as_posix())


def _fixed_part(pattern: Path) -> Path:
    """The folders before the first wildcard."""
    parts = pattern.parts
    wild = next(number for number, part in enumerate(parts) if glob.has_magic(part))
    return Path(*parts[:wild])


def _natural(name: str) -> tuple[tuple[int, int | str, str], ...]:
    """A key that sorts A2 before A10, the same in every locale."""
    parts = re.split(r"(\d+)", name)
    return tuple((0, int(part), part) if part.isdecimal() else (1, part.casefold(), part) for part in parts if part)
