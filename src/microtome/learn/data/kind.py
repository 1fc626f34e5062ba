"""What the labels of a data set are, classes or objects: decided once for all of it, from what the data says or, at last, looks like."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.errors import InputError
from microtome.core.events import collect_warnings
from microtome.core.raster import InstanceMap, SemanticMap
from microtome.learn.data.coloured import is_coloured
from microtome.learn.data.dataset import Kind

__all__ = ["TWO_LEVELS", "Verdict", "kind_of_masks", "share_beside", "values_besides"]

TWO_LEVELS = ClassTable((ClassEntry(0, "background", "background"), ClassEntry(255, "foreground")))
"""The classes of masks saved as black and white pictures."""

_SAMPLE = 12
_SAME_IN = 6  # masks with the same values, from which on that is no chance
_MOST_CLASSES = 32
_OFTEN = 0.3


class Verdict(NamedTuple):
    """What masks are.

    Attributes
    ----------
    kind : {"semantic", "instance"}
    assumed : str
        What it was concluded from, where the files do not say it themselves; else empty.
    classes : ClassTable
        Empty where the masks do not say.
    """

    kind: Kind
    assumed: str
    classes: ClassTable = ClassTable(())


def kind_of_masks(paths: Sequence[Path]) -> Verdict:
    """Look at some masks of a data set, twelve at most, evenly spread.

    Parameters
    ----------
    paths : sequence of Path

    Notes
    -----
    In this order: what Microtome noted in the files; palettes, 1 bit, or only 0 and 255 (classes); else how the values lie. Objects
    are numbered from 1 in every mask, each in one piece. Classes are few, and in most masks the same ones, in several pieces, or with
    numbers left out; masks with no value but 1 are one class.
    """
    masks, errors = _sample(paths)
    if not masks:
        coloured = all(is_coloured(path) for path in _chosen(paths))
        return Verdict("semantic" if coloured else "instance", f"no mask that was looked at could be read: {errors[0]}" if errors else "")
    if noted := [mask for mask, said in masks if said]:
        kinds = {_kind(mask) for mask in noted}
        return Verdict(_kind(noted[0]), "" if len(kinds) == 1 else "the first mask, though others say otherwise", _two_levels(noted))
    filled = [mask for mask, _ in masks if mask.pixels.any()]
    if not filled:
        return Verdict("instance", "all masks that were looked at are empty")
    pictures = [mask for mask in filled if isinstance(mask, SemanticMap)]
    if 2 * len(pictures) > len(filled):
        classes = _two_levels(pictures)
        return Verdict("semantic", "masks of 0 and 255" if classes else "masks with a palette or of 1 bit", classes)
    return _by_values([mask.pixels for mask in filled])


def _kind(mask: SemanticMap | InstanceMap) -> Kind:
    return "semantic" if isinstance(mask, SemanticMap) else "instance"


def _two_levels(masks: Sequence[SemanticMap | InstanceMap]) -> ClassTable:
    values = {int(value) for mask in masks for value in np.unique(mask.pixels)}
    return TWO_LEVELS if 255 in values and values <= {0, 255} else ClassTable(())


def values_besides(paths: Sequence[Path], classes: ClassTable) -> list[int]:
    """The values above 0 of some masks that are no class of a table."""
    masks, _ = _sample(paths)
    return sorted({int(value) for mask, _ in masks for value in np.unique(mask.pixels)} - {entry.value for entry in classes} - {0})


def share_beside(paths: Sequence[Path], classes: ClassTable) -> float:
    """The share of some masks that have a value above 0 which is no class of a table."""
    known = {entry.value for entry in classes} | {0}
    each = [bool({int(value) for value in np.unique(mask.pixels)} - known) for mask, _ in _sample(paths)[0]]
    return sum(each) / len(each) if each else 0.0


def _sample(paths: Sequence[Path]) -> tuple[list[tuple[SemanticMap | InstanceMap, bool]], list[str]]:
    """Masks, and whether they say themselves what they are; and why others cannot be read."""
    from microtome.io.masks import read_mask

    found, errors = [], []
    for path in _chosen(paths):
        try:
            with collect_warnings():  # told again when the mask is loaded
                found.append((read_mask(path), _says(path)))
        except InputError as error:
            errors.append(str(error))
    return found, errors


def _chosen(paths: Sequence[Path]) -> Sequence[Path]:
    return paths if len(paths) <= _SAMPLE else [paths[k * (len(paths) - 1) // (_SAMPLE - 1)] for k in range(_SAMPLE)]


def _says(path: Path) -> bool:
    """Whether a mask has our note."""
    from microtome.io.masks import foreign, label_tiff, png
    from microtome.io.masks.note import KEYWORD

    data = path.read_bytes()
    form = foreign.recognise(data)
    if form == "png":
        return KEYWORD in png.texts(data, path)
    return form == "tiff" and label_tiff.description(data, path) is not None


def _by_values(masks: Sequence[NDArray[np.int32]]) -> Verdict:
    values = [frozenset(np.unique(mask[mask > 0]).tolist()) for mask in masks]
    every = frozenset().union(*values)
    if len(every) > _MOST_CLASSES:
        return Verdict("instance", f"{len(every)} different values in {len(masks)} masks")
    if every == {1}:
        return Verdict("semantic", "1 is the only value besides 0")
    several = np.mean([_in_pieces(mask) for mask in masks])
    if several > _OFTEN:
        return Verdict("semantic", f"{several:.0%} of the values are in several pieces")
    gaps = np.mean([len(one) < max(one) for one in values])
    if gaps > _OFTEN:
        return Verdict("semantic", f"in {gaps:.0%} of the masks numbers below the largest value are left out")
    if len(masks) >= _SAME_IN and len(set(values)) == 1:
        return Verdict("semantic", f"all {len(masks)} masks looked at have the values {', '.join(map(str, sorted(every)))}")
    return Verdict("instance", "the values are numbered from 1 in each mask, and most are in one piece")


def _in_pieces(mask: NDArray[np.int32]) -> float:
    """The share of values that are in more than one piece."""
    import cc3d

    pieces, count = cc3d.connected_components(mask.copy(), connectivity=8 if mask.ndim == 2 else 26, return_N=True)
    value_of = np.zeros(count + 1, mask.dtype)
    value_of[pieces.ravel()] = mask.ravel()
    _, parts = np.unique(value_of[1:], return_counts=True)
    return float(np.mean(parts > 1))
