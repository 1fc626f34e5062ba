"""Image and mask of different sizes: exchanged sides, a scale, or another picture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.learn.data.doctor.alignment import TURNS, turned
from microtome.learn.data.doctor.facts import MaskFacts, PairFacts
from microtome.learn.data.doctor.raw import RawMask
from microtome.learn.data.doctor.survey import Survey
from microtome.learn.data.problem import Problem

__all__ = ["find", "mend"]


def find(survey: Survey) -> Iterator[Problem]:
    """One problem a mask file."""
    for pair in survey.pairs:
        shape = pair.image.shape
        for mask in pair.masks:
            if not pair.image.error and not mask.error and mask.shape and mask.shape != shape:
                yield _problem(pair, mask)


def _problem(pair: PairFacts, mask: MaskFacts) -> Problem:
    image, message = pair.image.shape, f"the image is {_size(pair.image.shape)}, the mask {_size(mask.shape)}"
    others, values = (pair.image.file,), (image, mask.shape)
    if len(image) == 2 and mask.shape == image[::-1]:
        turn, near = pair.labels.turn if pair.labels is not None else (5, 0.0)
        how = TURNS[turn] if near >= 5 else "transposed"
        told = f": {how}, which fits the image's edges" if near >= 5 else ", with the sides exchanged"
        return Problem(
            "mask-transposed",
            message + told,
            mask.file,
            "an array written as (x, y) instead of (y, x), or a photograph turned by its EXIF tag in one of the two",
            "--fix turns the mask back" if near >= 5 else "turn the mask; the image does not show which way",
            values,
            others=others,
            fixable=near >= 5 and pair.mask is not None,
        )
    if len(image) == len(mask.shape) and (factors := _factors(image, mask.shape)) is not None:
        one = len(set(factors)) == 1
        scale = f"{factors[0]:g}" if one else " and ".join(f"{factor:g}" for factor in factors)
        return Problem(
            "sizes-differ",
            f"{message}: smaller or larger by a factor of {scale}",
            mask.file,
            "the image was resized after labelling, or labels were exported at another zoom or pyramid level",
            "export the mask at the image's size; a mask must only ever be resized by nearest neighbour",
            values,
            others=others,
        )
    dimensions = " (a volume and a plane)" if len(image) != len(mask.shape) else ""
    return Problem(
        "sizes-differ",
        f"{message}{dimensions}",
        mask.file,
        "one of the two was cropped or padded, or the mask belongs to another image",
        "export the mask again for this image",
        values,
        others=others,
    )


def mend(raw: RawMask, problem: Problem, survey: Survey, pair: PairFacts) -> tuple[NDArray[Any], dict[str, Any]]:
    """Turn the mask to the orientation that fits."""
    pixels = raw.pixels
    turn = pair.labels.turn[0] if pair.labels is not None else 5
    return turned(pixels, turn), {"turned": TURNS[turn]}


def _factors(image: tuple[int, ...], mask: tuple[int, ...]) -> tuple[float, ...] | None:
    """The scale of each side where they are about the same, up to the rounding of a resize."""
    factors = tuple(i / m for i, m in zip(image, mask, strict=True) if m)
    close = len(factors) == len(image) and max(factors) / min(factors) - 1 < 1.5 / min(*image, *mask)
    if not close or abs(np.log(factors[0])) < 0.02:
        return None
    return tuple(round(factor, 3) for factor in factors)


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(str(side) for side in shape)
