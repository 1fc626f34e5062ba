"""Masks of fractions: probabilities, or labels resized as pictures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.learn.data.doctor.facts import PairFacts
from microtome.learn.data.doctor.raw import RawMask
from microtome.learn.data.doctor.survey import Survey
from microtome.learn.data.doctor.words import count
from microtome.learn.data.problem import Problem

__all__ = ["find", "mend"]


def find(survey: Survey) -> Iterator[Problem]:
    """One problem a file."""
    for pair in survey.pairs:
        for mask in pair.masks:
            if mask.fractions:
                yield Problem(
                    "fractions",
                    f"{count(mask.fractions, 'value')} of {mask.dtype} are not whole numbers",
                    mask.file,
                    "a score map, or labels resized as a picture (values come out as fractions)",
                    "--fix takes 0.5 and above as 1, where all values lie between 0 and 1; else save the labels as whole numbers",
                    fixable=pair.mask is not None,
                )


def mend(raw: RawMask, problem: Problem, survey: Survey, pair: PairFacts) -> tuple[NDArray[Any], dict[str, Any]]:
    """Threshold scores at a half; other fractions stay as they are."""
    pixels = raw.pixels
    if not np.isfinite(pixels).all() or pixels.min() < 0 or pixels.max() > 1:
        return pixels, {}
    return (pixels >= 0.5).astype(np.uint8), {"threshold": 0.5}
