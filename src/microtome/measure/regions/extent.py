"""How much of its box a region fills."""

from __future__ import annotations

from typing import TYPE_CHECKING

from microtome.measure.regions.measurement import Column, Columns, Measurement

if TYPE_CHECKING:
    from microtome.measure.regions.regions import Regions

__all__ = ["EXTENT"]


def _columns(regions: Regions) -> Columns:
    low, past = regions.boxes
    return {"extent": Column(regions.counts / (past - low).prod(axis=1))}


EXTENT = Measurement("extent", "Area over the area of the box along the axes (volume over the box's volume).", "", _columns)
