"""The size of a region as the diameter of a disc or a ball."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from microtome.measure.regions.measurement import Columns, Measurement, lengths

if TYPE_CHECKING:
    from microtome.measure.regions.regions import Regions

__all__ = ["EQUIVALENT_DIAMETER"]


def _columns(regions: Regions) -> Columns:
    size = regions.counts * math.prod(regions.aspect)
    diameter = (4 / math.pi * size) ** (1 / 2) if regions.ndim == 2 else (6 / math.pi * size) ** (1 / 3)
    return lengths("equivalent_diameter", diameter, regions)


EQUIVALENT_DIAMETER = Measurement(
    "equivalent_diameter", "Diameter of the disc (in a volume, the ball) of the region's size.", "px, um", _columns
)
