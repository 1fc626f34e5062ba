"""``images/`` beside ``masks/`` or ``labels/``, paired by name: with splits above or below them, in several folders, in channels.

Also ``train/`` beside ``train_masks/`` (Carvana) or ``trainannot/`` (CamVid as SegNet has it), and folders of longer names, where only
one can be meant: ``701_StillsRaw_full/`` beside ``LabeledApproved_full/`` (CamVid), ``..._Training_Input/`` beside
``..._Training_GroundTruth/`` (ISIC).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from microtome.core.errors import InputError
from microtome.core.events import collect_warnings, warn
from microtome.io.find import Found
from microtome.learn.data.dataset import Entry, Kind, LabelFile
from microtome.learn.data.layouts.folders import Pictures, children, folders_of, has_picture, picture_files, pictures_of, same_name_twice
from microtome.learn.data.layouts.names import (
    bare_image,
    folded,
    is_role,
    kind_named,
    paired,
    paired_across_folders,
    rank,
    role_of,
    split_named,
    split_of,
)
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
        return any(True for _ in _candidates(root, None, set()))


def find(root: Path, *, channels: Sequence[str] = (), kind: Kind | None = None) -> tuple[list[Entry], list[Problem]]:
    """All images with their labels, and what has no partner.

    Parameters
    ----------
    root : Path
    channels : sequence of str
    kind : {"semantic", "instance"}, optional
        Which labels are wanted, where folders of both kinds are there: ``SegmentationClass``, ``SegmentationObject``.
    """
    entries: list[Entry] = []
    problems: list[Problem] = []
    pairs = _pairs(root, kind)
    used: Sequence[str] = channels
    for pair in pairs:
        used = _find(root, pair, channels, entries, problems) or used
    for folder, split in _unlabelled(root, pairs):
        _find_unlabelled(root, folder, split, used, entries, problems)
    return entries, problems


def _pairs(root: Path, kind: Kind | None) -> list[_Pair]:
    """The pairs whose labels are of one sort: where ``1st_manual/`` is read here, ``mask/`` is not read there."""
    passed_over: set[str] = set()
    found = list(_candidates(root, kind, passed_over))
    chosen = [pair for pair in found if pair.labels.name.lower() not in passed_over]
    for pair in found:
        if pair not in chosen:
            warn(f"{pair.labels}: is not read, since elsewhere another folder is taken for the labels; {pair.images.name}/ has none here")
    return chosen


def _candidates(root: Path, kind: Kind | None, passed_over: set[str]) -> Iterator[_Pair]:
    inside: list[Path] = []
    for folder, parts in folders_of(root):
        if any(taken in (folder, *folder.parents) for taken in inside):
            continue
        for images, labels, base in _pairs_in(folder, kind, passed_over):
            if has_picture(images) and has_picture(labels):
                inside += [images, labels]
                words = (*parts, *(role_of(folder.name).base for folder in (images, labels)), base)
                split = next((split for word in words if (split := split_named(word))), "") or split_of(base)
                yield _Pair(images, labels, split)


def _pairs_in(folder: Path, kind: Kind | None, passed_over: set[str]) -> Iterator[tuple[Path, Path, str]]:
    """Folders of images and of labels with the same base: ``train_images`` and ``train_masks``, ``train`` and ``train_masks``."""
    images: dict[str, list[Path]] = {}
    labels: dict[str, list[Path]] = {}
    plain: dict[str, Path] = {}
    for child in children(folder):
        role = role_of(child.name)
        plain[child.name.lower()] = child
        if role.kind != "plain":
            (images if role.kind == "images" else labels).setdefault(role.base, []).append(child)
    taken = []
    for base, several in labels.items():
        partner = _first(images.get(base, []), folder) or plain.get(base)
        if partner is not None:
            taken.append(base)
            yield partner, _first(several, folder, kind, passed_over) or several[0], base
    left = ({base: several for base, several in some.items() if base not in taken} for some in (images, labels))
    for pictures, masks in _by_split(*left):
        if len(pictures) == 1 and (chosen := _first(masks, folder, kind, passed_over)):
            yield pictures[0], chosen, role_of(chosen.name).base


def _by_split(images: Mapping[str, list[Path]], labels: Mapping[str, list[Path]]) -> Iterable[tuple[list[Path], list[Path]]]:
    """Folders without a partner of their own name, by the split that their names speak of; only those that hold pictures."""
    found: dict[str, tuple[list[Path], list[Path]]] = {}
    for part, some in enumerate((images, labels)):
        for base, several in some.items():
            found.setdefault(split_of(base), ([], []))[part].extend(one for one in several if has_picture(one))
    return found.values()


def _first(folders: Sequence[Path], place: Path, kind: Kind | None = None, passed_over: set[str] | None = None) -> Path | None:
    """The folder that holds pictures; of several the one that says the kind wanted, then the one whose name is the more usual."""
    holding = [folder for folder in folders if len(folders) == 1 or has_picture(folder)]
    holding.sort(key=lambda folder: (kind is not None and kind_named(folder.name) not in (None, kind), rank(folder.name)))
    if len(holding) > 1:
        warn(f"{place}: {', '.join(folder.name for folder in holding)}: {holding[0].name} is read, the others are not; "
             "remove or rename what is not meant")  # fmt: skip
        if passed_over is not None:
            passed_over.update(folder.name.lower() for folder in holding[1:])
    return holding[0] if holding else None


def _find(root: Path, pair: _Pair, channels: Sequence[str], entries: list[Entry], problems: list[Problem]) -> Sequence[str]:
    """The entries of one pair of folders; which channels its images were stacked of."""
    found = picture_files(pair.images)
    masks: dict[str, Path] = {}
    for one in picture_files(pair.labels):
        if one.stem in masks:
            problems.append(same_name_twice(one.path, masks[one.stem], root))
        else:
            masks[one.stem] = one.path
    channels = channels or _channel_folders(pair.images, found, masks) or _numbered_channels(pair.images, found, masks)
    pictures = pictures_of(pair.images, found, channels, problems, root)
    matched, left = paired(pictures, masks)
    if left and len(matched) < len(pictures):
        matched |= _across_folders(pair.labels, pictures, masks, matched)
        left = [path for path in left if path not in matched.values()]
    below = pair.images.relative_to(root).as_posix()
    labels = pair.labels.relative_to(root).as_posix()
    for stem, files in pictures.items():
        label = matched.get(stem)
        entries.append(Entry(f"{below}/{stem}", files, LabelFile(label) if label else None, pair.split or _split_in(stem)))
        if label is None:
            problems.append(image_without_mask(files[0].relative_to(root).as_posix(), f"no file of this name is in {labels}/"))
    alone = _tell_others(pair.labels, matched, left)
    problems += [mask_without_image(path.relative_to(root).as_posix(), f"no image of this name is in {below}/") for path in alone]
    return channels


def _across_folders(labels: Path, pictures: Pictures, masks: Mapping[str, Path], matched: Mapping[str, Path]) -> dict[str, Path]:
    """Pairs of what is left, of which the folders differ but not the files' names, which is told."""
    taken = set(matched.values())
    found = {stem: path for stem, path in paired_across_folders(pictures, masks).items() if stem not in matched and path not in taken}
    if found:
        stem, path = next(iter(found.items()))
        warn(f"{labels}: {len(found)} masks lie in other folders than their images and were paired by the file's name alone "
             f"(first {stem} and {path.relative_to(labels).as_posix()})")  # fmt: skip
    return found


