"""In how many parts a region is, and how many holes are in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from microtome.measure.regions.measurement import Column, Columns, Measurement

if TYPE_CHECKING:
    from microtome.measure.regions.regions import Regions

__all__ = ["EULER", "HOLES"]


def _euler(regions: Regions) -> Columns:
    return {"euler": Column(regions.topology[:, 0])}


def _holes(regions: Regions) -> Columns:
    return {"holes": Column(regions.topology[:, 1])}


EULER = Measurement(
    "euler",
    "Euler number: parts less holes (in a volume: parts less tunnels, plus cavities). A corner connects the region's pixels, "
    "a side the outside's (8 and 4 neighbours; 26 and 6).",
    "",
    _euler,
)
HOLES = Measurement(
    "holes", "Number of holes: parts of the outside, connected by sides, that the region shuts in; what lies in them counts as outside.",
    "", _holes, ndim=2,
)  # fmt: skip
