"""How near a region comes to a disc or a ball.

None is held below 1: a staircase's boundary is estimated, and a few pixels may come out rounder than a disc.
Sources: E. P. Cox, Journal of Paleontology 1 (1927) 179-183 (circularity); ISO 9276-6:2008 (roundness); H. Wadell, Journal of
Geology 43 (1935) 250-280 (sphericity). `compactness` is left out: it names four different ratios.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from microtome.measure.regions.measurement import Column, Columns, Measurement

if TYPE_CHECKING:
    from microtome.measure.regions.regions import Regions

__all__ = ["CIRCULARITY", "ROUNDNESS", "SPHERICITY"]


def _circularity(regions: Regions) -> Columns:
    return {"circularity": Column(4 * math.pi * regions.counts * math.prod(regions.aspect) / regions.boundary**2)}


def _roundness(regions: Regions) -> Columns:
    longest = regions.calipers[:, 0]
    return {"roundness": Column(4 * regions.counts * math.prod(regions.aspect) / (math.pi * longest**2))}


def _sphericity(regions: Regions) -> Columns:
    volume = regions.counts * math.prod(regions.aspect)
    return {"sphericity": Column(np.cbrt(math.pi) * np.cbrt(6 * volume) ** 2 / regions.boundary)}


CIRCULARITY = Measurement(
    "circularity", "4 pi area / perimeter^2 (Crofton's perimeter, holes included): 1 for a disc.", "", _circularity, ndim=2
)
ROUNDNESS = Measurement(
    "roundness",
    "4 area / (pi feret_max^2): the share of the disc around the greatest caliper width that is filled.",
    "",
    _roundness,
    ndim=2,
)
SPHERICITY = Measurement("sphericity", "Surface of the ball of the same volume over the surface: 1 for a ball.", "", _sphericity, ndim=3)
