"""How many pixels a region has, and the area or volume they cover."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from microtome.measure.regions.measurement import Column, Columns, Measurement

if TYPE_CHECKING:
    from microtome.measure.regions.regions import Regions

__all__ = ["AREA", "VOLUME"]


def _columns(regions: Regions) -> Columns:
    name = "area" if regions.ndim == 2 else "volume"
    columns = {f"{name}_px": Column(regions.counts, "px")}
    if regions.unit:
        unit = f"{regions.unit}{regions.ndim}"
        columns[f"{name}_{unit}"] = Column(regions.counts * math.prod(regions.spacing), unit)
    return columns


AREA = Measurement("area", "Number of pixels; times the area of a pixel.", "px, um2", _columns, ndim=2, otherwise="volume")
VOLUME = Measurement("volume", "Number of voxels; times the volume of a voxel.", "px, um3", _columns, ndim=3, otherwise="area")
