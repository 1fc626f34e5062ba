"""How far a region is from convex."""

from __future__ import annotations

from typing import TYPE_CHECKING

from microtome.measure.regions.measurement import Column, Columns, Measurement, sizes

if TYPE_CHECKING:
    from microtome.measure.regions.regions import Regions

__all__ = ["CONVEX_AREA", "CONVEX_VOLUME", "SOLIDITY"]


def _size(regions: Regions) -> Columns:
    return sizes("convex_area" if regions.ndim == 2 else "convex_volume", regions.hulls.pixels, regions)


def _solidity(regions: Regions) -> Columns:
    return {"solidity": Column(regions.counts / regions.hulls.pixels)}


CONVEX_AREA = Measurement(
    "convex_area",
    "Number of pixels whose centre lies in the convex hull (of the middles of the region's pixels' sides); times the area of a pixel.",
    "px, um2",
    _size,
    ndim=2,
    otherwise="convex_volume",
)
CONVEX_VOLUME = Measurement(
    "convex_volume",
    "Number of voxels whose centre lies in the convex hull (of the middles of the region's voxels' faces); times the volume of a voxel.",
    "px, um3",
    _size,
    ndim=3,
    otherwise="convex_area",
)
SOLIDITY = Measurement("solidity", "Area over convex area (volume over convex volume): 1 for a convex region.", "", _solidity)
