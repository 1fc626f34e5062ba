"""Masks without a labelled pixel."""

from __future__ import annotations

from collections.abc import Iterator

from microtome.learn.data.doctor.survey import Survey
from microtome.learn.data.doctor.words import count
from microtome.learn.data.problem import Problem

__all__ = ["find"]


def find(survey: Survey) -> Iterator[Problem]:
    """A note a file: nothing may be there to see. Only masks of one value count, since class 0 can be a class like others."""
    labelled = list(survey.labelled())
    blank = [pair for pair, labels in labelled if set(labels.counts) == {0}]
    for pair in blank:
        yield Problem(
            "empty-mask",
            f"no labelled pixel (so are {len(blank) - 1} of the other {count(len(labelled) - 1, 'mask')})",
            pair.file,
            "nothing is to be seen in the image, or the image was never labelled",
            "keep it as an example of background, if that is what it is",
            (0,),
            severity="note",
        )
    for pair, labels in labelled:
        if len(labels.counts) == 1 and 0 not in labels.counts:
            value = next(iter(labels.counts))
            yield Problem(
                "one-value",
                f"every pixel is {value}",
                pair.file,
                "the whole image was filled, or the mask is inverted and empty",
                "look at it",
                (value,),
                severity="note",
            )
    for pair in survey.pairs:
        if pair.objects is not None and not pair.objects.items:
            yield Problem(
                "empty-mask",
                "no object is annotated",
                pair.image.file,
                "nothing is to be seen in the image, or it was never annotated",
                "keep it as an example of background, if that is what it is",
                severity="note",
            )
