"""The length of a region's outline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from microtome.measure.regions.measurement import Columns, Measurement, lengths

if TYPE_CHECKING:
    from microtome.measure.regions.regions import Regions

__all__ = ["PERIMETER"]


def _columns(regions: Regions) -> Columns:
    return lengths("perimeter", regions.boundary, regions)


PERIMETER = Measurement(
    "perimeter",
    "Length of the boundary, holes included, by Crofton's formula: pi times the mean width over 4 directions, each way out counted.",
    "px, um",
    _columns,
    ndim=2,
    otherwise="surface",
)
