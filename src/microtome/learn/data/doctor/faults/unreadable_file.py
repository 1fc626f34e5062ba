"""Files that cannot be decoded: empty, cut off, damaged, or no pictures at all."""

from __future__ import annotations

from collections.abc import Iterator

from microtome.learn.data.doctor.facts import ImageFacts, MaskFacts
from microtome.learn.data.doctor.survey import Survey
from microtome.learn.data.problem import Problem

__all__ = ["find"]

_CUT = ("not written or copied completely", "ends before", "ends inside", "cut off", "truncated", "is empty")


def find(survey: Survey) -> Iterator[Problem]:
    """One problem a file."""
    for pair in survey.pairs:
        files: tuple[ImageFacts | MaskFacts, ...] = (pair.image, *pair.masks)
        yield from (_problem(facts) for facts in files if facts.error)


def _problem(facts: ImageFacts | MaskFacts) -> Problem:
    what = facts.error.split(": ", 1)[-1]
    if any(words in facts.error for words in _CUT):
        return Problem(
            "cut-off-file",
            what,
            facts.file,
            "a copy or a download that did not finish, or a full disk",
            "copy the file again from where it came from",
        )
    return Problem(
        "unreadable-file",
        what,
        facts.file,
        "damaged on its way, of another format than its name says, or not a picture",
        "export it again, or leave its pair out",
    )
