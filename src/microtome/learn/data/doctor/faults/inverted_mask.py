"""Masks whose background is labelled and whose objects are not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.learn.data.doctor.facts import LabelFacts, PairFacts
from microtome.learn.data.doctor.raw import RawMask
from microtome.learn.data.doctor.survey import Survey
from microtome.learn.data.doctor.words import percent
from microtome.learn.data.problem import Problem

__all__ = ["find", "mend"]

_FEWEST = 5


def find(survey: Survey) -> Iterator[Problem]:
    """A problem for each file that is, turned round, like the others: its share of foreground, and its brightness inside and out."""
    binary = [(pair, labels) for pair, labels in survey.labelled() if _two_values(survey, labels)]
    if len(binary) < max(_FEWEST, 0.6 * len([*survey.labelled()])):
        return
    shares = np.array([labels.foreground for _, labels in binary])
    contrasts = np.array([labels.contrast for _, labels in binary])
    middle, side = float(np.median(shares)), float(np.sign(np.median(contrasts)))
    agree = float(np.mean(np.sign(contrasts) == side)) >= 0.8
    for (pair, labels), share, contrast in zip(binary, shares, contrasts, strict=True):
        far = abs(share - middle) > 0.3 and abs(1 - share - middle) < abs(share - middle) / 2
        turned = np.sign(contrast) == -side and abs(contrast) > 0.3 if agree else share > 0.8 and middle < 0.2
        if far and turned:
            value = max(labels.counts)
            yield Problem(
                "inverted-mask",
                f"{percent(share)} of the pixels are {value}, in the other masks {percent(middle)} as a rule"
                + (f"; and they are {'darker' if contrast < 0 else 'brighter'} than the rest, elsewhere the reverse" if agree else ""),
                pair.file,
                "foreground and background are exchanged",
                "--fix exchanges them",
                (0, value),
                fixable=pair.mask is not None and survey.kind == "semantic",
            )


def _two_values(survey: Survey, labels: LabelFacts) -> bool:
    """Classes: one beside the background. Objects: any, of which one would fill most of the image."""
    return 0 in labels.counts and (len(labels.counts) == 2 if survey.kind == "semantic" else len(labels.counts) > 1)


def mend(raw: RawMask, problem: Problem, survey: Survey, pair: PairFacts) -> tuple[NDArray[Any], dict[str, Any]]:
    """Exchange the two values."""
    pixels = raw.pixels
    value = int(max(problem.values))
    return np.where(pixels == value, 0, value).astype(pixels.dtype), {"values": {"0": value, str(value): 0}}
