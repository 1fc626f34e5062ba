"""Masks that went through JPEG: values scatter around the few they had, in blocks along every border."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.learn.data.doctor.facts import MaskFacts, PairFacts
from microtome.learn.data.doctor.levels import main_values, nearest
from microtome.learn.data.doctor.raw import RawMask
from microtome.learn.data.doctor.survey import Survey
from microtome.learn.data.doctor.words import count, listed, percent
from microtome.learn.data.problem import Problem

__all__ = ["find", "mend", "scattered"]

_LOSSY = {"jpeg": "JPEG", "jpeg2000": "JPEG 2000"}


def find(survey: Survey) -> Iterator[Problem]:
    """One problem a mask file: saved as JPEG, or with the traces of it."""
    for pair, mask in survey.masks():
        lossy = _LOSSY.get(mask.format)
        if mask.mode != "colour" and (lossy is not None or scattered(mask)):
            yield _problem(pair, mask, lossy)
        elif lossy is not None:
            yield Problem(
                "jpeg-mask",
                f"{lossy} with colours: {count(mask.values.distinct if mask.values else 0, 'colour')}",
                mask.file,
                "the mask was exported as a picture, with lossy compression",
                "export the labels again as PNG",
            )


def _problem(pair: PairFacts, mask: MaskFacts, lossy: str | None) -> Problem:
    values = mask.values
    assert values is not None
    main = main_values(values)
    astray = ~np.isin(values.value, main)
    pixels = int(values.counts[astray].sum())
    rows = np.flatnonzero(astray)[np.argsort(-values.counts[astray], kind="stable")][:6]
    what = f"saved as {lossy}" if lossy else "a file without loss that holds the traces of JPEG"
    message = f"{what}: {count(values.distinct, 'value')}"
    if main:
        message += f", {percent(pixels / values.pixels)} of the pixels lie off the main values {listed(main)}"
    mendable = bool(main) and len(pair.masks) == 1 and bool(values.value[-1] - values.value[0] >= 32)
    return Problem(
        "jpeg-mask",
        message,
        mask.file,
        "JPEG changes values, most along borders, and a mask's values are its meaning",
        "--fix moves every pixel to the nearest main value; borders stay uncertain by a pixel or two, so export again as PNG where you can"
        if mendable
        else "export the labels again as PNG: the values that JPEG changed cannot be told from real ones",
        (*main, *values.value[rows].tolist())[:12],
        tuple(tuple(place) for place in values.first[rows].tolist()),
        fixable=mendable,
    )


def scattered(mask: MaskFacts) -> bool:
    """Whether most of the stray values keep close to main ones, as compression leaves them and smoothing does not."""
    values = mask.values
    if values is None or mask.noted or values.distinct < 12 or values.value[-1] - values.value[0] < 64:
        return False
    main = main_values(values)
    if not 2 <= len(main) <= 16:
        return False
    distance = np.min([abs(values.value - value) for value in main], axis=0)
    astray = distance > 0
    pixels = int(values.counts[astray].sum())
    areas = (distance > 2) & (values.solid > 0.2 * values.counts)
    if pixels == 0 or np.count_nonzero(areas) > 2:  # values that fill areas are ids
        return False
    close = astray & (distance <= 16)
    outside = (values.value < main[0]) | (values.value > main[-1])
    ringing = int((values.counts - values.between)[close & ~outside].sum()) + int(values.counts[outside].sum())
    return int(np.count_nonzero(close)) >= 8 and int(values.counts[close].sum()) >= 0.5 * pixels and ringing >= 0.08 * pixels


def mend(raw: RawMask, problem: Problem, survey: Survey, pair: PairFacts) -> tuple[NDArray[Any], dict[str, Any]]:
    """Move every pixel to the nearest main value."""
    pixels = raw.pixels
    assert pair.masks[0].values is not None
    main = main_values(pair.masks[0].values)
    moved = nearest(pixels, main)
    return moved, {"moved to the nearest of": list(main), "pixels moved": int(np.count_nonzero(moved != pixels))}
