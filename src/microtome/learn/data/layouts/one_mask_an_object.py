"""A folder an image, with one mask file an object: ``ID/images/ID.png`` and ``ID/masks/*.png`` (2018 Data Science Bowl)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from microtome.learn.data.dataset import Entry, ObjectFiles
from microtome.learn.data.layouts.by_name import image_without_mask, mask_without_image
from microtome.learn.data.layouts.folders import children, folders_of, picture_files
from microtome.learn.data.layouts.names import bare_image, bare_mask, rank, role_of, split_of
from microtome.learn.data.problem import Problem

__all__ = ["ABOUT", "find", "recognise"]

ABOUT = "ID/images/ and ID/masks/, one mask file an object"


def recognise(root: Path, *, channels: Sequence[str] = ()) -> bool:
    """Whether folders here, or below, hold the masks of one image's objects, and more of them do than hold several images."""
    sets = list(_sets(root))
    count = sum(_is_one_image(parts, images, masks) for parts, images, masks in sets)
    return count > sum(len(picture_files(images, deep=False)) > 1 for _, images, _ in sets) if count else False


def find(root: Path, *, channels: Sequence[str] = ()) -> tuple[list[Entry], list[Problem]]:
    """All images, each with the files of its objects. An empty ``masks/`` is an image without objects; none at all, without labels."""
    entries: list[Entry] = []
    problems: list[Problem] = []
    for parts, images, masks in _sets(root):
        pictures = picture_files(images, deep=False)
        files = tuple(one.path for one in picture_files(masks, deep=False)) if masks else None
        if len(pictures) != 1:
            place = images.relative_to(root).as_posix()
            problems.append(mask_without_image(place, f"{len(pictures)} images are in this folder; masks of single objects need one"))
            continue
        name = (images.relative_to(root) / pictures[0].stem).as_posix()
        split = next((split for part in parts[:-1] if (split := split_of(part))), "")
        entries.append(Entry(name, (pictures[0].path,), None if files is None else ObjectFiles(files), split))
        if files is None:
            problems.append(image_without_mask(pictures[0].path.relative_to(root).as_posix(), "no folder masks/ is beside its images/"))
    return entries, problems


def _sets(root: Path) -> Iterator[tuple[tuple[str, ...], Path, Path | None]]:
    """Names on the way, ``images/``, and ``masks/`` where there is one."""
    for folder, parts in folders_of(root):
        if parts and role_of(parts[-1]).kind != "plain":
            continue
        by_kind: dict[str, list[Path]] = {"images": [], "labels": [], "plain": []}
        for child in children(folder):
            role = role_of(child.name)
            by_kind[role.kind if not role.base else "plain"].append(child)
        if by_kind["images"]:
            yield parts, min(by_kind["images"], key=_rank), min(by_kind["labels"], key=_rank, default=None)


def _rank(folder: Path) -> int:
    return rank(folder.name)


def _is_one_image(parts: tuple[str, ...], images: Path, masks: Path | None) -> bool:
    """Whether the masks are called otherwise than the one image; a single one only where the folder is the image's own."""
    if masks is None:
        return False
    pictures, files = picture_files(images, deep=False), picture_files(masks, deep=False)
    if len(pictures) != 1 or not files:
        return False
    names = {pictures[0].stem.casefold(), bare_image(pictures[0].stem).casefold()}
    own = bool(parts) and not split_of(parts[-1])
    return (len(files) > 1 or own) and not any(bare_mask(file.stem).casefold() in names for file in files)
