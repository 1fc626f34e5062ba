"""Images that show nothing."""

from __future__ import annotations

from collections.abc import Iterator

from microtome.learn.data.doctor.survey import Survey
from microtome.learn.data.doctor.words import percent
from microtome.learn.data.problem import Problem

__all__ = ["find"]


def find(survey: Survey) -> Iterator[Problem]:
    """A problem for each image of one value, or nearly so while its mask has objects."""
    for pair in survey.pairs:
        image = pair.image
        if image.error:
            continue
        low, high = image.extremes
        labelled = pair.labels is not None and pair.labels.foreground > 0.005
        if low == high or (image.most_common > 0.999 and labelled):
            said = f"every pixel is {low}" if low == high else f"{percent(image.most_common)} of the pixels have one value"
            yield Problem(
                "blank-image",
                said,
                image.file,
                "an exposure that failed, an empty channel, or a file written before its pixels were there",
                "leave the pair out, or export the image again",
                (low, high),
            )
