"""Masks of 0 and 255: made for the eye, where 0 and 1 (or numbers of objects) are meant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.learn.data.doctor.facts import PairFacts
from microtome.learn.data.doctor.raw import RawMask
from microtome.learn.data.doctor.survey import Survey
from microtome.learn.data.doctor.words import count, percent
from microtome.learn.data.problem import Problem

__all__ = ["find", "mend"]


def find(survey: Survey) -> Iterator[Problem]:
    """One problem a file. A class list that names 255, and files that have 255 among other values, mean something else by it."""
    if 255 in {entry.value for entry in survey.classes}:
        return
    for pair, mask in survey.id_files():
        values = mask.values
        if values is None or mask.noted or values.value.tolist() not in ([0, 255], [255], [0, 65535]):
            continue
        top = int(values.value[-1])
        share = percent(values.share(top))
        if survey.kind == "instance":
            parts = len(pair.labels.parts) if pair.labels is not None else 0
            message = f"only the values 0 and {top}: {count(parts, 'separate area')} of one id ({share} of the pixels)"
            remedy = "--fix gives each separate area a number of its own; objects that touch become one"
        else:
            message = f"only the values 0 and {top} ({share} of the pixels), and no class is valued {top}"
            remedy = f"--fix writes 1 for {top}"
        yield Problem(
            "mask-0-255",
            message,
            mask.file,
            "saved as a black and white picture",
            remedy,
            tuple(values.value.tolist()),
            (values.place(top),),
            fixable=True,
        )


def mend(raw: RawMask, problem: Problem, survey: Survey, pair: PairFacts) -> tuple[NDArray[Any], dict[str, Any]]:
    """Classes: 1 for the upper value. Objects: a number for each separate area."""
    pixels = raw.pixels
    top = max(problem.values)
    if survey.kind == "semantic":
        return (pixels == top).astype(np.uint8), {"values": {"0": 0, str(top): 1}}
    import cc3d

    areas, number = cc3d.connected_components(pixels == top, connectivity=8 if pixels.ndim == 2 else 26, return_N=True)
    return areas.astype(np.int32), {"separate areas numbered": int(number)}
