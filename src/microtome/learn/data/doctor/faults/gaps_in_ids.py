"""Class values with holes between them: 0, 2, 3, 5. Numbers of objects may have them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.learn.data.doctor.facts import PairFacts
from microtome.learn.data.doctor.faults import mask_is_a_picture
from microtome.learn.data.doctor.raw import RawMask
from microtome.learn.data.doctor.survey import Survey
from microtome.learn.data.doctor.words import listed
from microtome.learn.data.problem import Problem

__all__ = ["find", "mend"]


def find(survey: Survey) -> Iterator[Problem]:
    """Classes without a list: a problem for each file that renumbering changes. Objects: a note a file."""
    if survey.kind == "instance":
        yield from _objects(survey)
    elif not len(survey.classes):
        yield from _classes(survey)


def _classes(survey: Survey) -> Iterator[Problem]:
    pictures = {problem.file for problem in mask_is_a_picture.find(survey)}
    there, ignored = _values(survey, pictures)
    table = _renumbered(there, ignored)
    missing = sorted(set(range(max(table, default=0))) - there)
    for _, mask in survey.id_files():
        values = mask.values
        if values is None or mask.file in pictures:
            continue
        moved = [value for value in values.value.tolist() if table.get(value, value) != value]
        if moved:
            yield Problem(
                "gaps-in-ids",
                f"values {listed(values.value.tolist(), 14)}; no mask of the set has {listed(missing, 14)}",
                mask.file,
                "classes were left out or merged after the values were given",
                f"--fix renumbers, the same in all masks: {listed([f'{value} → {table[value]}' for value in moved])}",
                tuple(moved[:12]),
                tuple(values.place(value) for value in moved[:12]),
                fixable=True,
            )
        if ignored and 255 in values.value:
            yield Problem(
                "value-255",
                f"255 beside values up to {max(there - {255})}",
                mask.file,
                "255 often marks pixels to be ignored",
                "say so in classes.json: value 255, role ignore",
                (255,),
                (values.place(255),),
                severity="note",
            )


def _values(survey: Survey, pictures: set[str]) -> tuple[set[int], bool]:
    """All values of the set, and whether 255 among them looks like the mark of pixels to be ignored."""
    files = (mask for _, mask in survey.id_files() if mask.file not in pictures)
    there = {value for mask in files if mask.values is not None for value in mask.values.value.tolist()}
    return there, 255 in there and len(there) > 2 and max(there - {255}) < 64


def _renumbered(there: set[int], ignored: bool) -> dict[int, int]:
    """Without gaps from the first value on, which is 0 or else 1; 255 keeps its value where it marks pixels to be ignored."""
    kept = sorted(there - ({255} if ignored else set()))
    return {value: new for new, value in enumerate(kept, min(kept[0], 1))} if kept else {}


def _objects(survey: Survey) -> Iterator[Problem]:
    for pair, mask in survey.id_files():
        if pair.labels is None or mask.values is None:
            continue
        ids = [value for value in pair.labels.counts if value > 0]
        if ids and max(ids) > len(ids) and ids != [255]:
            absent = sorted(set(range(1, min(max(ids), 100_000))) - set(ids))
            yield Problem(
                "gaps-in-numbers",
                f"{len(ids)} objects numbered up to {max(ids)}; not there: {listed(absent)}",
                mask.file,
                "objects were removed after numbering",
                "nothing: numbers of objects may have gaps",
                tuple(absent[:12]),
                severity="note",
            )


def mend(raw: RawMask, problem: Problem, survey: Survey, pair: PairFacts) -> tuple[NDArray[Any], dict[str, Any]]:
    """Renumber, the same in all masks."""
    pixels = raw.pixels
    there, ignored = _values(survey, {found.file for found in mask_is_a_picture.find(survey)})
    table = _renumbered(there, ignored)
    renamed = np.arange(max(*there, 255) + 1)
    renamed[list(table)] = list(table.values())
    return renamed[pixels].astype(np.int32), {"values": {str(old): new for old, new in table.items() if old != new}}
