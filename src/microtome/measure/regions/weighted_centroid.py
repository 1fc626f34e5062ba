"""Where a region's brightness lies on average."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from microtome.core.kernels.bands import in_bands
from microtome.measure.regions.measurement import Columns, Measurement, places

if TYPE_CHECKING:
    from microtome.measure.regions.regions import Regions

__all__ = ["WEIGHTED_CENTROID"]


def _columns(regions: Regions) -> Columns:
    from microtome.measure.regions import _distribution  # brings numba

    columns: Columns = {}
    first = regions.boxes[0]
    low = np.ascontiguousarray(np.pad(first, ((0, 0), (3 - regions.ndim, 0))))
    for channel, name in regions.channels.items():
        sums = np.zeros((len(regions), 4))
        in_bands(partial(_distribution.weights, regions.values, channel, *regions.grouped, regions.height, low, sums), len(regions), 256)
        total = np.where(sums[:, 0] == 0, np.nan, sums[:, 0])
        columns |= places(f"weighted_centroid{name}", first + sums[:, -regions.ndim :] / total[:, None], regions)
    return columns


WEIGHTED_CENTROID = Measurement(
    "weighted_centroid",
    "Mean place of the region's pixel centres, each weighed by the image's value there; empty where the values' sum is 0.",
    "px, um",
    _columns,
    needs_image=True,
)
