"""Masks drawn into the opacity, over one flat colour."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.learn.data.doctor.facts import PairFacts
from microtome.learn.data.doctor.raw import RawMask
from microtome.learn.data.doctor.survey import Survey
from microtome.learn.data.doctor.words import listed
from microtome.learn.data.problem import Problem

__all__ = ["find", "mend"]


def find(survey: Survey) -> Iterator[Problem]:
    """One problem a file."""
    for pair, mask in survey.masks():
        if len(mask.alpha) < 2 or mask.values is None:
            continue
        flat = mask.values.distinct == 1
        yield Problem(
            "mask-in-alpha",
            f"the labels are in the opacity (values {listed(mask.alpha)}), and the pixels themselves are all the same"
            if flat
            else f"besides its values the file has an opacity ({listed(mask.alpha)}), which readers drop",
            mask.file,
            "exported from a drawing program with a transparent background",
            "--fix takes the opacity as the mask" if flat else "flatten the picture, or save it without transparency",
            mask.alpha,
            severity="problem" if flat else "note",
            fixable=flat and pair.mask is not None,
        )


def mend(raw: RawMask, problem: Problem, survey: Survey, pair: PairFacts) -> tuple[NDArray[Any], dict[str, Any]]:
    """Take the opacity as values."""
    assert raw.alpha is not None
    return np.ascontiguousarray(raw.alpha), {"values": "the opacity"}
