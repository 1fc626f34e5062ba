"""Objects of a few pixels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from microtome.learn.data.doctor.facts import LabelFacts
from microtome.learn.data.doctor.survey import Survey
from microtome.learn.data.doctor.words import count, listed
from microtome.learn.data.problem import Problem

__all__ = ["find"]

LARGEST = 3


def find(survey: Survey) -> Iterator[Problem]:
    """Objects: a problem a file. Classes: a note a file, where most masks have none. What the image's edge cuts may be small."""
    looked = [(pair, labels, _objects(labels) if survey.kind == "instance" else _areas(labels)) for pair, labels in survey.labelled()]
    found = [one for one in looked if len(one[2])]
    if survey.kind == "semantic" and len(found) > 0.2 * len(looked):
        return
    for pair, labels, rows in found:
        value, area = labels.parts.value[rows].tolist(), labels.parts.area[rows].tolist()
        said = listed([f"{v} ({a} px)" for v, a in zip(value, area, strict=True)], 4)
        what = count(len(rows), "object") if survey.kind == "instance" else count(len(rows), "separate area")
        yield Problem(
            "specks",
            f"{what} of at most {LARGEST} pixels: {said}",
            pair.file,
            "a slip of the pen, or what is left of an object after resizing or painting over it",
            "look at them; remove those that are not meant",
            tuple(value[:12]),
            tuple(tuple(place) for place in labels.parts.place[rows][:12].tolist()),
            severity="problem" if survey.kind == "instance" else "note",
        )


def _objects(labels: LabelFacts) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Whole objects; the pieces of larger ones are another fault."""
    parts = labels.parts
    whole = np.array([labels.counts[value] for value in parts.value.tolist()], np.int64)
    _, first = np.unique(parts.value, return_index=True)
    once = np.zeros(len(parts), bool)
    once[first] = True
    return np.flatnonzero((whole <= LARGEST) & once & ~parts.at_border)


def _areas(labels: LabelFacts) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    return np.flatnonzero((labels.parts.area <= LARGEST) & ~labels.parts.at_border)
