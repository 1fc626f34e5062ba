"""What folders and files of labelled data are called, and which mask goes with which image."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

__all__ = [
    "VOID_IN_VOC",
    "Role",
    "bare_image",
    "bare_mask",
    "folded",
    "is_role",
    "is_voc",
    "kind_named",
    "mark_of",
    "paired",
    "paired_across_folders",
    "rank",
    "role_of",
    "split_named",
    "split_of",
]  # fmt: skip

_IMAGES = ("images", "image", "imgs", "img", "jpegimages", "img_dir", "raw", "inputs", "input", "originals", "original",
           "leftimg8bit", "stillsraw_full")  # fmt: skip
_LABELS = ("1st_manual", "masks", "mask", "labels", "label", "annotations", "annotation", "annot", "annos", "ann_dir", "groundtruth",
           "ground_truth", "gt", "gts", "segmentations", "segmentation", "seg", "targets", "target", "truth", "segmentationclass",
           "segmentationobject", "gtfine", "gtcoarse", "labeledapproved_full")  # fmt: skip
_SPLITS = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "dev": "val",
           "test": "test", "testing": "test"}  # fmt: skip
_AFTER_MASKS = re.compile(
    r"[_\-. ](masks?|cp_masks|labels?|seg|segmentation|gt|groundtruth|ground_truth|annotations?|annot?|anno|(?-i:L)|instances?"
    r"|manual[12]|(1st|2nd)HO|gtFine_label(Train)?Ids)$",  # DRIVE, CHASE, Cityscapes
    re.IGNORECASE,
)
_BEFORE_MASKS = re.compile(r"(?:^|(?<=/))(masks?|labels?|segmentation|seg|gt)([_\-. ]|(?=\d))(?=[^/]+$)", re.IGNORECASE)
_AFTER_IMAGES = re.compile(r"[_\-. ](images?|imgs?|raw|training|test|volume|sat|leftImg8bit|0000)$", re.IGNORECASE)  # nnU-Net: _0000
_BEFORE_IMAGES = re.compile(r"(?:^|(?<=/))(images?|imgs?)([_\-. ]|(?=\d))(?=[^/]+$)", re.IGNORECASE)
_OBJECTS = re.compile(r"segmentationobject|(^|[_\-. ])(instances?|objects?)([_\-. ]|$)")
_CLASSES = re.compile(r"segmentationclass|(^|[_\-. ])(semantic|class|classes)([_\-. ]|$)")


class Role(NamedTuple):
    """What a folder's name says: ``train_masks`` holds the labels of ``train``."""

    base: str
    kind: str


def role_of(name: str) -> Role:
    """A folder's part: ``"images"``, ``"labels"``, or ``"plain"`` where its name does not say.

    >>> role_of("imagesTr"), role_of("Ground Truth")
    (Role(base='train', kind='images'), Role(base='', kind='labels'))
    >>> role_of("Masks"), role_of("train_masks"), role_of("trainannot"), role_of("plate 1")
    (Role(base='', kind='labels'), Role(base='train', kind='labels'), Role(base='train', kind='labels'), Role(base='plate 1', kind='plain'))
    """
    lower = _with_underscores(name)
    if decathlon := re.fullmatch("(images|labels)t([rs])", lower):  # nnU-Net, Medical Segmentation Decathlon
        return Role("train" if decathlon[2] == "r" else "test", decathlon[1])
    for kind, words in (("labels", _LABELS), ("images", _IMAGES)):
        if lower in words:
            return Role("", kind)
        for word in sorted(words, key=len, reverse=True):
            base = lower[: -len(word)]
            if lower.endswith(word) and (base.endswith("_") or base in _SPLITS):
                return Role(base.rstrip("_"), kind)
    return Role(name.lower(), "plain")


def _with_underscores(name: str) -> str:
    return re.sub(r"[\-. ]", "_", name.lower())


def rank(name: str) -> int:
    """How usual a folder's name is among those for its part; 0 is the first choice."""
    words = _LABELS if role_of(name).kind == "labels" else _IMAGES
    return next((number for number, word in enumerate(words) if _with_underscores(name).endswith(word)), len(words))


