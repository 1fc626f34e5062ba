"""Rings that a file gives without saying which are holes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from microtome.core.outlines import Polygon

__all__ = ["bounds", "nested"]

Ring = NDArray[np.float64]


def bounds(rings: Sequence[Ring]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The least and the greatest of each coordinate."""
    points = np.concatenate(rings)
    return points.min(axis=0), points.max(axis=0)


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
    area = np.array([abs(_doubled_area(ring)) for ring in rings])
    low, high = (np.array([edge(ring, axis=0) for ring in rings]) for edge in (np.min, np.max))
    around: list[list[int]] = []
    for n, ring in enumerate(rings):
        larger = np.flatnonzero((area > area[n]) & (low <= low[n]).all(axis=1) & (high >= high[n]).all(axis=1))
        around.append([int(k) for k in larger if _within(ring, rings[k])])
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
