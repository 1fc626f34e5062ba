"""How many pixels a region has, and the area or volume they cover."""

from __future__ import annotations

from typing import TYPE_CHECKING

from microtome.measure.regions.measurement import Columns, Measurement, sizes

if TYPE_CHECKING:
    from microtome.measure.regions.regions import Regions

__all__ = ["AREA", "VOLUME"]


def _columns(regions: Regions) -> Columns:
    return sizes("area" if regions.ndim == 2 else "volume", regions.counts, regions)


AREA = Measurement("area", "Number of pixels; times the area of a pixel.", "px, um2", _columns, ndim=2, otherwise="volume")
VOLUME = Measurement("volume", "Number of voxels; times the volume of a voxel.", "px, um3", _columns, ndim=3, otherwise="area")
