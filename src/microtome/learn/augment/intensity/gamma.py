"""A power of the values within the image's range: middle tones become darker or brighter, both ends stay."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.random import Generator

from microtome.core.parameters import Range
from microtome.learn.augment.example import Example, Frame
from microtome.learn.augment.pointwise import Values, apply_point_steps

__all__ = ["apply", "curve", "draw"]

Pair = tuple[float, float]


def draw(
    rng: Generator,
    frame: Frame,
    *,
    exponent: Annotated[Pair, Range(above=0, max=20)] = (0.7, 1.5),
) -> dict[str, Any]:
    """Draw an exponent, evenly in its logarithm.

    Parameters
    ----------
    rng : Generator
    frame : Frame
    exponent : pair of float
        From, to; above 1 middle tones become darker.

    Returns
    -------
    dict
        ``exponent``.

    Examples
    --------
    >>> draw(np.random.default_rng(0), Frame((8, 8)), exponent=(1.0, 1.0))
    {'exponent': 1.0}
    """
    low, high = np.log(exponent)
    return {"exponent": float(np.exp(rng.uniform(low, high)))}


def curve(parameters: dict[str, Any], values: Values, *, span: tuple[float, float], mean: Values) -> Values:
    """Values as shares of the range, to the power; what lies below the range stays as it is, what lies above it follows the same curve."""
    low, width = np.float32(span[0]), np.float32(span[1] - span[0])
    if width <= 0:
        return values
    shares = (values - low) / width
    return np.where(shares > 0, low + width * np.maximum(shares, np.float32(0)) ** np.float32(parameters["exponent"]), values)


def apply(parameters: dict[str, Any], example: Example) -> Example:
    """Change an example's image; in its dtype, integers rounded and clipped."""
    return apply_point_steps([("gamma", parameters)], example)
