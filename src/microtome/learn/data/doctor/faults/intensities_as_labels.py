"""Masks that are pictures: the image itself, or its copy, in the place of labels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from microtome.learn.data.doctor.facts import MaskFacts
from microtome.learn.data.doctor.faults.jpeg_mask import scattered
from microtome.learn.data.doctor.levels import main_values
from microtome.learn.data.doctor.survey import Survey
from microtome.learn.data.doctor.words import count
from microtome.learn.data.problem import Problem

__all__ = ["find"]


def find(survey: Survey) -> Iterator[Problem]:
    """One problem a file: many values, hardly an area of any of them."""
    for _, mask in survey.masks():
        if mask.mode != "colour" and _is_picture(mask):
            values = mask.values
            assert values is not None
            told = f" and follow the image's brightness (correlation {mask.follows:.2f})" if abs(mask.follows) > 0.5 else ""
            top = np.argsort(-values.counts, kind="stable")[:6]
            yield Problem(
                "intensities-as-labels",
                f"{count(values.distinct, 'value')} that fill no areas{told}",
                mask.file,
                "the image, or a picture made from it, was saved where the mask belongs",
                "put the mask in its place, and check the export",
                tuple(values.value[top].tolist()),
                tuple(tuple(place) for place in values.first[top].tolist()),
            )


def _is_picture(mask: MaskFacts) -> bool:
    values = mask.values
    if values is None or mask.noted or values.distinct < 48:
        return False
    labels = values.value != values.value[int(values.counts.argmax())]  # all but the commonest, which may be a ground
    pixels = int(values.counts[labels].sum())
    solid = float(values.solid[labels].sum()) / max(pixels, 1)
    levels = len(main_values(values)) > 1 or scattered(mask)  # bright objects: their mask follows the image as well
    if abs(mask.follows) > 0.95 and (not levels or abs(mask.follows) > 0.9999):
        return solid < 0.5
    return solid < 0.15 and pixels > 0.2 * values.pixels and not levels
