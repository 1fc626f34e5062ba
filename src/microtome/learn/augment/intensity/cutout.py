"""Squares of the picture are hidden behind its mean: what is left must be enough to tell."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.random import Generator

from microtome.core.parameters import Range
from microtome.learn.augment.example import Example, Frame

__all__ = ["apply", "draw"]


def draw(
    rng: Generator,
    frame: Frame,
    *,
    count: Annotated[int, Range(1, 1000)] = 1,
    size: Annotated[tuple[float, float], Range(above=0, max=1)] = (0.1, 0.25),
) -> dict[str, Any]:
    """Draw squares (cubes, in volumes); their middles lie anywhere, so a square may be cut by the edge.

    Parameters
    ----------
    rng : Generator
    frame : Frame
    count : int
    size : pair of float
        From, to: a square's side as a share of the window's shortest side.

    Returns
    -------
    dict
        ``boxes``: least corner, then greatest, half-open, within the window.

    References
    ----------
    T. DeVries, G. W. Taylor, Improved Regularization of Convolutional Neural Networks with Cutout, arXiv 1708.04552, section 3.

    Examples
    --------
    >>> len(draw(np.random.default_rng(0), Frame((64, 64)), count=2)["boxes"])
    2
    """
    boxes = []
    for _ in range(count):
        side = max(1, round(float(rng.uniform(*size)) * min(frame.shape)))
        low = [int(rng.integers(n)) - side // 2 for n in frame.shape]
        boxes.append([max(0, a) for a in low] + [min(n, a + side) for a, n in zip(low, frame.shape, strict=True)])
    return {"boxes": boxes}


def apply(parameters: dict[str, Any], example: Example) -> Example:
    """Fill the boxes with each channel's mean over the window; labels stay."""
    image = example.image.copy()
    mean = example.image.reshape(-1, image.shape[-1]).mean(0, dtype=np.float64)
    fill = np.floor(mean + 0.5).astype(image.dtype) if image.dtype.kind == "u" else mean.astype(image.dtype)
    for box in parameters["boxes"]:
        image[tuple(slice(low, high) for low, high in zip(box[: example.ndim], box[example.ndim :], strict=True))] = fill
    return example.with_image(image)