def _tell_others(labels: Path, matched: Mapping[str, Path], left: Sequence[Path]) -> list[Path]:
    """Tell of masks whose image has one already, by what their names have more; the masks that are of no image at all."""
    keys = {folded(key).rpartition("/")[2] for stem in matched for key in (stem, bare_image(stem))}
    others: Counter[str] = Counter()
    alone = []
    for path in left:
        marks = (mark.start() for mark in re.finditer(r"[_\-. ](?=[A-Za-z])", path.stem))
        start = next((start for start in marks if folded(path.stem[:start]) in keys), None)
        if start is None:
            alone.append(path)
        else:
            others[path.stem[start:]] += 1
    if others:
        told = ", ".join(f"*{ending} ({count})" for ending, count in sorted(others.items()))
        warn(f"{labels}: some images have several masks; {told} are left out: move what is not meant")
    return alone


def _split_in(stem: str) -> str:
    return next((split for part in stem.split("/")[:-1] if (split := split_named(part))), "")


def _unlabelled(root: Path, pairs: Sequence[_Pair]) -> Iterator[tuple[Path, str]]:
    """Folders of images that have no folder of labels, such as ``imagesTs/`` or Carvana's ``test/``, and their split."""
    taken = [folder for pair in pairs for folder in (pair.images, pair.labels)]
    for folder, parts in folders_of(root):
        if not parts or any(one in (folder, *folder.parents) or folder in one.parents for one in taken):
            continue
        role = role_of(folder.name)
        twin = any(pair.images.parent == folder.parent and role_of(pair.images.name).base == role.base for pair in pairs)
        plain_split = role.kind == "plain" and split_named(folder.name) and not any(is_role(one.name) for one in children(folder))
        if ((role.kind == "images" and not twin) or plain_split) and has_picture(folder):
            taken.append(folder)
            yield folder, next((split for word in (*parts, role.base) if (split := split_named(word))), "") or split_of(role.base)


