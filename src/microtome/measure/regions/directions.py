"""The directions lines are drawn in to measure boundaries, and what a line's crossing is worth in each.

Crofton's formula: the length of a curve is pi times the mean, over all directions, of how often a unit's width of
parallel lines leaves it; the area of a surface is 4 times the same mean. On a grid there are 4 directions (13 in a
volume): each stands for the directions nearest to it, and its lines lie as far apart as the spacing makes them.
Source: Legland, Kieu and Devaux, Image Analysis & Stereology 26 (2007) 83-92, here for any spacing.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["Directions", "directions"]


@dataclass(frozen=True, eq=False)
class Directions:
    """Steps (dz, dy, dx) to neighbours, one of each opposite pair, and the boundary one exit by each step stands for."""

    steps: NDArray[np.int64]
    weights: NDArray[np.float64]


@cache
def directions(aspect: tuple[float, ...]) -> Directions:
    """The directions of a grid with this aspect; weights in pixels of the finest axis (to the power ndim - 1).

    Examples
    --------
    >>> by = directions((1.0, 1.0))
    >>> by.steps[:, 1:].tolist()
    [[0, 1], [1, -1], [1, 0], [1, 1]]
    >>> [round(float(weight), 4) for weight in by.weights]  # pi / 4, and / sqrt(2) along diagonals
    [0.7854, 0.5554, 0.7854, 0.5554]
    """
    ndim = len(aspect)
    grid = [step for step in itertools.product((-1, 0, 1), repeat=ndim) if step > (0,) * ndim]
    vectors = np.array(grid) * np.array(aspect)
    reach = np.linalg.norm(vectors, axis=1)
    shares = (_shares_of_circle if ndim == 2 else _shares_of_sphere)(vectors / reach[:, None])
    apart = math.prod(aspect) / reach
    steps = np.array([(0,) * (3 - ndim) + step for step in grid], np.int64)
    return Directions(steps, (math.pi if ndim == 2 else 4.0) * shares * apart)


def _shares_of_circle(units: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of all directions that lie nearer to each of these lines than to another."""
    angles = np.arctan2(units[:, 0], units[:, 1]) % math.pi
    order = np.argsort(angles)
    gaps = np.diff(angles[order], append=angles[order[0]] + math.pi)
    shares = np.empty(len(units))
    shares[order] = (gaps + np.roll(gaps, 1)) / (2 * math.pi)
    return shares


def _shares_of_sphere(units: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same on the sphere: areas of the Voronoi cells around both ends of each line."""
    from scipy.spatial import SphericalVoronoi  # a slow import that only volumes need

    areas = SphericalVoronoi(np.concatenate([units, -units])).calculate_areas()
    both: Sequence[NDArray[np.float64]] = np.split(areas, 2)
    return (both[0] + both[1]) / (4 * math.pi)
