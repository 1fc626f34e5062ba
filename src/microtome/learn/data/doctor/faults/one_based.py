"""Class values counted from 1 where the class list, or the other masks, count from 0."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

from microtome.learn.data.doctor.facts import MaskFacts, PairFacts
from microtome.learn.data.doctor.raw import RawMask
from microtome.learn.data.doctor.survey import Survey
from microtome.learn.data.doctor.words import listed
from microtome.learn.data.problem import Problem

__all__ = ["find", "mend"]


def find(survey: Survey) -> Iterator[Problem]:
    """One problem a file: it holds the value past the last class, has none of the first, and fits the list when one is taken off."""
    if survey.kind != "semantic":
        return
    files = [mask for _, mask in survey.id_files()]
    known = {entry.value for entry in survey.classes if entry.role != "ignore"} | {entry.value for entry in survey.classes}
    if known:
        suspects = [mask for mask in files if _past(mask, known)]
        yield from (_problem(mask, f"the class list has {min(known)} to {max(known)}") for mask in _all_or_sure(files, suspects))
        return
    odd = [mask for mask in files if 0 not in _values(mask)]
    if len(odd) <= 0.2 * len(files):
        usual = {value for mask in files if 0 in _values(mask) for value in _values(mask)}
        said = f"every other mask has 0, and their values go from 0 to {max(usual, default=0)}"
        yield from (_problem(mask, said) for mask in odd if len(usual) >= 2 and _past(mask, usual))


def _past(mask: MaskFacts, known: set[int]) -> bool:
    values = _values(mask)
    return bool(values) and max(values) == max(known) + 1 and min(known) not in values and {v - 1 for v in values} <= known


def _all_or_sure(files: list[MaskFacts], suspects: list[MaskFacts]) -> list[MaskFacts]:
    """Where the whole set counts from 1, files without the last class do as well."""
    if suspects and all(_one_up(mask) for mask in files):
        return files
    return suspects


def _one_up(mask: MaskFacts) -> bool:
    return 0 not in _values(mask)


def _values(mask: MaskFacts) -> set[int]:
    return set(mask.values.value.tolist()) if mask.values is not None else set()


def _problem(mask: MaskFacts, said: str) -> Problem:
    assert mask.values is not None
    values = mask.values.value.tolist()
    return Problem(
        "one-based-ids",
        f"values {listed(values, 14)}; {said}",
        mask.file,
        "the labels come from a program that counts classes from 1",
        "--fix takes one off every value",
        (values[0], values[-1]),
        (mask.values.place(values[0]), mask.values.place(values[-1])),
        fixable=True,
    )


def mend(raw: RawMask, problem: Problem, survey: Survey, pair: PairFacts) -> tuple[NDArray[Any], dict[str, Any]]:
    """Take one off."""
    pixels = raw.pixels
    values = sorted(_values(pair.masks[0]))
    return pixels - pixels.dtype.type(1), {"values": {str(value): value - 1 for value in values}}
