"""Values stretched or pressed about each channel's mean."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.random import Generator

from microtome.core.parameters import Range
from microtome.learn.augment.example import Example, Frame
from microtome.learn.augment.pointwise import Values, apply_point_steps

__all__ = ["NEEDS_MEAN", "apply", "curve", "draw"]

NEEDS_MEAN = True
"""The curve depends on each channel's mean."""
Pair = tuple[float, float]


def draw(
    rng: Generator,
    frame: Frame,
    *,
    strength: Annotated[Pair, Range(above=0, max=20)] = (0.75, 1.33),
) -> dict[str, Any]:
    """Draw a factor, evenly in its logarithm.

    Parameters
    ----------
    rng : Generator
    frame : Frame
    strength : pair of float
        From, to; above 1 differences grow.

    Returns
    -------
    dict
        ``factor``.

    Examples
    --------
    >>> draw(np.random.default_rng(0), Frame((8, 8)), strength=(1.0, 1.0))
    {'factor': 1.0}
    """
    low, high = np.log(strength)
    return {"factor": float(np.exp(rng.uniform(low, high)))}


def curve(parameters: dict[str, Any], values: Values, *, span: tuple[float, float], mean: Values) -> Values:
    """Distances from the mean of the channel within the window, times the factor."""
    return mean + (values - mean) * np.float32(parameters["factor"])


def apply(parameters: dict[str, Any], example: Example) -> Example:
    """Change an example's image; in its dtype, integers rounded and clipped."""
    return apply_point_steps([("contrast", parameters)], example)
