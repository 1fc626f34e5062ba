"""Where a region lies on average."""

from __future__ import annotations

from typing import TYPE_CHECKING

from microtome.measure.regions.measurement import Columns, Measurement, places

if TYPE_CHECKING:
    from microtome.measure.regions.regions import Regions

__all__ = ["CENTROID"]


def _columns(regions: Regions) -> Columns:
    return places("centroid", regions.centroids, regions)


CENTROID = Measurement(
    "centroid", "Mean place of the region's pixel centres; the centre of the image's first pixel is 0.", "px, um", _columns
)
