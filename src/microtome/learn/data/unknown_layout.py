"""What to say of a folder in which no layout was found: what lies there, and what to do."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from microtome.io.find import Found
from microtome.io.images import is_image
from microtome.learn.data.layouts.folders import children, picture_files
from microtome.learn.data.layouts.names import bare_mask, is_role, mark_of

__all__ = ["what_is_there"]

_MOST = 6
_OF_SYSTEMS = ("Thumbs.db", "desktop.ini")


def what_is_there(root: Path) -> str:
    """What was found in a folder, and what would make it a layout that is known, in a few sentences."""
    pictures = picture_files(root)
    others = _others(root)
    told = [f"there are images, but no labels that go with them: {_by_folder(pictures)}" if pictures else "no image is there"]
    if others:
        told.append(f"there are also {_counted(others)}, in no form that is read as labels")
    above = root.resolve().parent
    if pictures and is_role(root.resolve().name) and len([one for one in children(above) if is_role(one.name)]) > 1:
        return "; ".join([*told, f"name the folder above, {above}, which has the other half"])
    return "; ".join([*told, _way_out(pictures, others)])


def _others(root: Path) -> Counter[str]:
    """Files that are no pictures, by suffix."""
    names = [name.lower() for _, _, names in os.walk(root) for name in names if not name.startswith(".") and name not in _OF_SYSTEMS]
    kinds = ("_seg.npy" if name.endswith("_seg.npy") else Path(name).suffix or name for name in names
             if name.endswith("_seg.npy") or not is_image(name))  # fmt: skip
    return Counter(kinds)


def _by_folder(pictures: Sequence[Found]) -> str:
    return _counted(Counter(f"in {one.name.rpartition('/')[0]}/" if "/" in one.name else "in the folder itself" for one in pictures))


def _counted(counts: Counter[str]) -> str:
    shown = ", ".join(f"{count} {name}" for name, count in counts.most_common(_MOST))
    return shown + (f" and {len(counts) - _MOST} sorts more" if len(counts) > _MOST else "")


def _way_out(pictures: Sequence[Found], others: Counter[str]) -> str:
    if others["_seg.npy"]:
        return "Cellpose's _seg.npy files are not read: save the masks as PNG or TIFF in Cellpose, which makes a_cp_masks.png beside a.png"
    if masks := [one for one in pictures if mark_of(one.stem)]:
        name = bare_mask(masks[0].stem)
        siblings = [one.stem[len(name) :] for one in pictures if one.stem.startswith(name) and one is not masks[0]]
        if len(siblings) > 1:
            endings = ", ".join(repr(ending) for ending in siblings[:4])
            return f"{masks[0].name} looks like a mask; if {name} is in several files, name what they end in as channels: ({endings})"
        return f"{masks[0].name} looks like a mask, and no image is called {name}"
    return "put the images into a folder images/ and the masks into masks/ beside it, a mask with the name of its image"
