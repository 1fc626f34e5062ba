"""Masks that are mirrored or turned against their image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

from microtome.learn.data.doctor.alignment import TURNS, Alignment, turned
from microtome.learn.data.doctor.facts import PairFacts
from microtome.learn.data.doctor.raw import RawMask
from microtome.learn.data.doctor.survey import Survey
from microtome.learn.data.problem import Problem

__all__ = ["find", "is_turned", "mend"]

_CLEAR, _BETTER = 4.5, 2.0


def find(survey: Survey) -> Iterator[Problem]:
    """A problem for each file that fits clearly when it is turned, and not as it is, in a set whose masks fit."""
    if not survey.in_place:
        return
    for pair, labels in survey.labelled():
        found = labels.alignment
        if found is not None and is_turned(found):
            yield Problem(
                "mask-turned",
                f"{TURNS[found.turn]}, the mask's borders lie on the image's edges; as it is, they do not",
                pair.file,
                "rows counted from below, an array written as (x, y), or a photograph turned by its EXIF tag in one of the two",
                "--fix turns the mask",
                (TURNS[found.turn],),
                others=(pair.image.file,),
                fixable=pair.mask is not None and len(labels.shape) == 2,
            )


def is_turned(found: Alignment) -> bool:
    """Whether another orientation fits clearly, and none of the places near the mask's own does."""
    return found.turn > 0 and found.turn_near >= _CLEAR and found.turn_near >= max(found.near, found.peak) + _BETTER


def mend(raw: RawMask, problem: Problem, survey: Survey, pair: PairFacts) -> tuple[NDArray[Any], dict[str, Any]]:
    """Turn the mask."""
    pixels = raw.pixels
    turn = TURNS.index(problem.values[0])
    return turned(pixels, turn), {"turned": TURNS[turn]}
