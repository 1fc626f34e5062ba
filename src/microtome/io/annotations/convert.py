"""Annotations from any format to any other, with an account of what was lost on the way and what was left out."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

from microtome.core.errors import InputError, RecipeError, did_you_mean
from microtome.core.events import collect_warnings, warn
from microtome.core.objects import Objects
from microtome.io.annotations import FORMATS, read, recognise, write
from microtome.io.annotations.account import Account
from microtome.io.annotations.sizes import Shapes, Sized, image_sizes
from microtome.io.archive import unpacked

__all__ = ["Conversion", "convert"]

_OF_ONE_FILE = {"coco": ".json", "via": ".json", "cvat": ".xml", "kaggle": ".csv"}
_ANNOTATIONS = (".json", ".geojson", ".xml", ".csv")
_LEFT_OUT = "; left out"  # how `Entries` ends what it says of a faulty entry


@dataclass(frozen=True)
class Conversion(Account):
    """An account with the number of images, and what was said of each faulty entry that was left out.

    Attributes
    ----------
    images : int
    left_out : tuple of str
    """

    images: int = 0
    left_out: tuple[str, ...] = ()


def convert(
    source: Path,
    target: Path,
    *,
    to: str,
    format: str | None = None,
    images: Path | None = None,
    skip_bad: bool = False,
    overwrite: bool = False,
) -> Conversion:
    """Read annotations in one format and write them in another.

    Parameters
    ----------
    source : Path
        A file, a folder, or a zip of either, which is unpacked to a temporary folder.
    target : Path
        A file, or a folder for the formats of one file an image.
    to : str
        A name of `microtome.io.annotations.FORMATS`.
    format : str, optional
        The source's format, where its content does not tell.
    images : Path, optional
        The folder of the images: it gives the sizes that files do not say, and the images' names as they are in it.
    skip_bad : bool
        Leave faulty entries out, instead of raising at the first.
    overwrite : bool
        Replace a file at `target`, or write into a folder that is not empty.

    Returns
    -------
    Conversion

    Raises
    ------
    InputError
        If the source is of no known format, or an entry is faulty.
    RecipeError
        If `target` is there already, is no name for a file of the format, or a format is not known.
    RunError
        If the disk refuses.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.geojson").write_text('{"type": "FeatureCollection", "features": [], "microtome": {"shape": [3, 4]}}')
    >>> convert(folder / "a.geojson", folder / "a.xml", to="cvat").images
    1
    """
    source, target = Path(source), Path(target)
    for name in (to, format):
        if name is not None and name not in FORMATS:
            raise RecipeError(f"unknown format {name!r}{did_you_mean(name, FORMATS)}")
    _check_target(target, to, overwrite)
    sizes = image_sizes(images) if images is not None else None
    found, said = _read(source, format, sizes, skip_bad)
    if sizes is not None:
        found = _as_in_folder(found, sizes)
    before = _files(target)
    account = write(target, found, format=to)
    if stale := len(before & _files(target)):
        warn(f"{target}: {stale} files that were there before are still there; remove them if they are of an earlier conversion")
    left_out = tuple(message for message in said if message.endswith(_LEFT_OUT))
    return Conversion(account.path, account.objects, account.lost, len(found), left_out)


def _check_target(target: Path, to: str, overwrite: bool) -> None:
    suffix = _OF_ONE_FILE.get(to)
    if suffix is not None and (target.suffix.lower() != suffix or target.is_dir()):
        raise RecipeError(f"{target}: {to} is one file for all images; name a {suffix} file")
    there = any(target.iterdir()) if target.is_dir() else target.exists()
    if there and not overwrite:
        raise RecipeError(f"{target}: is there already; add --overwrite (overwrite=True), or name another place")


def _files(target: Path) -> set[tuple[Path, int, int]]:
    """The files below a folder, each with what changes when it is written anew."""
    files = [file for file in target.rglob("*") if file.is_file()] if target.is_dir() else []
    return {(file, file.stat().st_ino, file.stat().st_mtime_ns) for file in files}


def _read(source: Path, format: str | None, sizes: Mapping[str, tuple[int, int]] | None, skip_bad: bool) -> tuple[list[Objects], list[str]]:
    """The objects, and what was said while they were read: of the source, wherever it was unpacked to."""
    with _unzipped(source, format) as place:
        try:
            with collect_warnings() as heard:
                file, name = _found(place, format)
                found = read(file, format=name, shapes=sizes, skip_bad=skip_bad)
        except InputError as error:
            raise InputError(str(error).replace(str(place), str(source))) from None
        said = [message.replace(str(place), str(source)) for message in heard]
    for message in said:
        warn(message)
    return found, said


@contextmanager
def _unzipped(source: Path, format: str | None) -> Iterator[Path]:
    """The source, or the folder that a zip of annotations was unpacked to; a zip of ImageJ is a file of its own kind."""
    if not source.is_file() or not zipfile.is_zipfile(source) or (format or recognise(source)) == "imagej":
        yield source
        return
    with unpacked(source) as folder:
        inside = list(folder.iterdir())
        yield inside[0] if len(inside) == 1 and inside[0].is_dir() else folder  # a zip of one folder is that folder


def _found(place: Path, format: str | None) -> tuple[Path, str]:
    """What is to be read, and its format: the place itself, the one annotation file in it, or its masks."""
    if not place.exists():
        raise InputError(f"{place}: there is no such file or folder")
    if not place.is_dir():
        name = format or recognise(place)
        if name is None:
            raise InputError(f"{place}: of no format that is known ({', '.join(FORMATS)})")
        return place, name
    name = format or recognise(place)
    files = [one for one in _single_files(place, name) if format in (None, one[1])]
    of_many = name is not None and name != "masks" and name not in _OF_ONE_FILE
    if format is not None and of_many:
        return place, format
    if len(files) == 1 and not of_many:
        return files[0]
    if files:
        several = ", ".join(f"{file.relative_to(place).as_posix()} ({known})" for file, known in files[:6])
        beside = f"{name} annotations, and " if of_many else ""
        raise InputError(f"{place}: holds {beside}{len(files)} files for many images ({several}); name one of them, or the format")
    if name is None:
        raise InputError(f"{place}: nothing in this folder is of a known format ({', '.join(FORMATS)})")
    return place, name


def _single_files(place: Path, beside: str | None) -> list[tuple[Path, str]]:
    """The files of a folder that hold the annotations of many images, and their formats; `beside` is what the folder is known for."""
    of_folder = import_module(FORMATS[beside]).recognise if beside not in (None, "masks") else lambda file: False
    files = [file for file in sorted(place.rglob("*")) if file.suffix.lower() in _ANNOTATIONS and not of_folder(file)]
    return [(file, name) for file in files if (name := recognise(file)) in _OF_ONE_FILE]


def _as_in_folder(images: Sequence[Objects], sizes: Mapping[str, tuple[int, int]]) -> list[Objects]:
    """The images under the names they have in the folder, where each is found there; a size that contradicts is told."""
    known = Shapes(sizes)
    found = [_find(known, one.image) for one in images]
    times = Counter(one.name for one in found if one is not None)
    renamed = [
        replace(one, image=there.name) if there is not None and times[there.name] == 1 else one
        for one, there in zip(images, found, strict=True)
    ]
    if missing := [one.image for one, there in zip(images, found, strict=True) if there is None]:
        warn(f"{len(missing)} of {len(images)} annotated images are not in the folder of the images, the first is {missing[0]!r}")
    if differ := [(one.shape, there) for one, there in zip(images, found, strict=True) if there is not None and there.shape != one.shape]:
        said, there = differ[0]
        warn(f"{len(differ)} of {len(images)} images have another size than their annotations say, the first is {there.name}: it is "
             f"{there.shape[0]} x {there.shape[1]}, they say {said[0]} x {said[1]}")  # fmt: skip
    return renamed


def _find(known: Shapes, name: str) -> Sized | None:
    return known.find(name) or known.find(f"{name}.png")  # masks and ROIs are named by stem, which may have a point in it
