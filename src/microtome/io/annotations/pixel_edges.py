"""Whether a polygon is a set of whole pixels, so that its area by run lengths is exact."""

from __future__ import annotations

import numpy as np

from microtome.core.outlines import Polygon

__all__ = ["on_pixel_edges"]


def on_pixel_edges(polygon: Polygon, shape: tuple[int, int]) -> bool:
    """Whether all edges run along those of pixels of an image of this shape.

    Examples
    --------
    >>> square = np.array([[0.0, 0.0], [0.0, 2.0], [2.0, 2.0], [2.0, 0.0]])
    >>> [on_pixel_edges(Polygon(ring), (4, 4)) for ring in (square, square[:3], square + 0.5, square + 3)]
    [True, False, False, False]
    """
    inside = (polygon.outer >= 0).all() and (polygon.outer <= shape).all()
    rings = (polygon.outer, *polygon.holes)
    return bool(inside) and all((one == np.floor(one)).all() and (one == np.roll(one, 1, axis=0)).any(axis=1).all() for one in rings)
