"""Palette masks whose indices do not mean the same from file to file."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.learn.data.doctor.facts import MaskFacts, PairFacts
from microtome.learn.data.doctor.raw import RawMask
from microtome.learn.data.doctor.survey import Survey
from microtome.learn.data.doctor.words import listed
from microtome.learn.data.problem import Problem

__all__ = ["find", "mend"]

Palette = dict[int, int]


def find(survey: Survey) -> Iterator[Problem]:
    """A problem for each file whose indices have other colours than in most files; a note for GIF, which programs read in two ways."""
    usual = _usual(survey)
    for _, mask in survey.id_files():
        used = _used(mask)
        strange = {index: colour for index, colour in used.items() if usual.get(index, colour) != colour}
        home = {colour: index for index, colour in usual.items()}
        if strange:
            known = all(colour in home for colour in used.values())
            said = listed([f"{index} is #{colour:06x}, elsewhere #{usual[index]:06x}" for index, colour in strange.items()], 4)
            yield Problem(
                "palette-differs",
                f"indices have other colours than in most masks: {said}",
                mask.file,
                "saved with a palette made for this picture alone, so that the same class has another index",
                "--fix writes the index that the colour has in most masks" if known else "save it with the palette of the others",
                tuple(strange)[:12],
                tuple(_place(mask, index) for index in list(strange)[:12]),
                fixable=known,
            )
        elif mask.format == "gif":
            yield Problem(
                "gif-mask",
                f"a GIF: its indices {listed(sorted(used))} are read; a program that reads its colours sees others",
                mask.file,
                "GIF holds a palette, and readers differ in what they make of it",
                "save masks as PNG",
                tuple(sorted(used))[:12],
                severity="note",
            )


def _usual(survey: Survey) -> Palette:
    """The colour that each index has in most files; nothing where no index is used by three files."""
    seen: defaultdict[int, Counter[int]] = defaultdict(Counter)
    for _, mask in survey.id_files():
        for index, colour in _used(mask).items():
            seen[index][colour] += 1
    return {index: colours.most_common(1)[0][0] for index, colours in seen.items() if colours.most_common(1)[0][1] >= 3}


def _used(mask: MaskFacts) -> Palette:
    if mask.mode != "palette" or mask.values is None:
        return {}
    return {
        index: red << 16 | green << 8 | blue
        for index in mask.values.value.tolist()
        if index < len(mask.palette)
        for red, green, blue in (mask.palette[index],)
    }


def _place(mask: MaskFacts, index: int) -> tuple[int, ...]:
    assert mask.values is not None
    return mask.values.place(index)


def mend(raw: RawMask, problem: Problem, survey: Survey, pair: PairFacts) -> tuple[NDArray[Any], dict[str, Any]]:
    """Write the usual index of each colour."""
    pixels = raw.pixels
    home = {colour: index for index, colour in _usual(survey).items()}
    table = {index: home[colour] for index, colour in _used(pair.masks[0]).items()}
    moved = np.zeros(256, np.uint8)
    moved[list(table)] = list(table.values())
    return moved[pixels], {"values": {str(old): new for old, new in table.items() if old != new}}
