"""Watershed: flood from markers until the floods meet."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.events import warn
from microtome.core.explain import explain, listening
from microtome.core.kernels.bands import in_bands
from microtome.core.kernels.basins import PIECES_AT_ONCE, basins, boxes, flood_pieces, join, objects_from, steps_around
from microtome.core.kernels.components import Connectivity, label, renumber
from microtome.core.kernels.distance import distance
from microtome.core.parameters import Length
from microtome.core.raster import Image, InstanceMap, Raster, SemanticMap
from microtome.core.step import step
from microtome.core.tiling import Whole

__all__ = ["watershed"]

Mask = SemanticMap | InstanceMap


@step(tiling=Whole("a flood may come from anywhere; inside a mask, split_touching is the same flood and can be tiled"))
def watershed(
    image: Image | None = None,
    mask: SemanticMap | InstanceMap | None = None,
    markers: SemanticMap | InstanceMap | None = None,
    *,
    on: Literal["distance", "gradient", "image"] = "distance",
    min_distance: Annotated[float, Length(min=0, search=(3, 40))] = 10,
    h: Annotated[float, Length(min=0, search=(0, 3))] = 0,
    line: bool = False,
    connectivity: Connectivity = "faces",
) -> InstanceMap:
    """Give every pixel to the marker whose flood reaches it first.

    Parameters
    ----------
    image : Image, axes yx or zyx, optional
        Needed for `on` "gradient" and "image".
    mask : SemanticMap or InstanceMap, optional
        Only its foreground is flooded; needed for `on` "distance". Without it, the whole picture is.
    markers : SemanticMap or InstanceMap, optional
        Where floods begin. Each value above 0 is one flood and the number of its object. Without them, the lowest points
        that are `min_distance` apart are taken.
    on : "distance" (default), "gradient" or "image"
        The relief: the depth inside the mask, deepest first (splits what touches); the steepness of the image, flattest
        first (outlines what differs); or the image itself, darkest first (follows bright borders, such as membranes).
    min_distance : length, in pixels of the finest axis or with a unit ("5 um")
        For automatic markers.
    h : length
        On the distance, joins parts whose depth rises less than this above the waist between them.
    line : bool
        Leave the pixels where two floods meet as background.
    connectivity : "faces" (default) or "full"
        Whether a flood also goes across corners.

    Returns
    -------
    InstanceMap
        With the markers' numbers, or, with automatic markers, numbered in raster order.

    Raises
    ------
    InputError
        If the relief asked for has no image or no mask, shapes differ, or no marker lies where it could flood.

    Notes
    -----
    Lowest first, and first come first served within a level: pixel for pixel what scikit-image's `watershed` gives, with
    lines and without. A connected piece of the mask without a marker becomes an object of its own, and
    a warning says how many did. Levels are compared as float32.

    References
    ----------
    F. Meyer, Topographic distance and watershed lines, Signal Processing 38(1), 1994, 113-125,
    doi:10.1016/0165-1684(94)90060-4.

    Examples
    --------
    >>> relief = np.array([[3, 1, 2, 5, 2, 0, 4]], np.uint8)
    >>> markers = np.array([[0, 1, 0, 0, 0, 2, 0]])
    >>> watershed(relief, markers=markers, on="image").pixels.tolist()
    [[1, 1, 1, 2, 2, 2, 2]]
    """
    like = _check(image, mask, markers, on)
    inside = _inside(mask, like.shape)
    heights = _heights(image, inside, on, like.aspect)
    pieces, count = label(inside, connectivity)
    full = connectivity == "full"
    if listening():
        explain("map", f"The relief that is flooded, {'deepest' if on == 'distance' else 'lowest'} places first.", values=heights)
    if markers is not None:
        return InstanceMap(_from_markers(heights, pieces, count, markers, full, line), **like.geometry())
    found = basins(heights, pieces, count, min_distance=min_distance, aspect=like.aspect, full=full, line=line)
    one_each = np.arange(len(found.heights) + 1, dtype=np.int32)
    table = objects_from(found, join(found, heights, h=h, neck=1) if h and on == "distance" else one_each)
    return InstanceMap(renumber(found.labels, table), **like.geometry())


def _check(image: Image | None, mask: Mask | None, markers: Mask | None, on: str) -> Raster:
    given: dict[str, Raster | None] = {"image": image, "mask": mask, "markers": markers}
    needed = "mask" if on == "distance" else "image"
    if given[needed] is None:
        raise InputError(f"watershed: on: {on} needs the {needed}; name it (in a recipe, from: {{{needed}: ...}})")
    shapes = {name: noun.shape for name, noun in given.items() if noun is not None}
    if len(set(shapes.values())) > 1:
        raise InputError(f"watershed: its inputs differ in size: {', '.join(f'{name} {shape}' for name, shape in shapes.items())}")
    return next(noun for noun in given.values() if noun is not None)


def _inside(mask: Mask | None, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    if mask is None:
        return np.ones(shape, bool)
    return mask.foreground() if isinstance(mask, SemanticMap) else mask.pixels > 0


def _heights(image: Image | None, inside: NDArray[np.bool_], on: str, aspect: tuple[float, ...]) -> NDArray[np.float32]:
    """The relief upside down, since floods begin at the highest."""
    if on == "distance" or image is None:
        return distance(inside, aspect)
    if on == "image":
        return -image.pixels.astype(np.float32)
    from scipy import ndimage

    pixels = image.pixels.astype(np.float32)
    steepness = np.zeros(pixels.shape, np.float32)
    for axis in range(pixels.ndim):
        steepness += np.square(ndimage.sobel(pixels, axis) / np.float32(aspect[axis]))
    return -np.sqrt(steepness)


def _from_markers(
    heights: NDArray[np.float32], pieces: NDArray[np.int32], count: int, markers: Mask, full: bool, line: bool
) -> NDArray[np.int32]:
    out = np.where(pieces > 0, markers.pixels, 0).astype(np.int32)
    lost = len(np.setdiff1d(markers.pixels, out))
    if lost:
        warn(f"watershed: {lost} of the markers lie outside the mask and flood nothing")
    marked = np.zeros(count + 1, bool)
    marked[pieces[out > 0]] = True
    marked[0] = True
    if not out.any():
        raise InputError("watershed: no marker lies inside the mask; nothing could be flooded")
    unmarked = np.flatnonzero(~marked)
    if len(unmarked):
        warn(f"watershed: {len(unmarked)} pieces of the mask hold no marker; each becomes an object of its own")
        numbers = np.zeros(count + 1, np.int32)
        numbers[unmarked] = int(markers.pixels.max()) + 1 + np.arange(len(unmarked))
        out += numbers[pieces]
    volume, numbered, flooded = (array[None] if array.ndim == 2 else array for array in (heights, pieces, out))
    around, boxed = steps_around(heights.ndim, full=full), boxes(pieces, count)

    def work(first: int, past: int) -> Any:
        return flood_pieces(volume, numbered, boxed, first, past, around, line, flooded)

    in_bands(work, count, PIECES_AT_ONCE)
    return np.maximum(out, 0)