def _find_unlabelled(
    root: Path, folder: Path, split: str, channels: Sequence[str], entries: list[Entry], problems: list[Problem]
) -> None:  # fmt: skip
    try:
        pictures = pictures_of(folder, picture_files(folder), channels, problems, root)
    except InputError:  # none is of these channels
        return
    below = folder.relative_to(root).as_posix()
    entries += [Entry(f"{below}/{stem}", files, None, split or _split_in(stem)) for stem, files in pictures.items()]
    if pictures:
        told = f"none of its {len(pictures)} images has a mask: no folder of masks goes with it"
        problems.append(Problem("image-without-mask", told, below,
                                "the images were never labelled, or the folder of their masks has another name",
                                "nothing, if they are not meant to teach or to judge", severity="note"))  # fmt: skip


def image_without_mask(file: str, message: str) -> Problem:
    """An image that nobody labelled, or whose labels were not found."""
    return Problem("image-without-mask", message, file, "the image was never labelled, or its mask has another name",
                   "add the mask, or an all-background one where there is nothing to see")  # fmt: skip


def mask_without_image(file: str, message: str) -> Problem:
    """A mask whose image was not found."""
    return Problem("mask-without-image", message, file, "the image was moved, renamed or left out", "add the image, or remove the mask")


def _channel_folders(images: Path, found: Sequence[Found], masks: Mapping[str, Path]) -> tuple[str, ...]:
    """The folders of ``images/``, where masks go with names that most images share in all of them: then each is a channel."""
    of: dict[str, set[str]] = {}
    for one in found:
        first, _, rest = one.stem.partition("/")
        of.setdefault(first if rest else "", set()).add(rest)
    if len(of) < 2 or "" in of or _go_together((one.stem for one in found), masks):
        return ()
    shared = set.intersection(*of.values())
    if 2 * len(shared) <= max(map(len, of.values())) or not _go_together(shared, masks):
        return ()
    warn(f"{images}: its folders {', '.join(of)} are taken for channels of the same images; name them in the order you want")
    return tuple(of)


def _numbered_channels(images: Path, found: Sequence[Found], masks: Mapping[str, Path]) -> tuple[str, ...]:
    """The endings ``_0000``, ``_0001``, ... (nnU-Net), where masks go with the names without them: then each is a channel."""
    names = [re.fullmatch(r"(.+)(_\d{4})", one.stem) for one in found]
    endings = sorted({name[2] for name in names if name})
    if None in names or len(endings) < 2 or endings != [f"_{number:04}" for number in range(len(endings))]:
        return ()
    if any(one.stem in masks for one in found) or not _go_together({name[1] for name in names if name}, masks):
        return ()
    warn(f"{images}: files that end in {', '.join(endings)} are taken for channels of the same images")
    return tuple(endings)


def _go_together(stems: Iterable[str], masks: Mapping[str, Path]) -> bool:
    return bool(paired(stems, masks)[0])
