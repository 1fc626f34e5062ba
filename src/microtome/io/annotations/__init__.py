"""Annotations of objects, in the formats that annotation programs read and write: one format a file, all with the same four names.

`SUFFIXES`, `recognise(path)`, `read(path) -> list[Objects]`, `write(path, images) -> Account`.

- `coco`, `kaggle`, `voc`, `yolo`, `labelme`, `via`, `cvat`, `imagej`, `geojson`: what their names say.
- `masks`: a folder of label images.
- `convert`: from any of these to any other, with an account of what was lost.
- `account`: what a conversion kept, and what it lost. `entries`, `document`: reading what others wrote, without trust.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from microtome.core.errors import InputError, RecipeError, did_you_mean
from microtome.core.objects import Objects
from microtome.io.annotations.account import Account

__all__ = ["FORMATS", "read", "recognise", "write"]

FORMATS: dict[str, str] = {
    name: f"microtome.io.annotations.{name}"
    for name in ("coco", "labelme", "via", "cvat", "voc", "yolo", "kaggle", "geojson", "imagej", "masks")
}
"""The module of each format, imported when it is asked for. In the order in which files are recognised: `masks` comes last, since
folders of other formats hold images too."""


def recognise(path: Path) -> str | None:
    """The name of the format that a file or a folder is of, by its content; None where it is of none.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "labels.json"
    >>> _ = path.write_text('{"type": "FeatureCollection", "features": []}')
    >>> recognise(path)
    'geojson'
    """
    path = Path(path)
    return next((name for name in FORMATS if path.exists() and _module(name).recognise(path)), None)


def read(
    path: Path, *, format: str | None = None, shapes: Mapping[str, tuple[int, int]] | None = None, skip_bad: bool = False
) -> list[Objects]:
    """Read the objects of every image in a file or a folder.

    Parameters
    ----------
    path : Path
    format : str, optional
        A name of `FORMATS`. Left out: recognised by content.
    shapes : mapping of str to tuple of int, optional
        Height and width by image file name, for formats that do not say.
    skip_bad : bool
        Leave faulty entries out with a warning each, instead of raising at the first.

    Raises
    ------
    InputError
        If the format is not recognised, or an entry is faulty: with file and entry.
    RecipeError
        If `format` is none of `FORMATS`.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: there is no such file or folder")
    name = format or recognise(path)
    if name is None:
        raise InputError(f"{path}: of no format that is known ({', '.join(FORMATS)}); name it, if it is one of these")
    found: list[Objects] = _module(name).read(path, shapes=shapes, skip_bad=skip_bad)
    return found


def write(path: Path, images: Sequence[Objects], *, format: str) -> Account:
    """Write objects in a format of `FORMATS`, and account for what it does not hold.

    Raises
    ------
    RecipeError
        If `format` is none of `FORMATS`.
    """
    account: Account = _module(format).write(Path(path), images)
    return account


def _module(name: str) -> Any:
    if name not in FORMATS:
        raise RecipeError(f"unknown format {name!r}{did_you_mean(name, FORMATS)}")
    return import_module(FORMATS[name])
