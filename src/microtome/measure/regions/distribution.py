"""How a region's intensities are spread, channel by channel.

As for the other intensities, a region that holds a NaN has NaN for all of these.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.kernels.bands import in_bands
from microtome.measure.regions.intensity import channels_of, unless_nan
from microtome.measure.regions.measurement import Column, Columns, Measurement

if TYPE_CHECKING:
    from microtome.measure.regions.regions import Regions

__all__ = ["KURTOSIS", "MAD", "PERCENTILES", "SKEWNESS"]


def _percentile(percent: int, regions: Regions) -> Columns:
    columns: Columns = {}
    starts = regions.segments
    for name, values in zip(regions.channels.values(), regions.sorted_values, strict=True):
        columns[f"p{percent:02d}_intensity{name}"] = Column(_between(values, starts, percent / 100))
    return columns


def _between(values: NDArray[Any], starts: NDArray[np.int64], share: float) -> NDArray[np.float64]:
    """The value at a share of the way through each sorted segment, between two of them in proportion; a NaN is sorted last."""
    place = share * (np.diff(starts) - 1)
    below = np.floor(place).astype(np.int64)
    low = values[starts[:-1] + below].astype(np.float64)
    high = values[starts[:-1] + np.ceil(place).astype(np.int64)].astype(np.float64)
    found = np.where(low == high, low, low + (high - low) * (place - below))
    return np.where(np.isnan(values[starts[1:] - 1]), np.nan, found)


def _mad(regions: Regions) -> Columns:
    from microtome.measure.regions import _distribution  # brings numba

    columns: Columns = {}
    for (name, stats), values, medians in zip(channels_of(regions), regions.sorted_values, regions.medians, strict=True):
        apart = np.empty(len(regions))
        in_bands(partial(_distribution.deviations, values, regions.segments, medians, apart), len(regions), 256)
        columns[f"mad_intensity{name}"] = Column(unless_nan(apart, stats))
    return columns


def _skewness(regions: Regions) -> Columns:
    columns: Columns = {}
    for (name, stats), powers in zip(channels_of(regions), regions.deviation_powers, strict=True):
        second, third, _ = (powers / stats[:, :1]).T
        columns[f"skewness_intensity{name}"] = Column(np.where(second > 0, third / np.where(second > 0, second, 1) ** 1.5, np.nan))
    return columns


def _kurtosis(regions: Regions) -> Columns:
    columns: Columns = {}
    for (name, stats), powers in zip(channels_of(regions), regions.deviation_powers, strict=True):
        second, _, fourth = (powers / stats[:, :1]).T
        columns[f"kurtosis_intensity{name}"] = Column(np.where(second > 0, fourth / np.where(second > 0, second, 1) ** 2 - 3, np.nan))
    return columns


def _of_percent(percent: int) -> Measurement:
    return Measurement(
        f"p{percent:02d}_intensity",
        f"The value that {percent} % of the image's values in the region lie below; between two values, in proportion.",
        "",
        partial(_percentile, percent),
        needs_image=True,
    )


PERCENTILES = tuple(_of_percent(percent) for percent in (5, 25, 75, 95))
MAD = Measurement(
    "mad_intensity", "Median distance of the image's values in the region from their median; not scaled.", "", _mad, needs_image=True
)
SKEWNESS = Measurement(
    "skewness_intensity", "Third central moment of the image's values in the region over their standard deviation cubed; "
    "empty where all are equal.", "", _skewness, needs_image=True,
)  # fmt: skip
KURTOSIS = Measurement(
    "kurtosis_intensity", "Fourth central moment of the image's values in the region over their variance squared, less 3; "
    "empty where all are equal.", "", _kurtosis, needs_image=True,
)  # fmt: skip
