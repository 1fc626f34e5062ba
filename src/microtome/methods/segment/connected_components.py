"""Connected components: a mask's touching pixels become objects."""

from __future__ import annotations

from microtome.core.kernels.components import Connectivity, objects_of
from microtome.core.raster import InstanceMap, SemanticMap
from microtome.core.step import step
from microtome.core.tiling import Mergeable

__all__ = ["connected_components"]


@step(tiling=Mergeable("faces"), channels="refused")
def connected_components(mask: SemanticMap | InstanceMap, *, connectivity: Connectivity = "full") -> InstanceMap:
    """Make an object of every connected piece of the mask.

    Parameters
    ----------
    mask : SemanticMap or InstanceMap, axes yx or zyx
        Background and ignored classes belong to no object. Classes are kept apart, and so are objects: an object in two
        pieces becomes two.
    connectivity : "full" (default) or "faces"
        Whether pixels that share only a corner or an edge touch: 8 neighbours in 2-D and 26 in 3-D, or 4 and 6.

    Returns
    -------
    InstanceMap
        Numbered 1, 2, ... in raster order of each object's first pixel. Where the mask has several classes,
        `object_class` says which each object is of; an InstanceMap's classes and scores pass to the pieces.

    Notes
    -----
    Libraries differ: `scipy.ndimage.label` joins only across sides and takes different values for one.

    References
    ----------
    A. Rosenfeld and J. L. Pfaltz, Journal of the ACM 13(4), 1966, 471-494, doi:10.1145/321356.321357.

    Examples
    --------
    >>> cross = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1]], bool)
    >>> len(connected_components(cross)), len(connected_components(cross, connectivity="faces"))
    (1, 5)
    """
    pieces = objects_of(mask, connectivity)
    return InstanceMap(pieces.labels, **mask.geometry(), **pieces.inherited(mask))
