"""Circles and ellipses as polygons of many corners."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError

__all__ = ["CORNERS", "ellipse"]

CORNERS = 128
"""A polygon of so many corners on an ellipse has 99.96 % of its area."""


def ellipse(y: float, x: float, radius_y: float, radius_x: float, turn: float = 0.0) -> NDArray[np.float64]:
    """Corners (y, x) on an ellipse.

    Parameters
    ----------
    y, x : float
        The centre.
    radius_y, radius_x : float
        Half its height and half its width before it is turned.
    turn : float
        Radians, clockwise on the screen.

    Raises
    ------
    InputError
        If a radius is not above 0.

    Examples
    --------
    >>> np.abs(ellipse(10, 20, 3, 5)).max(axis=0).tolist()
    [13.0, 25.0]
    """
    if not (radius_y > 0 and radius_x > 0):
        raise InputError(f"an ellipse of radii {radius_x:g} and {radius_y:g} encloses no area")
    angle = np.linspace(0, 2 * math.pi, CORNERS, endpoint=False)
    across, down = radius_x * np.cos(angle), radius_y * np.sin(angle)
    return np.column_stack([y + across * math.sin(turn) + down * math.cos(turn), x + across * math.cos(turn) - down * math.sin(turn)])
