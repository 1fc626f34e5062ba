"""The same picture twice, with different labels."""

from __future__ import annotations

from collections.abc import Iterator

from microtome.learn.data.doctor.facts import MaskFacts
from microtome.learn.data.doctor.survey import Survey
from microtome.learn.data.problem import Problem

__all__ = ["find"]


def find(survey: Survey) -> Iterator[Problem]:
    """A problem for each image that is there before, pixel for pixel, and was labelled otherwise. Copies as such are `leaks`'s."""
    first: dict[str, tuple[str, MaskFacts]] = {}
    for pair in survey.pairs:
        image = pair.image
        if image.error or pair.mask is None or image.extremes[0] == image.extremes[1]:
            continue
        file, mask = first.setdefault(image.digest, (image.file, pair.mask))
        if mask.digest != pair.mask.digest:
            yield Problem(
                "contradicting-labels",
                "the same pixels as another image, with other labels",
                image.file,
                "an image was labelled twice, by two people or with two class lists",
                "keep the better labels",
                others=(file, mask.file, pair.mask.file),
            )
