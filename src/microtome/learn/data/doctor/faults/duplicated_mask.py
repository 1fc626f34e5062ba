"""The same labels under two pictures."""

from __future__ import annotations

from collections.abc import Iterator

from microtome.learn.data.doctor.facts import PairFacts
from microtome.learn.data.doctor.survey import Survey
from microtome.learn.data.problem import Problem

__all__ = ["find"]


def find(survey: Survey) -> Iterator[Problem]:
    """A problem for each mask with labels that is there before, pixel for pixel, under a picture that is not the same."""
    first: dict[str, PairFacts] = {}
    for pair in survey.pairs:
        if pair.mask is None or pair.image.error or pair.labels is None or len(pair.labels.counts) < 2:
            continue
        other = first.setdefault(pair.mask.digest, pair)
        if other.image.digest != pair.image.digest:
            yield Problem(
                "duplicated-mask",
                "the same labels, pixel for pixel, as another image's",
                pair.file,
                "a mask was copied or saved under the wrong name",
                "put the right mask in its place",
                others=(other.file, other.image.file),
            )
