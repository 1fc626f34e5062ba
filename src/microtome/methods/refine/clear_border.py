"""Remove objects that the image's frame may have cut."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from microtome.core.parameters import Range
from microtome.core.raster import InstanceMap, SemanticMap
from microtome.core.step import step
from microtome.core.tiling import Whole
from microtome.methods.refine._survivors import keep, numbered

__all__ = ["clear_border"]


@step(tiling=Whole("a tile's border is not the image's"), channels="refused")
def clear_border(
    mask: SemanticMap | InstanceMap, *, buffer: Annotated[int, Range(0, unit="px", search=(0, 10))] = 0
) -> SemanticMap | InstanceMap:
    """Remove every object that touches the frame.

    Parameters
    ----------
    mask : SemanticMap or InstanceMap, axes yx or zyx
        The objects of a SemanticMap are the connected pieces (8 or 26 neighbours) of its foreground. In a volume the
        first and the last plane belong to the frame.
    buffer : int, in pixels
        Objects that come this near to the frame go as well: 0 removes those with a pixel in the outermost row or
        column, 1 those with one in the outermost two.

    Returns
    -------
    SemanticMap or InstanceMap
        As given, with what was removed as background. Numbers, classes and scores of the others do not change.

    Examples
    --------
    >>> clear_border(np.array([[1, 0, 0], [0, 2, 0], [0, 0, 0]], np.int32)).pixels.tolist()
    [[0, 0, 0], [0, 2, 0], [0, 0, 0]]
    """
    objects = numbered(mask)
    stays = np.ones(objects.count + 1, bool)
    for axis in range(mask.ndim):
        across = np.moveaxis(objects.labels, axis, 0)
        stays[across[: buffer + 1]] = False
        stays[across[-buffer - 1 :]] = False
    return keep(mask, objects, stays)
