"""Where a region lies on average."""

from __future__ import annotations

from typing import TYPE_CHECKING

from microtome.measure.regions.measurement import Column, Columns, Measurement

if TYPE_CHECKING:
    from microtome.measure.regions.regions import Regions

__all__ = ["CENTROID"]


def _columns(regions: Regions) -> Columns:
    columns = {}
    centres = regions.centroids
    for k, axis in enumerate(regions.names):
        columns[f"centroid_{axis}_px"] = Column(centres[:, k], "px")
    for k, axis in enumerate(regions.names if regions.unit else ""):
        columns[f"centroid_{axis}_{regions.unit}"] = Column(centres[:, k] * regions.spacing[k], regions.unit)
    return columns


CENTROID = Measurement(
    "centroid", "Mean place of the region's pixel centres; the centre of the image's first pixel is 0.", "px, um", _columns
)
