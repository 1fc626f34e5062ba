"""A mask of objects in which all objects have the same number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cc3d
import numpy as np
from numpy.typing import NDArray

from microtome.learn.data.doctor.facts import LabelFacts, PairFacts
from microtome.learn.data.doctor.raw import RawMask
from microtome.learn.data.doctor.survey import Survey
from microtome.learn.data.doctor.words import count
from microtome.learn.data.problem import Problem

__all__ = ["find", "mend"]


def find(survey: Survey) -> Iterator[Problem]:
    """One problem a file: one number, and at least three areas of which none is most of it. 0 and 255 are `mask_is_a_picture`'s."""
    if survey.kind != "instance":
        return
    for pair, labels in survey.labelled():
        if pair.mask is not None and _one_number(labels):
            value = int(labels.parts.value[0])
            yield Problem(
                "one-number-for-all",
                f"{count(len(labels.parts), 'separate area')}, all with the number {value}",
                pair.file,
                "a mask of foreground and background, where every object should have a number of its own",
                "--fix numbers the separate areas; objects that touch become one, so look at them, or use --task semantic",
                (value,),
                tuple(tuple(place) for place in labels.parts.place[:12].tolist()),
                fixable=True,
            )


def _one_number(labels: LabelFacts) -> bool:
    area = np.sort(labels.parts.area)[::-1]
    return len(set(labels.counts) - {0}) == 1 and max(labels.counts) not in (255, 65535) and len(area) >= 3 and area[0] < 0.7 * area.sum()


def mend(raw: RawMask, problem: Problem, survey: Survey, pair: PairFacts) -> tuple[NDArray[Any], dict[str, Any]]:
    """Number the separate areas."""
    pixels = raw.pixels
    areas, number = cc3d.connected_components(pixels != 0, connectivity=8 if pixels.ndim == 2 else 26, return_N=True)
    return areas.astype(np.int32), {"separate areas numbered": int(number)}
