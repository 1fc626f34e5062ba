"""Formats of one image a file: which files a folder holds, and what files are called."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import TypeVar

from microtome.core.errors import InputError
from microtome.core.events import warn
from microtome.core.objects import Objects
from microtome.io.annotations.entries import text
from microtome.io.images import SUFFIXES as IMAGES

__all__ = ["files_in", "is_among", "read_each", "targets"]

T = TypeVar("T")
_LONGEST = 240  # bytes; file systems take 255, with the suffix


def files_in(path: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """The file itself, or the files with such a suffix in the folder and below it, in order; hidden ones are passed over."""
    if not path.is_dir():
        return [path]
    found = []
    for place, folders, files in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(place, name) for name in files if name.lower().endswith(suffixes) and not name.startswith(".")]
    return sorted(found, key=lambda one: one.relative_to(path).as_posix())


def is_among(path: Path, suffixes: tuple[str, ...], recognise: Callable[[Path], bool]) -> bool:
    """Whether one of the first files with such a suffix is of the format."""
    return path.is_dir() and any(recognise(file) for file in files_in(path, suffixes)[:20])


def read_each(
    path: Path, suffixes: tuple[str, ...], recognise: Callable[[Path], bool], read: Callable[[Path], T], *, skip_bad: bool
) -> Iterator[T]:
    """Read a file, or each file of a folder.

    Raises
    ------
    InputError
        If nothing in the folder is of the format; for the first bad file, unless `skip_bad`: then it is left out with a warning.
    """
    if not path.is_dir():
        yield read(path)
        return
    files = files_in(path, suffixes)
    known = [file for file in files if recognise(file)]
    if not known:
        raise InputError(f"{path}: no file of this format in the folder ({', '.join(suffixes)} were looked at)")
    if len(known) < len(files):
        others = sorted(set(files) - set(known))
        warn(f"{path}: {len(others)} files are of another format and were passed over, the first is {others[0].name}")
    for file in known:
        try:
            yield read(file)
        except InputError as error:
            if not skip_bad:
                raise
            warn(f"{error}; left out")


def targets(path: Path, images: Sequence[Objects], suffixes: tuple[str, ...], suffix: str) -> list[tuple[Path, Objects]]:
    """The file that each image is written to: `path` itself where it has a suffix of the format, else files below it.

    Parameters
    ----------
    path : Path
    images : sequence of Objects
    suffixes : tuple of str
        What makes `path` a file.
    suffix : str
        What files in a folder get. They are called as their images, with folders: ``plate/a.tif`` is ``plate/a.json``; where two
        images differ only in the suffix it stays (``a.tif.json``). Images without a name are numbered.

    Raises
    ------
    InputError
        If a file shall hold another number of images than one, or two images have the same name, or a name cannot be a file's.
    """
    if path.name.lower().endswith(suffixes):
        if len(images) != 1:
            raise InputError(f"{path}: a file of this format holds one image, found {len(images)}; name a folder")
        return [(path, images[0])]
    names = [_inside(one.image) or f"image {place}" for place, one in enumerate(images, 1)]
    stems = [name[: -len(_suffix(name))] if _suffix(name) else name for name in names]
    taken = Counter(stem.casefold() for stem in stems)
    chosen = [stem if taken[stem.casefold()] == 1 else name for name, stem in zip(names, stems, strict=True)]
    if twice := [name for name, count in Counter(name.casefold() for name in chosen).items() if count > 1]:
        raise InputError(f"{path}: {len(twice)} image names stand more than once, the first is {twice[0]!r}; each needs its own file")
    for name in chosen:
        if any(len(part.encode()) > _LONGEST for part in text(name, "the name of an image").split("/")):
            raise InputError(f"{path}: the image name {name[:40]!r}... is too long for a file's; shorten it")
    return [(path / f"{name}{suffix}", one) for name, one in zip(chosen, images, strict=True)]


def _suffix(name: str) -> str:
    """A suffix that images have; what else stands behind a point is part of the name."""
    return next((suffix for suffix in IMAGES if name.lower().endswith(suffix)), "")


def _inside(name: str) -> str:
    """An image's name without whatever would lead out of a folder."""
    parts = [part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in ("/", "//", "..") and not part.endswith(":")]
    return "/".join(parts)
