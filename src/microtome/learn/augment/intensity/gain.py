"""Brighter or darker by a factor."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.random import Generator

from microtome.core.parameters import Range
from microtome.learn.augment.example import Example, Frame
from microtome.learn.augment.pointwise import Values, apply_point_steps, column

__all__ = ["apply", "curve", "draw"]

Pair = tuple[float, float]


def draw(
    rng: Generator,
    frame: Frame,
    *,
    strength: Annotated[Pair, Range(above=0, max=100)] = (0.75, 1.33),
    each_channel: bool = False,
) -> dict[str, Any]:
    """Draw a factor, evenly in its logarithm.

    Parameters
    ----------
    rng : Generator
    frame : Frame
    strength : pair of float
        From, to; 1 changes nothing.
    each_channel : bool
        A factor of its own for each channel.

    Returns
    -------
    dict
        ``factor``: one number, or one a channel.

    Examples
    --------
    >>> draw(np.random.default_rng(0), Frame((8, 8)), strength=(2.0, 2.0))["factor"]
    [2.0]
    """
    low, high = np.log(strength)
    factors = np.exp(rng.uniform(low, high, frame.channels if each_channel else 1))
    return {"factor": [round(float(factor), 9) for factor in factors]}


def curve(parameters: dict[str, Any], values: Values, *, span: tuple[float, float], mean: Values) -> Values:
    """Values times the factor."""
    return values * column(parameters["factor"])


def apply(parameters: dict[str, Any], example: Example) -> Example:
    """Change an example's image; in its dtype, integers rounded and clipped."""
    return apply_point_steps([("gain", parameters)], example)
