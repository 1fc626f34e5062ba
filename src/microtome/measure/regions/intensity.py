"""How bright a region is, channel by channel.

A region that holds a NaN has NaN for all of these; the other regions are not touched by it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from microtome.measure.regions.measurement import Column, Columns, Measurement

if TYPE_CHECKING:
    from microtome.measure.regions.regions import Regions

__all__ = ["MAX", "MEAN", "MEDIAN", "MIN", "STD", "SUM", "channels_of", "unless_nan"]


def channels_of(regions: Regions) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """What is put behind each channel's columns, and its sums; see `Regions.intensities`."""
    return zip(regions.channels.values(), regions.intensities, strict=True)


def unless_nan(values: NDArray[np.float64], stats: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values, but NaN where a region's sum is."""
    return np.where(np.isnan(stats[:, 1]), np.nan, values)


def _whole(values: NDArray[np.float64], regions: Regions) -> NDArray[np.float64] | NDArray[np.int64]:
    """Sums and extremes of integers are integers, where floats hold them exactly."""
    exact = regions.whole_numbers and np.abs(values).max(initial=0) <= 1 << 53
    return values.astype(np.int64) if exact else values


def _mean(regions: Regions) -> Columns:
    return {f"mean_intensity{name}": Column(stats[:, 1] / stats[:, 0]) for name, stats in channels_of(regions)}


def _sum(regions: Regions) -> Columns:
    return {f"sum_intensity{name}": Column(_whole(stats[:, 1], regions)) for name, stats in channels_of(regions)}


def _min(regions: Regions) -> Columns:
    return {f"min_intensity{name}": Column(_whole(unless_nan(stats[:, 2], stats), regions)) for name, stats in channels_of(regions)}


def _max(regions: Regions) -> Columns:
    return {f"max_intensity{name}": Column(_whole(unless_nan(stats[:, 3], stats), regions)) for name, stats in channels_of(regions)}


def _std(regions: Regions) -> Columns:
    return {f"std_intensity{name}": Column(np.sqrt(stats[:, 4] / stats[:, 0])) for name, stats in channels_of(regions)}


def _median(regions: Regions) -> Columns:
    both = zip(channels_of(regions), regions.medians, strict=True)
    return {f"median_intensity{name}": Column(unless_nan(medians, stats)) for (name, stats), medians in both}


MEAN = Measurement("mean_intensity", "Mean of the image's values in the region.", "", _mean, needs_image=True)
SUM = Measurement("sum_intensity", "Sum of the image's values in the region.", "", _sum, needs_image=True)
MIN = Measurement("min_intensity", "Least value of the image in the region.", "", _min, needs_image=True)
MAX = Measurement("max_intensity", "Greatest value of the image in the region.", "", _max, needs_image=True)
STD = Measurement("std_intensity", "Standard deviation of the image's values in the region, divided by n.", "", _std, needs_image=True)
MEDIAN = Measurement(
    "median_intensity", "Middle value of the image in the region; of an even number, the mean of the middle two.", "", _median,
    needs_image=True,
)  # fmt: skip
