"""Split objects that touch, at their waists."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from microtome.core.explain import explain, listening
from microtome.core.kernels.basins import basins_of_peaks
from microtome.core.kernels.components import objects_of
from microtome.core.kernels.levels import levels_of_distance
from microtome.core.kernels.peaks import reach_of
from microtome.core.parameters import Length, Range
from microtome.core.raster import InstanceMap, SemanticMap
from microtome.core.step import step
from microtome.core.tiling import Mergeable

__all__ = ["split_touching"]


@step(tiling=Mergeable("component"), channels="refused")
def split_touching(
    mask: SemanticMap | InstanceMap,
    *,
    min_distance: Annotated[float, Length(1, search=(3, 30))] = 7,
    h: Annotated[float, Range(0, unit="px", search=(0, 5))] = 1,
) -> InstanceMap:
    """Cut each object apart where it is narrow between two wide parts.

    Every pixel's distance to the outside makes a mountain of each object; its peaks are markers, and a watershed from
    them cuts along the passes.

    Parameters
    ----------
    mask : SemanticMap or InstanceMap, axes yx or zyx
        Classes, and objects, are each split on their own.
    min_distance : length, in pixels or with a unit ("4 um")
        Peaks are at least this far apart along some axis. About the radius of the smallest object that may touch
        another.
    h : float, in pixels of the finest axis
        A peak this little higher than its pass to a higher peak is a bump of the same object. 0 keeps every peak.

    Returns
    -------
    InstanceMap
        Numbered in raster order of each object's first pixel. Classes and scores pass to the parts.

    Notes
    -----
    Distances are Euclidean and follow the spacing. The frame is no border: an object cut by it is as deep there as far
    as its inside reaches. Pieces that touch only at a corner are apart from the start.

    References
    ----------
    S. Beucher and F. Meyer, in: Mathematical Morphology in Image Processing, 1993, 433-481.

    Examples
    --------
    >>> y, x = np.mgrid[:24, :40]
    >>> two = ((y - 12) ** 2 + (x - 12) ** 2 < 90) | ((y - 12) ** 2 + (x - 28) ** 2 < 90)
    >>> len(split_touching(two))
    2
    """
    pieces = objects_of(mask, "faces")
    surface = levels_of_distance(pieces.labels, mask.aspect)
    parts = basins_of_peaks(
        surface, pieces.labels, pieces.count, reach=reach_of(min_distance, mask.aspect), h=h, connectivity="faces"
    )
    if listening():
        explain("map", "Distance to the outside: each peak is the middle of an object.", values=surface.value_of(surface.levels))
        marked = np.zeros(mask.shape, np.int32)
        marked.reshape(-1)[parts.markers] = np.arange(1, len(parts.markers) + 1)
        explain("markers", f"The {len(parts.markers)} peaks the watershed floods from.", labels=marked)
    return InstanceMap(parts.labels, **mask.geometry(), **pieces.of(parts.region).inherited(mask))
