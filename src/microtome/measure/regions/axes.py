"""The ellipse (in a volume, the ellipsoid) with a region's second moments: how long, how stretched, which way it points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from microtome.measure.regions.measurement import Column, Columns, Measurement, lengths

if TYPE_CHECKING:
    from microtome.measure.regions.regions import Regions

__all__ = ["ASPECT_RATIO", "ECCENTRICITY", "MAJOR_AXIS", "MIDDLE_AXIS", "MINOR_AXIS", "ORIENTATION", "variances"]


def variances(regions: Regions) -> NDArray[np.float64]:
    """Variance along the principal axes, shortest first, shape (R, ndim)."""
    covariances = regions.covariances
    if regions.ndim == 3:
        return np.maximum(np.linalg.eigvalsh(covariances), 0)
    yy, xx, yx = covariances[:, 0, 0], covariances[:, 1, 1], covariances[:, 0, 1]
    long = (yy + xx) / 2 + np.hypot((yy - xx) / 2, yx)
    short = np.maximum(yy * xx - yx * yx, 0) / np.where(long > 0, long, 1)  # by the determinant: a straight line gives 0
    return np.stack([np.minimum(short, long), long], axis=1)


def _axis(which: int, name: str, regions: Regions) -> Columns:
    """A full axis: a solid ellipse's variance along an axis of length d is d squared / 16, an ellipsoid's / 20."""
    return lengths(name, np.sqrt((16 if regions.ndim == 2 else 20) * variances(regions)[:, which]), regions)


def _major(regions: Regions) -> Columns:
    return _axis(-1, "major_axis", regions)


def _middle(regions: Regions) -> Columns:
    return _axis(1, "middle_axis", regions)


def _minor(regions: Regions) -> Columns:
    return _axis(0, "minor_axis", regions)


def _eccentricity(regions: Regions) -> Columns:
    short, long = variances(regions)[:, 0], variances(regions)[:, -1]
    return {"eccentricity": Column(np.sqrt(np.where(long > 0, 1 - short / np.where(long > 0, long, 1), 0)))}


def _aspect_ratio(regions: Regions) -> Columns:
    short, long = variances(regions)[:, 0], variances(regions)[:, -1]
    wide = short > 1e-12 * long  # less is rounding: the region is a line (in a volume, a plane)
    return {"aspect_ratio": Column(np.sqrt(np.where(wide, long / np.where(wide, short, 1), np.nan)))}


def _orientation(regions: Regions) -> Columns:
    return _direction(regions) if regions.ndim == 3 else _angle(regions)


def _angle(regions: Regions) -> Columns:
    yy, xx, yx = (regions.covariances[:, i, j] for i, j in ((0, 0), (1, 1), (0, 1)))
    angle = np.arctan2(2 * yx, yy - xx) / 2
    return {"orientation_rad": Column(np.where((yx == 0) & (yy == xx), np.nan, angle), "rad")}


def _direction(regions: Regions) -> Columns:
    along, vectors = np.linalg.eigh(regions.covariances)
    longest = vectors[:, :, 2]
    largest = np.take_along_axis(longest, np.abs(longest).argmax(axis=1)[:, None], axis=1)
    longest = np.where((along[:, 2] > along[:, 1])[:, None], longest * np.sign(largest), np.nan)
    return {f"orientation_{axis}": Column(longest[:, k]) for k, axis in enumerate(regions.names)}


MAJOR_AXIS = Measurement(
    "major_axis", "Full length of the longest axis of the ellipse (ellipsoid) with the region's second moments.", "px, um", _major
)
MIDDLE_AXIS = Measurement(
    "middle_axis",
    "Full length of the middle axis of the ellipsoid with the region's second moments; volumes only.",
    "px, um",
    _middle,
    ndim=3,
)
MINOR_AXIS = Measurement(
    "minor_axis", "Full length of the shortest axis of the ellipse (ellipsoid) with the region's second moments.", "px, um", _minor
)
ECCENTRICITY = Measurement(
    "eccentricity", "sqrt(1 - (minor axis / major axis)^2): 0 for a disc, near 1 for a line, 0 for a single pixel.", "", _eccentricity
)
ASPECT_RATIO = Measurement(
    "aspect_ratio", "Major axis / minor axis (the longest over the shortest); empty where the minor axis has no length.", "", _aspect_ratio
)
ORIENTATION = Measurement(
    "orientation",
    "Angle from the y axis towards the x axis to the major axis, from -pi/2 to pi/2 (in a volume: the unit vector along it); "
    "empty where no axis is the longest.",
    "rad",
    _orientation,
)
