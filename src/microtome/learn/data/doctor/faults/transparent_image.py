"""Images with transparent pixels."""

from __future__ import annotations

from collections.abc import Iterator

from microtome.learn.data.doctor.survey import Survey
from microtome.learn.data.doctor.words import count
from microtome.learn.data.problem import Problem

__all__ = ["find"]


def find(survey: Survey) -> Iterator[Problem]:
    """A note an image: readers drop the opacity, and what is under it may be arbitrary."""
    for pair in survey.pairs:
        if pair.image.transparent:
            yield Problem(
                "transparent-image",
                f"{count(pair.image.transparent, 'pixel')} are transparent",
                pair.image.file,
                "exported with an alpha channel",
                "flatten the picture; programs that drop the opacity show what lies under it",
                severity="note",
            )
