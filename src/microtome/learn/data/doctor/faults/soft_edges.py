"""Anti-aliased masks: grey steps along the borders between the few values that were drawn."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from microtome.learn.data.doctor.facts import MaskFacts, PairFacts
from microtome.learn.data.doctor.faults.jpeg_mask import mend, scattered
from microtome.learn.data.doctor.levels import main_values
from microtome.learn.data.doctor.survey import Survey
from microtome.learn.data.doctor.words import count, listed, percent
from microtome.learn.data.problem import Problem

__all__ = ["find", "mend"]


def find(survey: Survey) -> Iterator[Problem]:
    """One problem a mask file."""
    for pair, mask in survey.masks():
        if mask.mode == "colour" or mask.noted or mask.format in ("jpeg", "jpeg2000") or scattered(mask):
            continue
        if (main := _soft(mask)) is not None:
            yield _problem(pair, mask, main)


def _soft(mask: MaskFacts) -> tuple[int, ...] | None:
    """The main values, where at least four others occur only in between."""
    values = mask.values
    if values is None or values.distinct < 5 or values.value[-1] - values.value[0] < 32:
        return None
    main = main_values(values)
    others = ~np.isin(values.value, main)
    pixels = int(values.counts[others].sum())
    edge = others & (values.solid <= 0.02 * values.counts) & (values.between >= 0.5 * values.counts)
    soft = int(np.count_nonzero(edge))
    return main if len(main) > 1 and soft >= 4 and values.counts[edge].sum() >= 0.8 * pixels else None


def _problem(pair: PairFacts, mask: MaskFacts, main: tuple[int, ...]) -> Problem:
    values = mask.values
    assert values is not None
    others = np.flatnonzero(~np.isin(values.value, main))
    rows = others[np.argsort(-values.counts[others], kind="stable")][:8]
    share = values.counts[others].sum() / values.pixels
    mendable = len(pair.masks) == 1
    return Problem(
        "soft-edges",
        f"{count(len(others), 'value')} besides the main ones {listed(main)} occur only along borders "
        f"({percent(float(share))} of the pixels), "
        f"such as {listed(values.value[rows].tolist(), 4)}",
        mask.file,
        "drawn with a smooth brush, or resized with interpolation instead of nearest neighbour",
        "--fix moves every pixel to the nearest main value" if mendable else "export the masks again without smoothing",
        (*main, *values.value[rows].tolist())[:12],
        tuple(tuple(place) for place in values.first[rows].tolist()),
        fixable=mendable,
    )
