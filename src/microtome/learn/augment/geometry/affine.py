"""Turn, scale, shear and shift about the middle of the window."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from microtome.core.parameters import Range
from microtome.learn.augment.example import Example, Frame

__all__ = ["apply", "draw", "matrix"]

Pair = tuple[float, float]


def draw(
    rng: Generator,
    frame: Frame,
    *,
    rotation: Annotated[Pair, Range(-180, 180, "degrees")] = (-180.0, 180.0),
    tilt: Annotated[Pair, Range(-180, 180, "degrees")] = (0.0, 0.0),
    scale: Annotated[Pair, Range(0.05, 20)] = (0.7, 1.4),
    shear: Annotated[Pair, Range(-60, 60, "degrees")] = (-5.0, 5.0),
    shift: Annotated[float, Range(0, 10_000, "px")] = 0.0,
) -> dict[str, Any]:
    """Draw a turn, a scale, a shear and a shift.

    Parameters
    ----------
    rng : Generator
    frame : Frame
    rotation : pair of float, in degrees
        From, to; within the plane of the last two axes.
    tilt : pair of float, in degrees
        Of volumes, about each of the other two axes. Lengths are true where the spacing differs by axis.
    scale : pair of float
        Above 1 objects grow. Drawn evenly in its logarithm, the same for every axis.
    shear : pair of float, in degrees
        Within the plane.
    shift : float, in pixels
        At most so far along each axis.

    Returns
    -------
    dict
        ``rotation``, ``tilt``, ``scale``, ``shear``, ``shift`` as drawn.

    Examples
    --------
    >>> drawn = draw(np.random.default_rng(0), Frame((64, 64)), scale=(2.0, 2.0))
    >>> round(drawn["scale"], 6), drawn["tilt"]
    (2.0, [0.0, 0.0])
    """
    return {
        "rotation": float(rng.uniform(*rotation)),
        "tilt": [float(angle) for angle in rng.uniform(*tilt, 2)] if frame.ndim == 3 else [0.0, 0.0],
        "scale": float(np.exp(rng.uniform(*np.log(scale)))),
        "shear": float(rng.uniform(*shear)),
        "shift": [float(step) for step in rng.uniform(-shift, shift, frame.ndim)],
    }


def matrix(parameters: dict[str, Any], frame: Frame) -> NDArray[np.float64]:
    """The map from the result back to the image, about the middle: the inverse of scale, shear and turn (METHODS' A).

    A positive rotation turns the picture from x towards y as it is seen, clockwise with y downwards.

    >>> matrix({"rotation": 90.0, "tilt": [0, 0], "scale": 2.0, "shear": 0.0, "shift": [0, 0]}, Frame((4, 4))).round(6) + 0.0
    array([[ 0. , -0.5],
           [ 0.5,  0. ]])
    """
    forward = _turn(frame.ndim, -2, -1, parameters["rotation"]) @ _shear(frame.ndim, parameters["shear"]) * parameters["scale"]
    if frame.ndim == 3:
        forward = _turn(3, 0, 2, parameters["tilt"][0]) @ _turn(3, 0, 1, parameters["tilt"][1]) @ forward
    ratios = frame.ratios
    found: NDArray[np.float64] = np.linalg.inv(forward) * (ratios[None, :] / ratios[:, None])
    return found


def _turn(ndim: int, first: int, second: int, degrees: float) -> NDArray[np.float64]:
    turn, angle = np.eye(ndim), np.deg2rad(degrees)
    turn[first, first] = turn[second, second] = np.cos(angle)
    turn[first, second], turn[second, first] = np.sin(angle), -np.sin(angle)
    return turn


def _shear(ndim: int, degrees: float) -> NDArray[np.float64]:
    shear = np.eye(ndim)
    shear[-1, -2] = np.tan(np.deg2rad(degrees))
    return shear


def apply(parameters: dict[str, Any], example: Example) -> Example:
    """Turn, scale, shear and shift a whole example within its frame."""
    from microtome.learn.augment.place import alone

    return alone("affine", parameters, example)