def is_role(name: str) -> bool:
    """Whether a folder of this name says only what it holds, such as ``images``."""
    return role_of(name).kind != "plain"


def kind_named(name: str) -> Literal["semantic", "instance"] | None:
    """What the labels in a folder of this name are, where it says so.

    >>> kind_named("SegmentationObject"), kind_named("semantic_masks"), kind_named("masks")
    ('instance', 'semantic', None)
    """
    lower = name.lower()
    return "instance" if _OBJECTS.search(lower) else "semantic" if _CLASSES.search(lower) else None


VOID_IN_VOC = 255
"""What Pascal VOC gives borders and objects too hard to outline, in both of its folders of masks."""


def is_voc(mask: Path) -> bool:
    """Whether a mask lies in one of Pascal VOC's folders."""
    return any(part.lower() in ("segmentationclass", "segmentationobject") for part in mask.parts)


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


def mark_of(stem: str) -> str:
    """The part of a file's name that says it is a mask, with a star for the rest; empty where there is none.

    >>> mark_of("plate/a01_mask"), mark_of("plate/mask_01"), mark_of("a01")
    ('*_mask', 'mask_*', '')
    """
    if after := _AFTER_MASKS.search(stem):
        return f"*{after[0]}"
    before = _BEFORE_MASKS.search(stem)
    return f"{before[0]}*" if before else ""


def bare_mask(stem: str) -> str:
    """A mask's stem without what says it is one.

    >>> bare_mask("plate/a01_mask"), bare_mask("plate/mask_01"), bare_mask("a01")
    ('plate/a01', 'plate/01', 'a01')
    """
    bare = _AFTER_MASKS.sub("", stem)
    return bare if bare != stem else _BEFORE_MASKS.sub("", stem)


def bare_image(stem: str) -> str:
    """An image's stem without what says it is one: ``001_img`` goes with ``001_masks``, ``img_1`` with ``mask_1``."""
    bare = _AFTER_IMAGES.sub("", stem)
    return bare if bare != stem else _BEFORE_IMAGES.sub("", stem)


def folded(name: str) -> str:
    """A name to compare by: without case, and with accents in one form, which macOS and other systems write differently."""
    return unicodedata.normalize("NFC", name).casefold()


def paired(images: Iterable[str], masks: Mapping[str, Path]) -> tuple[dict[str, Path], list[Path]]:
    """The mask of each image, by stem: the same one, or the same but for case and for endings such as ``_mask`` and ``_img``.

    Returns
    -------
    dict of str to Path
        By the image's stem, for those that have one.
    list of Path
        The masks left over.
    """
    stems = list(images)
    found = {stem: masks[stem] for stem in stems if stem in masks}
    free = {stem: path for stem, path in masks.items() if stem not in found}
    by_key: dict[str, list[str]] = {}
    for stem in free:
        for key in dict.fromkeys((folded(bare_mask(stem)), folded(stem))):
            by_key.setdefault(key, []).append(stem)
    for stem in stems:
        if stem in found:
            continue
        candidates = (by_key.get(key, []) for key in (folded(stem), folded(bare_image(stem))))
        if match := next((one for several in candidates for one in several if one in free), None):
            found[stem] = free.pop(match)
    return found, list(free.values())


def paired_across_folders(images: Iterable[str], masks: Mapping[str, Path]) -> dict[str, Path]:
    """Pairs by the last part of the names alone, where one image and one mask have it.

    >>> paired_across_folders(["p1/p1_a", "p2/p2_a", "p3/x", "p4/x"], {"p1_a": Path("p1_a.png"), "x": Path("x.png")}).keys()
    dict_keys(['p1/p1_a'])
    """
    last_of = {stem: _last(bare_image(stem)) for stem in images}
    by_last = {_last(bare_mask(stem)): path for stem, path in masks.items()}
    once = _once(last_of.values()) & _once(_last(bare_mask(stem)) for stem in masks)
    return {stem: by_last[last] for stem, last in last_of.items() if last in once}


def _once(names: Iterable[str]) -> set[str]:
    return {name for name, count in Counter(names).items() if count == 1}


def _last(stem: str) -> str:
    return folded(stem).rpartition("/")[2]
