"""Images and masks in one folder, told apart by the ending of the name: ``a.tif`` and ``a_mask.tif`` (ultrasound nerve)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from microtome.core.events import warn
from microtome.io.find import Found
from microtome.learn.data.dataset import Entry, LabelFile, ObjectFiles
from microtome.learn.data.layouts.by_name import image_without_mask, mask_without_image
from microtome.learn.data.layouts.folders import has_picture, picture_files, pictures_of
from microtome.learn.data.layouts.names import bare_image, bare_mask, folded, mark_of, split_named
from microtome.learn.data.problem import Problem

__all__ = ["ABOUT", "find", "recognise"]

ABOUT = "images and masks in one folder, a.tif and a_mask.tif (or _masks, _label, _seg, _gt), or img_1.tif and mask_1.tif"

_FURTHER = re.compile(r"(.+[_\-. ]masks?)[_\-. ]?\d+")  # BUSI: benign (4)_mask.png, benign (4)_mask_1.png


def recognise(root: Path, *, channels: Sequence[str] = ()) -> bool:
    """Whether a file is there twice, once with the mark of a mask."""
    return has_picture(root) and bool(_marks(picture_files(root), channels))


def find(root: Path, *, channels: Sequence[str] = ()) -> tuple[list[Entry], list[Problem]]:
    """All images with their masks; of several marks, the one that most images have."""
    problems: list[Problem] = []
    found = picture_files(root)
    marks = _marks(found, channels)
    mark = marks.most_common(1)[0][0]
    if len(marks) > 1:
        others = ", ".join(f"{name} ({count})" for name, count in marks.most_common()[1:])
        warn(f"{root}: masks are the files {mark} ({marks[mark]}); {others} are left out: move what is not meant")
    masks = {_key(bare_mask(one.stem)): one for one in found if mark_of(one.stem) == mark}
    further = _further(found, {one.stem for one in masks.values()})
    taken = {path for paths in further.values() for path in paths}
    pictures = pictures_of(
        root, [one for one in found if mark_of(one.stem) not in marks and one.path not in taken], channels, problems, root
    )
    entries = []
    for stem, files in pictures.items():
        label = masks.pop(_key(stem), None)
        split = next((split for part in stem.split("/")[:-1] if (split := split_named(part))), "")
        more = further.get(label.stem, []) if label else []
        truth = None if label is None else ObjectFiles((label.path, *more)) if more else LabelFile(label.path)
        entries.append(Entry(stem, files, truth, split))
        if label is None:
            file = files[0].relative_to(root).as_posix()
            problems.append(image_without_mask(file, f"no file {mark.replace('*', Path(stem).name)} is beside it"))
    problems += [mask_without_image(one.path.relative_to(root).as_posix(), "no image is beside it") for one in masks.values()]
    return entries, problems


def _marks(found: Sequence[Found], channels: Sequence[str]) -> Counter[str]:
    """The marks that masks have here, and how many do."""
    keys = {_key(_without_channel(one.stem, channels)) for one in found if not mark_of(one.stem)}
    return Counter(mark_of(one.stem) for one in found if mark_of(one.stem) and _key(bare_mask(one.stem)) in keys)


def _further(found: Sequence[Found], masks: set[str]) -> dict[str, list[Path]]:
    """The further masks of an image, by the stem of its first."""
    of: dict[str, list[Path]] = {}
    for one in found:
        name = _FURTHER.fullmatch(one.stem)
        if name and name[1] in masks:
            of.setdefault(name[1], []).append(one.path)
    return of


def _key(stem: str) -> str:
    return folded(bare_image(stem))


def _without_channel(stem: str, channels: Sequence[str]) -> str:
    return next((stem[: -len(channel)] for channel in channels if stem.endswith(channel)), stem)
