"""Labels that are taken for numbers of objects and look like classes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from microtome.learn.data.doctor.faults.object_in_pieces import pieces
from microtome.learn.data.doctor.survey import Survey
from microtome.learn.data.doctor.words import percent
from microtome.learn.data.problem import Problem

__all__ = ["find"]


def find(survey: Survey) -> Iterator[Problem]:
    """One problem a set: the same few values in most masks, and most of them in several pieces."""
    if survey.kind != "instance":
        return
    several = [labels for pair, labels in survey.labelled() if pair.mask is not None and len(set(labels.counts) - {0}) >= 2]
    if len(several) < 3 or len(set(survey.files_by_value) - {0}) > 64:
        return
    broken = float(np.median([len(pieces(labels)) / len(set(labels.counts) - {0}) for labels in several]))
    if broken >= 0.5:
        yield Problem(
            "labels-look-like-classes",
            f"the masks are read as numbers of objects, and in most of them {percent(broken)} of the numbers are in several pieces",
            cause="the values are classes",
            remedy="check again with --task semantic",
        )
