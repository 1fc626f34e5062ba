"""Images and masks in one folder, told apart by the ending of the name: ``a.tif`` and ``a_mask.tif`` (ultrasound nerve)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from microtome.core.events import warn
from microtome.io.find import Found
from microtome.learn.data.dataset import Entry, LabelFile
from microtome.learn.data.layouts.by_name import image_without_mask, mask_without_image
from microtome.learn.data.layouts.folders import has_picture, picture_files, pictures_of
from microtome.learn.data.layouts.names import bare_image, bare_mask, split_named
from microtome.learn.data.problem import Problem

__all__ = ["ABOUT", "find", "recognise"]

ABOUT = "images and masks in one folder, a.tif and a_mask.tif (or _masks, _label, _seg, _gt)"


def recognise(root: Path, *, channels: Sequence[str] = ()) -> bool:
    """Whether a file is there twice, once with the ending of a mask."""
    return has_picture(root) and bool(_endings(picture_files(root), channels))


def find(root: Path, *, channels: Sequence[str] = ()) -> tuple[list[Entry], list[Problem]]:
    """All images with their masks; of several endings, the one that most images have."""
    problems: list[Problem] = []
    found = picture_files(root)
    endings = _endings(found, channels)
    ending = endings.most_common(1)[0][0]
    if len(endings) > 1:
        others = ", ".join(f"*{name} ({count})" for name, count in endings.most_common()[1:])
        warn(f"{root}: masks are the files *{ending} ({endings[ending]}); {others} are left out: move what is not meant")
    masks = {_key(bare_mask(one.stem)): one.path for one in found if _ending(one) == ending}
    rest = [one for one in found if _ending(one) != ending and _ending(one) not in endings]
    pictures = pictures_of(root, rest, channels, problems, root)
    entries = []
    for stem, files in pictures.items():
        label = masks.pop(_key(stem), None)
        split = next((split for part in stem.split("/")[:-1] if (split := split_named(part))), "")
        entries.append(Entry(stem, files, LabelFile(label) if label else None, split))
        if label is None:
            file = files[0].relative_to(root).as_posix()
            problems.append(image_without_mask(file, f"no file {Path(stem).name}{ending} is beside it"))
    problems += [mask_without_image(path.relative_to(root).as_posix(), "no image is beside it") for path in masks.values()]
    return entries, problems


def _endings(found: Sequence[Found], channels: Sequence[str]) -> Counter[str]:
    """The endings that masks have here, and how many do."""
    keys = {_key(_without_channel(one.stem, channels)) for one in found if not _ending(one)}
    return Counter(_ending(one) for one in found if _ending(one) and _key(bare_mask(one.stem)) in keys)


def _ending(one: Found) -> str:
    if one.name.lower().endswith("_seg.npy"):
        return ""  # Cellpose's own files: no array, but a pickled dictionary
    return one.stem[len(bare_mask(one.stem)) :]


def _key(stem: str) -> str:
    return bare_image(stem).casefold()


def _without_channel(stem: str, channels: Sequence[str]) -> str:
    return next((stem[: -len(channel)] for channel in channels if stem.endswith(channel)), stem)
