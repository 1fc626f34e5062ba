"""Signed distance: how deep inside its object a pixel lies, or how far from any."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from microtome.core.classes import ClassTable
from microtome.core.explain import explain, listening
from microtome.core.kernels.distance import distance
from microtome.core.parameters import Length, Range
from microtome.core.raster import InstanceMap, ScoreMap
from microtome.core.step import step
from microtome.core.tiling import Mergeable
from microtome.targets._grow import grow, seeds_of
from microtome.targets._layers import layers_of
from microtome.targets._objects import numbered, objects
from microtome.targets.heads import Head

__all__ = ["encode", "heads", "signed_distance"]


def heads(table: ClassTable, ndim: int) -> tuple[Head, ...]:
    """One head of one channel, a number."""
    return (Head("distance", ("distance",), "none"),)


def encode(
    mask: InstanceMap,
    *,
    clip: Annotated[float, Length(above=0, search=(3, 40))] = 10,
    normalise: Literal["clip", "object", "none"] = "clip",
    half_pixel: bool = False,
) -> dict[str, NDArray[Any]]:
    """The distance to the nearest pixel of another label inside objects, minus the distance to the nearest object outside.

    Parameters
    ----------
    mask : InstanceMap, axes yx or zyx
    clip : length, in pixels of the finest axis
        Farther in or out is all the same.
    normalise : "clip" (default), "object" or "none"
        Divide by `clip`, so that all lies in -1..1; inside, by the object's own greatest depth, so that each peaks at 1; or not.
    half_pixel : bool
        Half a pixel less on both sides: to the outline between two pixels, not to the centre of the other one.

    Returns
    -------
    dict
        ``distance``: float32 (*spatial).

    Raises
    ------
    InputError
        If the mask holds classes.

    Notes
    -----
    Neighbouring objects count as outside, so there is a valley where they touch. The frame is no border, except around an object
    that fills the whole mask: there is nothing else to measure to. Without objects all is minus `clip`.

    Examples
    --------
    >>> row = InstanceMap(np.array([[0, 0, 1, 1, 1, 2, 2]]))
    >>> encode(row, normalise="none")["distance"].tolist()
    [[-2.0, -1.0, 1.0, 2.0, 1.0, 1.0, 2.0]]
    """
    noun = objects(mask, "signed_distance")
    labels, ids = numbered(noun)
    inner, outer = _depth(labels, noun.aspect), distance(labels == 0, noun.aspect)
    half = np.float32(0.5 * half_pixel)
    inner, outer = np.minimum(inner - half, clip), np.minimum(outer - half, clip)
    if normalise == "object" and len(ids):
        from scipy import ndimage

        peaks = np.asarray(ndimage.maximum(inner, labels, np.arange(1, len(ids) + 1)), np.float32)
        inner = inner / np.concatenate([np.ones(1, np.float32), peaks])[labels]
    elif normalise == "clip":
        inner = inner / np.float32(clip)
    outer = outer if normalise == "none" else outer / np.float32(clip)
    return {"distance": np.where(labels > 0, inner, -outer).astype(np.float32, copy=False)}


@step(tiling=Mergeable("component"), channels="joint")
def signed_distance(
    scores: ScoreMap,
    *,
    foreground: Annotated[float, Range(search=(-0.2, 0.4))] = 0.0,
    interior: Annotated[float, Range(search=(0.05, 0.8))] = 0.12,
    min_interior: Annotated[int, Range(min=1, search=(1, 40))] = 1,
) -> InstanceMap:
    """Make an object of every place that lies deep, and grow it to where the distance ends.

    Parameters
    ----------
    scores : ScoreMap
        Layer "distance", or the only one.
    foreground : float
        A pixel belongs to some object where the distance is above this.
    interior : float
        Pixels above this that hang together, corners too, are one object's inside. The default is 1.2 pixels of distances divided
        by 10, as `encode` gives them; of distances divided by each object's own depth, try one half.
    min_interior : int, pixels
        Smaller insides are no objects of their own.

    Returns
    -------
    InstanceMap
        Numbered in raster order.

    Notes
    -----
    A watershed from the insides, on the distance itself, deepest first. A piece of foreground (over faces) without an inside is an
    object of its own. Of encoded objects, the same come back with the exceptions that `interior_border` has.

    Examples
    --------
    >>> row = ScoreMap(np.array([[-0.1, 0.1, 0.2, 0.1, 0.1, 0.3, 0.2]]))
    >>> signed_distance(row).pixels.tolist()
    [[0, 1, 1, 1, 2, 2, 2]]
    """
    (depth,) = layers_of(scores, ("distance",), "signed_distance", unnamed=("distance",))
    inside = depth > foreground
    seeds = seeds_of((depth > interior) & inside, min_interior)
    if listening():
        explain("map", "How deep inside its object each pixel is said to lie.", values=depth)
        explain("markers", "The insides, one for each object.", labels=seeds)
    return InstanceMap(grow(seeds, inside, scores.aspect, heights=depth), **scores.geometry())


def _depth(labels: NDArray[np.int32], aspect: tuple[float, ...]) -> NDArray[np.float32]:
    """The distance to the nearest pixel of another label; of one object and nothing else, to a ring around the frame."""
    if labels.size and labels.min() == labels.max() > 0:
        return distance(np.pad(labels, 1), aspect)[(slice(1, -1),) * labels.ndim]
    return distance(labels, aspect)
