"""How thick a region is where it is thickest."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from microtome.core.kernels.bands import in_bands
from microtome.measure.regions.measurement import Columns, Measurement, lengths

if TYPE_CHECKING:
    from microtome.measure.regions.regions import Regions

__all__ = ["INSCRIBED_RADIUS"]


def _columns(regions: Regions) -> Columns:
    from microtome.core.kernels.distance import squared_distance  # brings numba
    from microtome.measure.regions import _paint

    lead = regions.ndim - 2
    canvas = np.zeros([n + 2 for n in regions.mask.shape], np.int32)
    planes = canvas.reshape((-1, *canvas.shape[-2:]))
    _paint.paint(regions.runs, regions.slots, regions.height, lead, planes)
    squared = squared_distance(canvas, regions.aspect).reshape(planes.shape)
    greatest = np.zeros(len(regions))
    in_bands(partial(_paint.greatest, *regions.grouped, regions.height, lead, squared, greatest), len(regions), 64)
    return lengths("inscribed_radius", np.sqrt(greatest), regions)


INSCRIBED_RADIUS = Measurement(
    "inscribed_radius",
    "Greatest distance from one of its pixel centres to the nearest pixel centre outside it; beyond the image's border all is outside.",
    "px, um",
    _columns,
)
