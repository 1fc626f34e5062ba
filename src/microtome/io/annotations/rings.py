"""Rings that a file gives without saying which are holes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from microtome.core.outlines import Polygon

__all__ = ["bounds", "enough", "nested"]

Ring = NDArray[np.float64]


def bounds(rings: Sequence[Ring]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The least and the greatest of each coordinate."""
    points = np.concatenate(rings)
    return points.min(axis=0), points.max(axis=0)


def enough(polygons: Sequence[Polygon]) -> tuple[int, int]:
    """The height and width of the smallest image that holds these polygons.

    >>> enough([Polygon(np.array([[0, 0], [0, 2.5], [4, 0]]))])
    (4, 3)
    """
    if not polygons:
        return 0, 0
    bottom, right = bounds([polygon.outer for polygon in polygons])[1]
    return max(0, int(np.ceil(bottom))), max(0, int(np.ceil(right)))


def nested(rings: Sequence[Ring]) -> tuple[Polygon, ...]:
    """Polygons from rings that do not cross: what lies in an odd number of other rings is a hole of the smallest one around it.

    Examples
    --------
    >>> square = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0]])
    >>> [len(polygon.holes) for polygon in nested([9 * square, 1 + square, 20 + square])]
    [1, 0]
    """
    rings = [ring for ring in rings if len(ring) > 2]
    if len(rings) < 2:
        return tuple(Polygon(ring) for ring in rings)
    area = [abs(_doubled_area(ring)) for ring in rings]
    around = [[k for k, other in enumerate(rings) if k != n and area[k] > area[n] and _within(ring, other)] for n, ring in enumerate(rings)]
    holes: dict[int, list[Ring]] = {n: [] for n, outside in enumerate(around) if len(outside) % 2 == 0}
    for n, outside in enumerate(around):
        if len(outside) % 2:
            holes[min(outside, key=lambda k: area[k])].append(rings[n])
    return tuple(Polygon(rings[n], tuple(own)) for n, own in holes.items())


def _doubled_area(ring: Ring) -> float:
    y, x = (ring - ring[0]).T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))


def _within(ring: Ring, other: Ring) -> bool:
    """Whether a ring lies in another that it does not cross; they may touch in points, so an inner point decides."""
    y, x = _inner_point(ring)
    y0, x0 = other.T
    y1, x1 = np.roll(other, -1, axis=0).T
    cut = (y0 <= y) != (y1 <= y)
    crossing = x0[cut] + (y - y0[cut]) * (x1[cut] - x0[cut]) / (y1[cut] - y0[cut])
    return bool(np.count_nonzero(crossing < x) % 2)


def _inner_point(ring: Ring) -> tuple[float, float]:
    """A point inside a ring: on a level between two of its corners, halfway between its first two crossings."""
    levels = np.unique(ring[:, 0])
    y = float(levels[:2].mean())
    y0, x0 = ring.T
    y1, x1 = np.roll(ring, -1, axis=0).T
    cut = (y0 <= y) != (y1 <= y)
    crossings = np.sort(x0[cut] + (y - y0[cut]) * (x1[cut] - x0[cut]) / (y1[cut] - y0[cut]))
    return y, float(crossings[:2].mean()) if len(crossings) > 1 else float(x0[0])
