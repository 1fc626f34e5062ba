"""``images/`` beside ``masks/`` or ``labels/``, paired by name; also below ``train/``, ``val/`` and ``test/``."""

from __future__ import annotations

from pathlib import Path

from microtome.core.errors import InputError
from microtome.io.find import find_images
from microtome.learn.data.dataset import Entry, LabelFile
from microtome.learn.data.problem import Problem

__all__ = ["ABOUT", "find", "recognise"]

ABOUT = "images/ and masks/ (or labels/) by name"
IMAGES = ("images", "imgs", "image")
LABELS = ("masks", "labels", "mask", "label", "annotations", "groundtruth", "gt")
SPLITS = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "test": "test", "testing": "test"}


def recognise(root: Path) -> bool:
    """Whether there is such a pair of folders here, or below folders named after splits."""
    return any(_pair(folder) for folder, _ in _parts(root))


def find(root: Path) -> tuple[list[Entry], list[Problem]]:
    """All images with their labels, and what has no partner."""
    entries: list[Entry] = []
    problems: list[Problem] = []
    for folder, split in _parts(root):
        if pair := _pair(folder):
            _find(root, *pair, split, entries, problems)
    return entries, problems


def _parts(root: Path) -> list[tuple[Path, str]]:
    if not root.is_dir():
        raise InputError(f"{root}: expected a folder of labelled images")
    below = [(child, SPLITS[child.name.lower()]) for child in sorted(root.iterdir()) if child.is_dir() and child.name.lower() in SPLITS]
    return [(root, ""), *below]


def _pair(folder: Path) -> tuple[Path, Path] | None:
    by_name = {child.name.lower(): child for child in folder.iterdir() if child.is_dir()}
    images = next((by_name[name] for name in IMAGES if name in by_name), None)
    labels = next((by_name[name] for name in LABELS if name in by_name), None)
    return (images, labels) if images and labels else None


def _find(root: Path, images: Path, labels: Path, split: str, entries: list[Entry], problems: list[Problem]) -> None:
    masks = {found.stem: found.path for found in find_images([labels])}
    for found in find_images([images]):
        label = masks.pop(found.stem, None)
        file = found.path.relative_to(root).as_posix()
        entries.append(Entry(_stem(file, found.name, found.stem), (found.path,), LabelFile(label) if label else None, split))
        if label is None:
            problems.append(Problem("image-without-mask", f"no file of this name is in {labels.relative_to(root).as_posix()}/", file,
                                    "the image was never labelled, or its mask has another name",
                                    "add the mask, or an all-background one where there is nothing to see"))  # fmt: skip
    problems += [
        Problem("mask-without-image", f"no image of this name is in {images.relative_to(root).as_posix()}/",
                path.relative_to(root).as_posix(), "the image was moved, renamed or left out", "add the image, or remove the mask")
        for path in masks.values()
    ]  # fmt: skip


def _stem(file: str, name: str, stem: str) -> str:
    return file[: len(file) - len(name) + len(stem)]
