"""The area of a volume's surface."""

from __future__ import annotations

from typing import TYPE_CHECKING

from microtome.measure.regions.measurement import Columns, Measurement, lengths

if TYPE_CHECKING:
    from microtome.measure.regions.regions import Regions

__all__ = ["SURFACE"]


def _columns(regions: Regions) -> Columns:
    return lengths("surface", regions.boundary, regions, power=2)


SURFACE = Measurement(
    "surface",
    "Area of the boundary, cavities included, by Crofton's formula: 4 times the mean shadow over 13 directions, each way out counted.",
    "px2, um2",
    _columns,
    ndim=3,
    otherwise="perimeter",
)
