"""Where data sets for YOLO keep labels, pictures and class names: beside each other, in ``labels`` and ``images``, or a part each."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from microtome.core.errors import InputError
from microtome.io.annotations.document import ends, read_text
from microtome.io.annotations.per_image import files_in
from microtome.io.annotations.sizes import Sized
from microtome.io.find import stem_of
from microtome.io.images import is_image, shape_of

__all__ = ["MOST_CLASSES", "SUFFIXES", "Pictures", "class_names", "images_for_labels", "label_files", "labels_folder"]

SUFFIXES = (".txt",)
MOST_CLASSES = 1 << 16

_CLASS_LISTS = ("classes.txt", "obj.names", "data.yaml", "data.yml", "dataset.yaml")
_OTHER_TEXTS = re.compile(r"(_?classes|labels|train|val|valid|test|trainval)\.txt|(readme|license).*\.txt", re.IGNORECASE)


def labels_folder(path: Path) -> Path:
    """The folder of the labels, where it stands beside others."""
    return path / "labels" if (path / "labels").is_dir() else path


def label_files(folder: Path) -> list[Path]:
    """The label files of a folder: those in folders called ``labels``, where there are such; no lists of images, classes or licences."""
    files = [file for file in files_in(folder, SUFFIXES) if not _is_other_text(file)]
    return [file for file in files if "labels" in file.relative_to(folder).parts[:-1]] or files


def _is_other_text(file: Path) -> bool:
    """Whether a file is called as those beside labels, and does not begin as labels do."""
    if not _OTHER_TEXTS.fullmatch(file.name):
        return False
    words = ends(file).split(maxsplit=1)
    return file.name == "classes.txt" or not words or not words[0].isdigit()


class Pictures:
    """Sizes of pictures on disk, by the stem of a label file; each folder is listed once."""

    def __init__(self) -> None:
        self._listed: dict[Path, dict[str, Path]] = {}

    def find(self, file: Path, base: Path) -> Sized | None:
        """The picture that belongs to a label file, named as the label file is below `base`."""
        for folder in _picture_folders(file):
            if folder not in self._listed:
                here = sorted(folder.iterdir()) if folder.is_dir() else []
                self._listed[folder] = {stem_of(one.name): one for one in here if is_image(one) and one.is_file()}
            if picture := self._listed[folder].get(file.stem):
                height, width = shape_of(picture)[-2:]
                name = picture.relative_to(base) if picture.is_relative_to(base) else file.relative_to(base).with_name(picture.name)
                return Sized(name.as_posix(), (height, width))
        return None


def _picture_folders(file: Path) -> list[Path]:
    """Where the picture of a label file may be: beside it, or in ``images`` instead of the last ``labels`` of its path."""
    return list(dict.fromkeys([file.parent, images_for_labels(file.absolute()).parent]))


def images_for_labels(file: Path) -> Path:
    """A path with ``images`` instead of its last ``labels``.

    >>> images_for_labels(Path("set/labels/train/a.txt")).as_posix()
    'set/images/train/a.txt'
    """
    *parts, name = file.parts
    if "labels" not in parts:
        return file
    at = len(parts) - 1 - parts[::-1].index("labels")
    return Path(*parts[:at], "images", *parts[at + 1 :], name)


def class_names(base: Path) -> list[str] | None:
    """The class names near a folder, by class from 0; None where there is no list.

    Raises
    ------
    InputError
        If the list cannot be read, names two classes alike, or is of labels of key points, whose lines would be taken for polygons.
    """
    places = [base, *list(base.absolute().parents)[:2]]
    file = next((place / name for place in places for name in _CLASS_LISTS if (place / name).is_file()), None)
    if file is None:
        return None
    text = read_text(file)
    names = _names_in_yaml(text, file) if file.suffix in (".yaml", ".yml") else [line.strip() for line in text.rstrip().splitlines()]
    if twice := [name for name, count in Counter(names).items() if count > 1 and name]:
        raise InputError(f"{file}: two classes are named {twice[0]!r}; give each its own name")
    return names


def _names_in_yaml(text: str, file: Path) -> list[str]:
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InputError(f"{file}: not YAML that can be read: {' '.join(str(error).split())[:120]}") from None
    if isinstance(document, dict) and "kpt_shape" in document:
        raise InputError(f"{file}: labels of key points (kpt_shape), whose lines are no polygons; export boxes or segments")
    names: Any = document.get("names") if isinstance(document, dict) else None
    numbered = dict(enumerate(names)) if isinstance(names, list) else names
    if not isinstance(numbered, dict) or not all(type(key) is int and 0 <= key < MOST_CLASSES for key in numbered):
        raise InputError(f"{file}: expected `names`, a list or a mapping from class numbers to names, found {type(names).__name__}")
    if any(isinstance(name, (list, dict)) for name in numbered.values()):
        raise InputError(f"{file}: in `names`, a class is called by a list or a mapping; expected text")
    return [str(numbered.get(k, f"class {k}")) for k in range(max(numbered, default=-1) + 1)]
