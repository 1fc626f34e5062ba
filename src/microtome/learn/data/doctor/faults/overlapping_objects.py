"""Masks of single objects that claim the same pixels, or say the same object twice, or nothing."""

from __future__ import annotations

from collections.abc import Iterator

from microtome.learn.data.doctor.survey import Survey
from microtome.learn.data.doctor.words import count
from microtome.learn.data.problem import Problem

__all__ = ["find"]


def find(survey: Survey) -> Iterator[Problem]:
    """Problems of entries whose objects have a file each."""
    for pair, labels in survey.labelled():
        for first, second in labels.same:
            yield Problem(
                "object-twice",
                "two files hold the same mask",
                second,
                "an object was labelled twice, or a file was copied",
                "remove one of the two",
                others=(first,),
            )
        for blank in labels.blank:
            yield Problem(
                "object-without-pixels",
                "the file of an object is empty",
                blank,
                "the object was erased, its file was kept",
                "remove the file",
            )
        if labels.overlap and not labels.same:
            yield Problem(
                "objects-overlap",
                f"{count(labels.overlap, 'pixel')} belong to several objects",
                pair.file,
                "outlines drawn one by one reach into each other",
                "readers give such pixels to the smaller object; correct the outlines where that is wrong",
                places=(labels.overlap_place,),
            )
