"""Smooth elastic deformation by displacements on a coarse grid."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from microtome.core.parameters import Range
from microtome.learn.augment.example import Example, Frame

__all__ = ["apply", "draw", "field"]


def draw(
    rng: Generator,
    frame: Frame,
    *,
    sigma: Annotated[float, Range(0, 1000, "px")] = 10.0,
    knots: Annotated[int, Range(2, 64)] = 3,
) -> dict[str, Any]:
    """Draw a displacement vector for each knot of a grid.

    Parameters
    ----------
    rng : Generator
    frame : Frame
    sigma : float, in pixels of the window
        The standard deviation of each component. Where the spacing differs by axis it is of the finest one, and fewer pixels of the others.
    knots : int
        Along each axis; the first and the last are the corners of the window.

    Returns
    -------
    dict
        ``grid``: nested lists of shape (D, knots, knots) or (D, knots, knots, knots), in pixels.

    Notes
    -----
    Between the knots runs the cubic spline through the drawn values, mirrored in the window's edges (see
    `microtome.learn.augment.placement.spline_basis`), so at the knots the displacement is the drawn one. A field whose knots lie closer
    than about four sigmas may fold the picture over itself.

    References
    ----------
    O. Ronneberger, P. Fischer, T. Brox, U-Net, MICCAI 2015, section 3.1: 3 x 3 grid, Gaussian of 10 pixels, bicubic interpolation.
    P. Y. Simard, D. Steinkraus, J. C. Platt, ICDAR 2003, doi:10.1109/ICDAR.2003.1227801.

    Examples
    --------
    >>> np.shape(draw(np.random.default_rng(0), Frame((64, 64)))["grid"])
    (2, 3, 3)
    """
    grid = rng.normal(0, sigma, (frame.ndim, *(knots,) * frame.ndim))
    return {"grid": (grid / frame.ratios.reshape(-1, *(1,) * frame.ndim)).tolist()}


def field(parameters: dict[str, Any], frame: Frame) -> NDArray[np.float64]:
    """The displacements at the knots as an array."""
    return np.asarray(parameters["grid"], np.float64)


def apply(parameters: dict[str, Any], example: Example) -> Example:
    """Deform a whole example within its frame."""
    from microtome.learn.augment.place import alone

    return alone("elastic", parameters, example)
