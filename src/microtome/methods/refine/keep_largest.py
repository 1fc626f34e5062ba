"""Keep only the largest objects."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from microtome.core.events import warn
from microtome.core.kernels.components import areas
from microtome.core.parameters import Range
from microtome.core.raster import InstanceMap, SemanticMap
from microtome.core.step import step
from microtome.core.tiling import Whole
from microtome.methods.refine._survivors import keep, numbered

__all__ = ["keep_largest"]


@step(tiling=Whole("the largest object is known only once all are"), channels="refused")
def keep_largest(mask: SemanticMap | InstanceMap, *, count: Annotated[int, Range(1, search=(1, 5))] = 1) -> SemanticMap | InstanceMap:
    """Remove every object but the `count` largest.

    Parameters
    ----------
    mask : SemanticMap or InstanceMap, axes yx or zyx
        The objects of a SemanticMap are the connected pieces (8 or 26 neighbours) of its foreground.
    count : int
        How many stay, by area in pixels. Of equal areas the one with the lower number, or, in a SemanticMap, the one
        that comes first in raster order.

    Returns
    -------
    SemanticMap or InstanceMap
        As given, with what was removed as background. Numbers, classes and scores of the others do not change.

    Warns
    -----
    MicrotomeWarning
        If there are fewer than `count` objects: all stay.

    Examples
    --------
    >>> keep_largest(np.array([[1, 0, 2, 2]], np.int32)).pixels.tolist()
    [[0, 0, 2, 2]]
    """
    objects = numbered(mask)
    if objects.count < count:
        warn(f"keep_largest: {objects.count} objects where {count} were to be kept")
    sizes = areas(objects.labels, objects.count)[1:]
    largest = np.argsort(-sizes, kind="stable")[:count] + 1
    return keep(mask, objects, np.isin(np.arange(objects.count + 1), largest))
