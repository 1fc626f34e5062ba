"""Values that the class list does not have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.learn.data.doctor.facts import PairFacts
from microtome.learn.data.doctor.faults import mask_is_a_picture, one_based
from microtome.learn.data.doctor.raw import RawMask
from microtome.learn.data.doctor.survey import Survey
from microtome.learn.data.doctor.words import count, listed, percent
from microtome.learn.data.problem import Problem

__all__ = ["find", "mend"]


def find(survey: Survey) -> Iterator[Problem]:
    """One problem a file; what other faults explain is left to them."""
    known = {entry.value for entry in survey.classes}
    if survey.kind != "semantic" or not known:
        return
    explained = {problem.file for fault in (one_based, mask_is_a_picture) for problem in fault.find(survey)}
    table = _spread(survey, known)
    for _, mask in survey.id_files():
        values = mask.values
        if values is None or mask.file in explained:
            continue
        strange = [value for value in values.value.tolist() if value not in known and not (value == 0 and 0 not in known)]
        if not strange:
            continue
        said = listed([f"{value} ({count(int(values.counts[values.value == value].sum()), 'pixel')})" for value in strange])
        share = percent(sum(values.share(value) for value in strange))
        cause = (
            "255 often marks pixels to be ignored: give it a class with the role ignore"
            if strange == [255]
            else "levels spread over 0 to 255 for the eye"
            if table
            else "another class list, a painting slip, or a class added later"
        )
        yield Problem(
            "unknown-values",
            f"{said}: not in the class list ({min(known)} to {max(known)}); {share} of the pixels",
            mask.file,
            cause,
            f"--fix renames the levels in order: {listed([f'{old} → {new}' for old, new in table.items() if old != new])}"
            if table
            else "add the class to the list, or correct the mask",
            tuple(strange[:12]),
            tuple(values.place(value) for value in strange[:12]),
            fixable=bool(table),
        )


def _spread(survey: Survey, known: set[int]) -> dict[int, int]:
    """As many evenly spread levels over all masks as there are classes: the first is the first class, and so on."""
    levels = sorted({value for _, mask in survey.id_files() if mask.values is not None for value in mask.values.value.tolist()})
    if len(levels) != len(known) or len(levels) < 3 or levels[0] != 0:
        return {}
    steps = np.diff(levels)
    even = steps.min() > 1 and steps.max() - steps.min() <= 2
    return dict(zip(levels, sorted(known), strict=True)) if even else {}


def mend(raw: RawMask, problem: Problem, survey: Survey, pair: PairFacts) -> tuple[NDArray[Any], dict[str, Any]]:
    """Rename the levels."""
    pixels = raw.pixels
    table = _spread(survey, {entry.value for entry in survey.classes})
    renamed = np.zeros(max(table) + 1, np.int32)
    renamed[list(table)] = list(table.values())
    return renamed[pixels], {"values": {str(old): new for old, new in table.items()}}
