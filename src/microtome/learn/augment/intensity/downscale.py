"""A coarser microscope: the picture is made smaller, then as large as before."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.random import Generator

from microtome.core.parameters import Range
from microtome.learn.augment.example import Example, Frame

__all__ = ["apply", "draw"]

_AT_ONCE = 4  # channels that OpenCV averages over areas


def draw(rng: Generator, frame: Frame, *, factor: Annotated[tuple[float, float], Range(1, 64)] = (1.0, 2.0)) -> dict[str, Any]:
    """Draw how many times coarser, evenly.

    Parameters
    ----------
    rng : Generator
    frame : Frame
    factor : pair of float
        From, to; 1 changes nothing.

    Returns
    -------
    dict
        ``factor``.

    Examples
    --------
    >>> draw(np.random.default_rng(0), Frame((8, 8)), factor=(2.0, 2.0))
    {'factor': 2.0}
    """
    return {"factor": float(rng.uniform(*factor))}


def apply(parameters: dict[str, Any], example: Example) -> Example:
    """Average over areas, then interpolate linearly; within the plane of the last two axes. Labels stay as fine as they are."""
    import cv2

    height, width = example.shape[-2:]
    small = tuple(max(1, round(side / parameters["factor"])) for side in (width, height))
    if small == (width, height):
        return example
    planes = example.image.reshape(-1, height, width, example.image.shape[-1])
    out = np.empty_like(planes)
    for plane, target in zip(planes, out, strict=True):
        for first in range(0, plane.shape[-1], _AT_ONCE):
            part = np.ascontiguousarray(plane[..., first : first + _AT_ONCE])
            coarse = cv2.resize(part, small, interpolation=cv2.INTER_AREA)
            fine = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
            target[..., first : first + _AT_ONCE] = fine.reshape(part.shape)
    return example.with_image(out.reshape(example.image.shape))
