"""``images/`` beside ``masks/`` or ``labels/``, paired by name: with splits above or below them, in several folders, in channels.

Also ``train/`` beside ``train_masks/`` (Carvana) or ``trainannot/`` (CamVid as SegNet has it).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from microtome.core.events import collect_warnings, warn
from microtome.io.find import Found
from microtome.learn.data.dataset import Entry, LabelFile
from microtome.learn.data.layouts.folders import children, folders_of, has_picture, picture_files, pictures_of, same_name_twice
from microtome.learn.data.layouts.names import paired, rank, role_of, split_named
from microtome.learn.data.problem import Problem

__all__ = ["ABOUT", "find", "image_without_mask", "mask_without_image", "recognise"]

ABOUT = "images/ and masks/ (or labels/) by name"


class _Pair(NamedTuple):
    images: Path
    labels: Path
    split: str


def recognise(root: Path, *, channels: Sequence[str] = ()) -> bool:
    """Whether there is such a pair of folders here, or in folders below."""
    with collect_warnings():  # told when they are read
        return any(True for _ in _pairs(root))


def find(root: Path, *, channels: Sequence[str] = ()) -> tuple[list[Entry], list[Problem]]:
    """All images with their labels, and what has no partner."""
    entries: list[Entry] = []
    problems: list[Problem] = []
    for pair in _pairs(root):
        _find(root, pair, channels, entries, problems)
    return entries, problems


def _pairs(root: Path) -> Iterator[_Pair]:
    inside: list[Path] = []
    for folder, parts in folders_of(root):
        if any(taken in (folder, *folder.parents) for taken in inside):
            continue
        for images, labels, base in _pairs_in(folder):
            if has_picture(images) and has_picture(labels):
                inside += [images, labels]
                words = (*parts, *(role_of(folder.name).base for folder in (images, labels)), base)
                yield _Pair(images, labels, next((split for word in words if (split := split_named(word))), ""))


def _pairs_in(folder: Path) -> Iterator[tuple[Path, Path, str]]:
    """Folders of images and of labels with the same base: ``train_images`` and ``train_masks``, ``train`` and ``train_masks``."""
    images: dict[str, list[Path]] = {}
    labels: dict[str, list[Path]] = {}
    plain: dict[str, Path] = {}
    for child in children(folder):
        role = role_of(child.name)
        plain[child.name.lower()] = child
        if role.kind != "plain":
            (images if role.kind == "images" else labels).setdefault(role.base, []).append(child)
    for base, several in labels.items():
        partner = _first(images.get(base, []), folder) or plain.get(base)
        if partner is not None:
            yield partner, _first(several, folder) or several[0], base


def _first(folders: Sequence[Path], place: Path) -> Path | None:
    """The folder that holds pictures; of several the one whose name is the more usual."""
    holding = sorted((folder for folder in folders if len(folders) == 1 or has_picture(folder)), key=lambda folder: rank(folder.name))
    if len(holding) > 1:
        warn(f"{place}: {', '.join(folder.name for folder in holding)}: {holding[0].name} is read, the others are not; "
             "remove or rename what is not meant")  # fmt: skip
    return holding[0] if holding else None


def _find(root: Path, pair: _Pair, channels: Sequence[str], entries: list[Entry], problems: list[Problem]) -> None:
    found = picture_files(pair.images)
    masks: dict[str, Path] = {}
    for one in picture_files(pair.labels):
        if one.stem in masks:
            problems.append(same_name_twice(one.path, masks[one.stem], root))
        else:
            masks[one.stem] = one.path
    pictures = pictures_of(pair.images, found, channels or _channel_folders(pair.images, found, masks), problems, root)
    matched, left = paired(pictures, masks)
    below = pair.images.relative_to(root).as_posix()
    labels = pair.labels.relative_to(root).as_posix()
    for stem, files in pictures.items():
        label = matched.get(stem)
        split = pair.split or split_named(stem.split("/")[0]) or ""
        entries.append(Entry(f"{below}/{stem}", files, LabelFile(label) if label else None, split))
        if label is None:
            problems.append(image_without_mask(files[0].relative_to(root).as_posix(), f"no file of this name is in {labels}/"))
    problems += [mask_without_image(path.relative_to(root).as_posix(), f"no image of this name is in {below}/") for path in left]


def image_without_mask(file: str, message: str) -> Problem:
    """An image that nobody labelled, or whose labels were not found."""
    return Problem("image-without-mask", message, file, "the image was never labelled, or its mask has another name",
                   "add the mask, or an all-background one where there is nothing to see")  # fmt: skip


def mask_without_image(file: str, message: str) -> Problem:
    """A mask whose image was not found."""
    return Problem("mask-without-image", message, file, "the image was moved, renamed or left out", "add the image, or remove the mask")


def _channel_folders(images: Path, found: Sequence[Found], masks: dict[str, Path]) -> tuple[str, ...]:
    """The folders of ``images/``, where masks go with names that are in every one of them: then each is a channel."""
    of: dict[str, set[str]] = {}
    for one in found:
        first, _, rest = one.stem.partition("/")
        of.setdefault(first if rest else "", set()).add(rest)
    if len(of) < 2 or "" in of or paired({one.stem: one for one in found}, masks)[0]:
        return ()
    shared = set.intersection(*of.values())
    if not shared or not paired(dict.fromkeys(shared), masks)[0]:
        return ()
    warn(f"{images}: its folders {', '.join(of)} are taken for channels of the same images; name them in the order you want")
    return tuple(of)
