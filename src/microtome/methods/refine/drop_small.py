"""Remove what is too small to be an object."""

from __future__ import annotations

from typing import Annotated

from microtome.core.kernels.components import areas
from microtome.core.parameters import Range
from microtome.core.raster import InstanceMap, SemanticMap
from microtome.core.step import step
from microtome.core.tiling import Mergeable
from microtome.methods.refine._survivors import keep, numbered

__all__ = ["drop_small"]


@step(tiling=Mergeable("component"), channels="refused")
def drop_small(
    mask: SemanticMap | InstanceMap, *, min_area: Annotated[int, Range(1, unit="px", search=(5, 500), log=True)] = 30
) -> SemanticMap | InstanceMap:
    """Remove every object of fewer than `min_area` pixels.

    Parameters
    ----------
    mask : SemanticMap or InstanceMap, axes yx or zyx
        The objects of a SemanticMap are the connected pieces (8 or 26 neighbours) of its foreground.
    min_area : int, in pixels (voxels in 3-D)
        The smallest area that stays.

    Returns
    -------
    SemanticMap or InstanceMap
        As given, with what was removed as background. Numbers, classes and scores of the others do not change.

    Notes
    -----
    Areas below `min_area` go; scikit-image's `remove_small_objects(max_size=n)` removes areas up to n.

    Examples
    --------
    >>> drop_small(np.array([[1, 0, 2, 2]], np.int32), min_area=2).pixels.tolist()
    [[0, 0, 2, 2]]
    """
    objects = numbered(mask)
    return keep(mask, objects, areas(objects.labels, objects.count) >= min_area)
