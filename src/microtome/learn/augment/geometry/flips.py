"""Mirror images and quarter turns: exact, nothing is interpolated."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from microtome.learn.augment.example import Example, Frame

__all__ = ["apply", "draw", "matrix"]


def draw(rng: Generator, frame: Frame, *, turns: bool = True, upright: bool = False) -> dict[str, Any]:
    """Draw one of the symmetries of the grid, each as likely as the others.

    Parameters
    ----------
    rng : Generator
    frame : Frame
    turns : bool
        Quarter turns too: 8 symmetries of a picture, 48 of a volume; else mirror images only, 4 and 8. Axes of different spacing are
        not exchanged, and a volume is mirrored only along those that have the spacing of the last one: 8 symmetries in the plane.
    upright : bool
        Up stays up: mirrored from left to right or not at all, and nothing else, whatever `turns` says.

    Returns
    -------
    dict
        ``axes``: which axis of the result each axis of the image becomes; ``flip``: which axes of the image are mirrored.

    Examples
    --------
    >>> sorted(draw(np.random.default_rng(0), Frame((64, 64))))
    ['axes', 'flip']
    """
    alike = [axis for axis in range(frame.ndim) if np.isclose(frame.ratios[axis], frame.ratios[-1])]
    orders = list(permutations(alike)) if turns and not upright else [tuple(alike)]
    order = orders[int(rng.integers(len(orders)))]
    axes = list(range(frame.ndim))
    for axis, becomes in zip(alike, order, strict=True):
        axes[axis] = becomes
    flip = rng.integers(0, 2, frame.ndim)
    may = [frame.ndim - 1] if upright else range(2) if frame.ndim == 2 else alike
    return {"axes": axes, "flip": [bool(mirror) and axis in may for axis, mirror in enumerate(flip)]}


def matrix(parameters: dict[str, Any], frame: Frame) -> NDArray[np.float64]:
    """The map from the result back to the image, about the middle.

    >>> matrix({"axes": [1, 0], "flip": [True, False]}, Frame((4, 4)))
    array([[ 0., -1.],
           [ 1.,  0.]])
    """
    back = np.zeros((frame.ndim, frame.ndim))
    for axis, (becomes, mirror) in enumerate(zip(parameters["axes"], parameters["flip"], strict=True)):
        back[axis, becomes] = -1.0 if mirror else 1.0
    return back


def apply(parameters: dict[str, Any], example: Example) -> Example:
    """Mirror and turn a whole example; a quarter turn exchanges its sides."""
    from microtome.learn.augment.place import alone

    return alone("flips", parameters, example)
