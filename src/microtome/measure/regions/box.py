"""The smallest box that holds a region."""

from __future__ import annotations

from typing import TYPE_CHECKING

from microtome.measure.regions.measurement import Column, Columns, Measurement

if TYPE_CHECKING:
    from microtome.measure.regions.regions import Regions

__all__ = ["BOX"]


def _columns(regions: Regions) -> Columns:
    low, past = regions.boxes
    first = {f"box_{axis}0_px": Column(low[:, k], "px") for k, axis in enumerate(regions.names)}
    return first | {f"box_{axis}1_px": Column(past[:, k], "px") for k, axis in enumerate(regions.names)}


BOX = Measurement(
    "box", "First index along each axis (box_y0, box_x0) and one past the last (box_y1, box_x1), as a slice takes them.", "px", _columns
)
