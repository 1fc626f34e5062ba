"""Images of another type or with other channels than the rest of the set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from microtome.learn.data.doctor.facts import ImageFacts
from microtome.learn.data.doctor.survey import Survey
from microtome.learn.data.doctor.words import count
from microtome.learn.data.problem import Problem

__all__ = ["find"]


def find(survey: Survey) -> Iterator[Problem]:
    """A problem for each image of a kind that less than a quarter of the set has."""
    kinds = {pair.image.file: _kind(pair.image) for pair in survey.pairs if not pair.image.error}
    times = Counter(kinds.values())
    usual, most = times.most_common(1)[0] if times else ("", 0)
    for file, kind in kinds.items():
        if kind != usual:
            rare = times[kind] < 0.25 * len(kinds)
            yield Problem(
                "image-kind-differs",
                f"{kind}; {most} of {count(len(kinds), 'image')} are {usual}",
                file,
                "another camera or export setting, or a picture of the screen",
                "export it like the others; a network and a threshold take one kind of image",
                (kind, usual),
                severity="problem" if rare else "note",
            )


def _kind(image: ImageFacts) -> str:
    dimensions = " volume" if len(image.shape) == 3 else ""
    return f"{image.dtype}{dimensions} with {count(image.channels, 'channel')}"
