"""Noise of the normal distribution, for every pixel and channel its own."""

from __future__ import annotations

from typing import Annotated, Any

from numpy.random import Generator

from microtome.core.parameters import Range
from microtome.learn.augment.example import Example, Frame
from microtome.learn.augment.pointwise import apply_point_steps

__all__ = ["apply", "draw"]


def draw(rng: Generator, frame: Frame, *, sigma: Annotated[tuple[float, float], Range(0, 1)] = (0.0, 0.1)) -> dict[str, Any]:
    """Draw a strength and a seed.

    Parameters
    ----------
    rng : Generator
    frame : Frame
    sigma : pair of float
        From, to: the standard deviation as a share of the image's range.

    Returns
    -------
    dict
        ``sigma``, ``seed``.

    Notes
    -----
    A pixel's noise is a function of the seed and its place (a counter goes through the finaliser of SplitMix64), taken from 65,536
    equally likely values of the normal distribution, of which the outermost is 4.3 standard deviations from the middle.

    Examples
    --------
    >>> import numpy as np
    >>> sorted(draw(np.random.default_rng(0), Frame((8, 8))))
    ['seed', 'sigma']
    """
    return {"sigma": float(rng.uniform(*sigma)), "seed": int(rng.integers(1 << 63))}


def apply(parameters: dict[str, Any], example: Example) -> Example:
    """Add the noise; in the image's dtype, integers rounded and clipped."""
    return apply_point_steps([("gaussian_noise", parameters)], example)
