"""Brighter or darker by a constant."""

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
    strength: Annotated[Pair, Range(-1, 1)] = (-0.1, 0.1),
    each_channel: bool = False,
) -> dict[str, Any]:
    """Draw what is added.

    Parameters
    ----------
    rng : Generator
    frame : Frame
    strength : pair of float
        From, to, as a share of the image's range.
    each_channel : bool
        A number of its own for each channel.

    Returns
    -------
    dict
        ``share``: one number, or one a channel.

    Examples
    --------
    >>> draw(np.random.default_rng(0), Frame((8, 8)), strength=(0.5, 0.5))
    {'share': [0.5]}
    """
    return {"share": [float(share) for share in rng.uniform(*strength, frame.channels if each_channel else 1)]}


def curve(parameters: dict[str, Any], values: Values, *, span: tuple[float, float], mean: Values) -> Values:
    """Values plus the share of the range."""
    return values + column(parameters["share"]) * np.float32(span[1] - span[0])


def apply(parameters: dict[str, Any], example: Example) -> Example:
    """Change an example's image; in its dtype, integers rounded and clipped."""
    return apply_point_steps([("bias", parameters)], example)
