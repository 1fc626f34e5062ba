"""Objects whose number stands in several separate places."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cc3d
import numpy as np
from numpy.typing import NDArray

from microtome.learn.data.doctor.facts import LabelFacts, PairFacts, Parts
from microtome.learn.data.doctor.raw import RawMask
from microtome.learn.data.doctor.survey import Survey
from microtome.learn.data.doctor.words import count, listed
from microtome.learn.data.problem import Problem

__all__ = ["STRAY", "find", "mend", "pieces"]

STRAY = 3
"""A piece of so few pixels is taken for a slip of the pen."""


def find(survey: Survey) -> Iterator[Problem]:
    """One problem a file, with every object concerned."""
    if survey.kind != "instance":
        return
    for pair, labels in survey.labelled():
        broken = pieces(labels)
        if not broken:
            continue
        said = [f"{_named(pair, value)} in {len(parts)} pieces of {_areas(parts)} pixels" for value, parts in broken.items()]
        places = [tuple(place) for parts in broken.values() for place in parts.place[:2].tolist()]
        yield Problem(
            "object-in-pieces",
            f"{count(len(broken), 'object')}: {listed(said, 3)}",
            pair.file,
            "two objects got the same number, the pen slipped, or something hides the middle of an object",
            f"--fix numbers each piece and removes those of at most {STRAY} pixels; leave it where the object is meant so",
            tuple(list(broken)[:12]),
            tuple(places[:12]),
            fixable=pair.mask is not None,
        )


def pieces(labels: LabelFacts) -> dict[int, Parts]:
    """The parts of each object that has several, by its number."""
    numbers, times = np.unique(labels.parts.value, return_counts=True)
    return {int(value): labels.parts.of(int(value)) for value in numbers[times > 1]}


def _named(pair: PairFacts, value: int) -> str:
    if len(pair.masks) > 1 and value <= len(pair.masks):
        return pair.masks[value - 1].file.rsplit("/", 1)[-1]
    return f"object {value}"


def _areas(parts: Parts) -> str:
    return listed(parts.area.tolist(), 4)


def mend(raw: RawMask, problem: Problem, survey: Survey, pair: PairFacts) -> tuple[NDArray[Any], dict[str, Any]]:
    """The largest piece keeps the number, strays go, others get new numbers after the highest."""
    pixels = raw.pixels
    labels, after = cc3d.connected_components(pixels.astype(np.uint32), connectivity=8 if pixels.ndim == 2 else 26, return_N=True)
    area = np.bincount(labels.ravel(), minlength=after + 1)
    value = np.zeros(after + 1, np.int64)
    value[labels.ravel()] = pixels.ravel()
    kept, highest = value.copy(), int(value.max())
    split: dict[str, list[int]] = {}
    removed = 0
    for number in np.unique(value[1:]).tolist():
        mine = np.flatnonzero(value == number)
        mine = mine[mine > 0]
        for piece in mine[np.argsort(-area[mine], kind="stable")][1:].tolist():
            if area[piece] <= STRAY:
                kept[piece], removed = 0, removed + int(area[piece])
            else:
                highest += 1
                kept[piece] = highest
                split.setdefault(str(number), []).append(highest)
    return kept[labels].astype(np.int32), {"new numbers of pieces": split, "pixels of strays removed": removed}
