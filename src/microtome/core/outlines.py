"""Outlines of objects as polygons, for annotation formats."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["Outlines", "Polygon"]


@dataclass(frozen=True, eq=False)
class Polygon:
    """One outer ring and its holes.

    Attributes
    ----------
    outer : ndarray, shape (N, 2), float64
        Corners as (y, x). Pixel (r, c) covers [r, r+1) x [c, c+1), so the corners of a mask are whole numbers.
    holes : tuple of ndarray
        Rings of the same form.
    """

    outer: NDArray[np.float64]
    holes: tuple[NDArray[np.float64], ...] = ()


@dataclass(frozen=True, eq=False)
class Outlines:
    """The polygons of each object over an image of `shape`: an object in several parts has several polygons.

    Attributes
    ----------
    shape : tuple of int
        Height and width of the image they lie on.
    objects : dict of int to tuple of Polygon
        Polygons by object number.
    class_names : dict of int to str
        The class of an object, where it has one.
    """

    shape: tuple[int, int]
    objects: dict[int, tuple[Polygon, ...]] = field(default_factory=dict)
    class_names: dict[int, str] = field(default_factory=dict)
