"""Classes that are rare beside others."""

from __future__ import annotations

from collections.abc import Iterator

from microtome.learn.data.doctor.colours import name_of
from microtome.learn.data.doctor.survey import Survey
from microtome.learn.data.doctor.words import listed, percent
from microtome.learn.data.problem import Problem

__all__ = ["find"]

_RARE = 0.01


def find(survey: Survey) -> Iterator[Problem]:
    """One note a set: classes with less than a hundredth of the commonest one's pixels."""
    if survey.kind != "semantic":
        return
    ignored = set(survey.classes.values("ignore"))
    pixels = {value: number for value, number in survey.pixels_by_value.items() if value not in ignored}
    most = max(pixels.values(), default=0)
    rare = sorted((number, value) for value, number in pixels.items() if number < _RARE * most)
    if rare:
        total = sum(pixels.values())
        said = listed([f"{name_of(survey.classes, value)} {percent(number / total)}" for number, value in rare])
        yield Problem(
            "class-imbalance",
            f"less than a hundredth of the commonest class: {said} of all pixels",
            cause="some things are small or rare",
            remedy="look at the scores by class, and weigh the loss or draw images by class",
            values=tuple(value for _, value in rare[:12]),
            severity="note",
        )
