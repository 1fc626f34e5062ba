"""Out of focus: a Gaussian blur."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.random import Generator

from microtome.core.parameters import Range
from microtome.learn.augment.example import Example, Frame

__all__ = ["apply", "draw"]


def draw(rng: Generator, frame: Frame, *, sigma: Annotated[tuple[float, float], Range(0, 100, "px")] = (0.5, 1.5)) -> dict[str, Any]:
    """Draw a width.

    Parameters
    ----------
    rng : Generator
    frame : Frame
    sigma : pair of float, in pixels
        From, to. Where the spacing differs by axis, of the finest one; fewer pixels of the others.

    Returns
    -------
    dict
        ``sigma``: one number an axis.

    Examples
    --------
    >>> draw(np.random.default_rng(0), Frame((4, 8, 8), aspect=(2.0, 1.0, 1.0)), sigma=(1.0, 1.0))
    {'sigma': [0.5, 1.0, 1.0]}
    """
    return {"sigma": [float(width) for width in rng.uniform(*sigma) / frame.ratios]}


def apply(parameters: dict[str, Any], example: Example) -> Example:
    """Blur each channel alone; the border is mirrored, in pictures without repeating the edge."""
    sigma = parameters["sigma"]
    if not any(sigma):
        return example
    if example.ndim == 2 and all(width > 0.05 for width in sigma):
        import cv2

        image = np.ascontiguousarray(example.image)
        return example.with_image(cv2.GaussianBlur(image, (0, 0), sigma[1], sigmaY=sigma[0]).reshape(image.shape))
    from microtome.core.raster import Image
    from microtome.methods.prepare.gaussian import gaussian

    axes = "yxc" if example.ndim == 2 else "zyxc"
    return example.with_image(gaussian(Image(example.image, axes=axes), sigma=tuple(sigma)).pixels)
