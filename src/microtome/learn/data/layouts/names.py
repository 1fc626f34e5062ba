"""What folders and files of labelled data are called, and which mask goes with which image."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

__all__ = ["Role", "bare_image", "bare_mask", "is_role", "paired", "rank", "role_of", "split_named", "split_of"]

_IMAGES = ("images", "image", "imgs", "img", "jpegimages", "img_dir", "raw", "inputs")
_LABELS = ("masks", "mask", "labels", "label", "annotations", "annotation", "annot", "ann_dir", "groundtruth", "ground_truth", "gt", "gts",
           "segmentations", "segmentation", "seg", "targets", "truth", "segmentationobject", "segmentationclass")  # fmt: skip
_SPLITS = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "dev": "val",
           "test": "test", "testing": "test"}  # fmt: skip
_OF_MASKS = re.compile(
    r"[_\-. ](masks?|labels?|seg|segmentation|gt|groundtruth|ground_truth|annotations?|annot|l|manual1|instances?)$", re.IGNORECASE
)
_OF_IMAGES = re.compile(r"[_\-. ](images?|imgs?|raw|training|0000)$", re.IGNORECASE)  # nnU-Net: the first channel is _0000


class Role(NamedTuple):
    """What a folder's name says: ``train_masks`` holds the labels of ``train``."""

    base: str
    kind: str


def role_of(name: str) -> Role:
    """A folder's part: ``"images"``, ``"labels"``, or ``"plain"`` where its name does not say.

    >>> role_of("imagesTr")
    Role(base='train', kind='images')
    >>> role_of("Masks"), role_of("train_masks"), role_of("trainannot"), role_of("plate 1")
    (Role(base='', kind='labels'), Role(base='train', kind='labels'), Role(base='train', kind='labels'), Role(base='plate 1', kind='plain'))
    """
    lower = name.lower()
    if decathlon := re.fullmatch("(images|labels)t([rs])", lower):  # nnU-Net, Medical Segmentation Decathlon
        return Role("train" if decathlon[2] == "r" else "test", decathlon[1])
    for kind, words in (("labels", _LABELS), ("images", _IMAGES)):
        if lower in words:
            return Role("", kind)
        for word in sorted(words, key=len, reverse=True):
            base = lower[: -len(word)]
            if lower.endswith(word) and (base[-1:] in "_-. " or base in _SPLITS):
                return Role(base.rstrip("_-. "), kind)
    return Role(lower, "plain")


def rank(name: str) -> int:
    """How usual a folder's name is among those for its part; 0 is the first choice."""
    role = role_of(name)
    words = _LABELS if role.kind == "labels" else _IMAGES
    return next((number for number, word in enumerate(words) if name.lower().endswith(word)), len(words))


def is_role(name: str) -> bool:
    """Whether a folder of this name says only what it holds, such as ``images``."""
    return role_of(name).kind != "plain"


def split_named(name: str) -> str | None:
    """The split of this name, in any of its spellings.

    >>> split_named("Validation"), split_named("plate")
    ('val', None)
    """
    return _SPLITS.get(name.lower())


def split_of(name: str) -> str:
    """The split a file's or folder's name speaks of, or nothing.

    >>> split_of("instances_train2017.json"), split_of("coco_val.json"), split_of("contrast.json")
    ('train', 'val', '')
    """
    words = re.findall(r"[a-z]+", Path(name).stem.lower())
    return next((_SPLITS[word] for word in words if word in _SPLITS), "")


def bare_mask(stem: str) -> str:
    """A mask's stem without the ending that says it is one.

    >>> bare_mask("plate/a01_mask"), bare_mask("a01")
    ('plate/a01', 'a01')
    """
    return _OF_MASKS.sub("", stem)


def bare_image(stem: str) -> str:
    """An image's stem without the ending that says it is one: ``001_img`` goes with ``001_masks``."""
    return _OF_IMAGES.sub("", stem)


def paired(images: Mapping[str, object], masks: Mapping[str, Path]) -> tuple[dict[str, Path], list[Path]]:
    """The mask of each image, by stem: the same one, or the same but for case and for endings such as ``_mask`` and ``_img``.

    Returns
    -------
    dict of str to Path
        By the image's stem, for those that have one.
    list of Path
        The masks left over.
    """
    found = {stem: masks[stem] for stem in images if stem in masks}
    free = {stem: path for stem, path in masks.items() if stem not in found}
    by_bare: dict[str, list[str]] = {}
    for stem in free:
        by_bare.setdefault(bare_mask(stem).casefold(), []).append(stem)
        if bare_mask(stem) != stem:
            by_bare.setdefault(stem.casefold(), []).append(stem)
    for stem in images:
        if stem in found:
            continue
        candidates = (by_bare.get(key, []) for key in (stem.casefold(), bare_image(stem).casefold()))
        if match := next((one for several in candidates for one in several if one in free), None):
            found[stem] = free.pop(match)
    return found, list(free.values())
