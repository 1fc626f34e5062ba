"""Pictures that are in the data twice, whole, in part, or nearly; above all in two splits."""

from __future__ import annotations

from collections.abc import Iterator

from microtome.learn.data.doctor.survey import Survey
from microtome.learn.data.leaks import find_leaks
from microtome.learn.data.problem import Problem

__all__ = ["find"]


def find(survey: Survey) -> Iterator[Problem]:
    """What `find_leaks` says of the pictures' signatures."""
    sound = [(pair, pair.image.signature) for pair in survey.pairs if pair.image.signature is not None]
    signatures = {pair.image.file: signature for pair, signature in sound}
    splits = {pair.image.file: pair.split for pair, _ in sound}
    groups = {pair.image.file: pair.group for pair, _ in sound}
    yield from find_leaks(signatures, splits, groups=groups)
