"""Caliper widths (Feret's diameters): how far apart two parallel lines are that hold a region between them.

Source: ISO 9276-6:2008, 8.2; L. R. Feret, Association internationale pour l'essai des materiaux 2 (1931), group D.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from microtome.measure.regions.measurement import Column, Columns, Measurement, lengths

if TYPE_CHECKING:
    from microtome.measure.regions.regions import Regions

__all__ = ["FERET_ANGLE", "FERET_MAX", "FERET_MIN"]


def _max(regions: Regions) -> Columns:
    return lengths("feret_max", regions.calipers[:, 0], regions)


def _min(regions: Regions) -> Columns:
    return lengths("feret_min", regions.calipers[:, 1], regions)


def _angle(regions: Regions) -> Columns:
    return {"feret_angle_rad": Column(regions.calipers[:, 2], "rad")}


FERET_MAX = Measurement("feret_max", "Greatest caliper width: the longest distance between two corners of the convex hull.", "px, um", _max)
FERET_MIN = Measurement("feret_min", "Least caliper width of the convex hull, over all directions.", "px, um", _min, ndim=2)
FERET_ANGLE = Measurement(
    "feret_angle",
    "Angle from the y axis towards the x axis to the line of the greatest caliper width, from -pi/2 to pi/2; the least of several.",
    "rad",
    _angle,
    ndim=2,
)
