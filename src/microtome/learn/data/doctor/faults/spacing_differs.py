"""Pixel sizes that differ between an image and its mask, or from image to image."""

from __future__ import annotations

from collections.abc import Iterator
from math import isclose

import numpy as np

from microtome.core.units import METRES
from microtome.learn.data.doctor.facts import ImageFacts, PairFacts
from microtome.learn.data.doctor.survey import Survey
from microtome.learn.data.doctor.words import count
from microtome.learn.data.problem import Problem

__all__ = ["find", "micrometres"]

_MUCH, _LITTLE = 0.05, 0.005


def find(survey: Survey) -> Iterator[Problem]:
    """Problems for a twentieth and more, or none at all among images that have one; notes for less."""
    known = [pair for pair in survey.pairs if micrometres(pair.image) is not None]
    for pair in known:
        yield from _mask(pair)
    if not known:
        return
    for ndim in sorted({len(pair.image.shape) for pair in known}):
        alike = [pair for pair in known if len(pair.image.shape) == ndim]
        usual = np.median([micrometres(pair.image) for pair in alike], axis=0)
        yield from _unusual(alike, tuple(usual.tolist()))
    without = [pair for pair in survey.pairs if not pair.image.error and micrometres(pair.image) is None]
    if without and len(without) < len(known):
        for pair in without:
            yield Problem(
                "spacing-missing",
                f"no pixel size, and {count(len(known), 'image')} of the set have one",
                pair.image.file,
                "saved by a program that drops it",
                "add the pixel size to the file",
            )


def _mask(pair: PairFacts) -> Iterator[Problem]:
    image = micrometres(pair.image)
    for mask in pair.masks:
        if image is not None and mask.spacing is not None and len(mask.spacing) == len(image) and _off(mask.spacing, image) > _LITTLE:
            yield Problem(
                "spacing-differs",
                f"the image has pixels of {_said(image)}, the mask of {_said(mask.spacing)}",
                mask.file,
                "the mask was made on a resized copy, or a program wrote its own resolution",
                "correct the one that is wrong",
                (image, mask.spacing),
                others=(pair.image.file,),
            )


def _unusual(pairs: list[PairFacts], usual: tuple[float, ...]) -> Iterator[Problem]:
    for pair in pairs:
        spacing = micrometres(pair.image)
        off = _off(spacing, usual) if spacing is not None else 0.0
        if spacing is not None and off > _LITTLE and len(pairs) > 1:
            yield Problem(
                "spacing-differs",
                f"pixels of {_said(spacing)}, as a rule {_said(usual)}",
                pair.image.file,
                "another objective, zoom or scanner; or a wrong entry in the file",
                "correct the entry, or resize to one pixel size before training",
                (spacing, usual),
                severity="problem" if off > _MUCH else "note",
            )


def micrometres(image: ImageFacts) -> tuple[float, ...] | None:
    """The spacing in micrometres; as it is where the unit is none of length."""
    if image.spacing is None:
        return None
    factor = METRES.get(image.unit, METRES["um"]) / METRES["um"]
    return tuple(step * factor for step in image.spacing)


def _off(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    return max(0.0 if isclose(a, b, rel_tol=1e-6) else abs(a / b - 1) for a, b in zip(one, other, strict=True))


def _said(spacing: tuple[float, ...]) -> str:
    return " x ".join(f"{step:.4g}" for step in spacing) + " um"
