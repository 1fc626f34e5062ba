"""Holes of a few pixels."""

from __future__ import annotations

from collections.abc import Iterator

from microtome.learn.data.doctor.survey import Survey
from microtome.learn.data.doctor.words import count
from microtome.learn.data.problem import Problem

__all__ = ["find"]


def find(survey: Survey) -> Iterator[Problem]:
    """A note a file of objects, or of one class on a background."""
    if survey.kind == "semantic" and len(survey.files_by_value) > 2:
        return
    for pair, labels in survey.labelled():
        if labels.pinholes:
            number = len(labels.pinholes)
            more = " or more" if number == 12 else ""
            yield Problem(
                "pinholes",
                f"{count(number, 'enclosed gap')}{more} of at most 3 background pixels",
                pair.file,
                "painting left them out",
                "fill them, where nothing is meant to be there",
                (),
                labels.pinholes,
                severity="note",
            )
