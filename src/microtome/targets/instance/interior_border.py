"""Interior and border: each object's pixels inside and along its edge, so that touching objects stay apart."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.classes import ClassTable
from microtome.core.events import warn
from microtome.core.explain import explain, listening
from microtome.core.parameters import Range
from microtome.core.raster import InstanceMap, ScoreMap
from microtome.core.step import step
from microtome.core.tiling import Mergeable
from microtome.targets._grow import grow, seeds_of
from microtome.targets._layers import layers_of
from microtome.targets._objects import objects, scored
from microtome.targets.heads import Head

__all__ = ["encode", "heads", "interior_border"]

LAYERS = ("background", "interior", "border")


def heads(table: ClassTable, ndim: int) -> tuple[Head, ...]:
    """One head of three channels."""
    return (Head("interior_border", LAYERS, "softmax"),)


def encode(mask: InstanceMap, *, width: Annotated[int, Range(min=1, search=(1, 4))] = 1) -> dict[str, NDArray[Any]]:
    """Background 0, interior 1, border 2.

    Parameters
    ----------
    mask : InstanceMap, axes yx or zyx
    width : int
        1: the border is an object's own pixels with a neighbour across a face (4 in 2-D, 6 in 3-D) that is another object's or
        background; beyond the frame nothing is known. More: what then borders on the border, and so on.

    Returns
    -------
    dict
        ``interior_border``: uint8 (*spatial).

    Raises
    ------
    InputError
        If the mask holds classes.

    Warns
    -----
    MicrotomeWarning
        Where objects are all border: decoding does not tell them from what they touch.

    Examples
    --------
    >>> square = np.zeros((5, 6), int)
    >>> square[1:4, 1:5] = 1
    >>> encode(InstanceMap(square))["interior_border"][1:4].tolist()
    [[0, 2, 2, 2, 2, 0], [0, 2, 1, 1, 2, 0], [0, 2, 2, 2, 2, 0]]
    """
    noun = objects(mask, "interior_border")
    left = noun.pixels
    for _ in range(width):
        left = _without_edge(left)
    lost = len(noun) - len(noun.with_pixels(left))
    if lost:
        warn(f"interior_border: {noun.source or 'the mask'}: {lost} of {len(noun)} objects have no interior, they are all border")
    return {"interior_border": np.where(left > 0, np.uint8(1), np.where(noun.pixels > 0, np.uint8(2), np.uint8(0)))}


@step(tiling=Mergeable("component"), channels="joint")
def interior_border(
    scores: ScoreMap,
    *,
    foreground: Annotated[float, Range(0, 1, search=(0.2, 0.8))] = 0.5,
    interior: Annotated[float, Range(0, 1, search=(0.3, 0.95))] = 0.5,
    min_interior: Annotated[int, Range(min=1, search=(1, 40))] = 1,
) -> InstanceMap:
    """Make an object of every interior, and grow it over the border around it.

    Parameters
    ----------
    scores : ScoreMap
        Layers "interior" and "border" (or, without names, the last two of background, interior, border): probabilities.
    foreground : float
        A pixel belongs to some object where interior and border together are above this.
    interior : float
        Pixels whose share of inside, of what is inside or border, is above this and that hang together, corners too, are one
        object's inside.
    min_interior : int, pixels
        Smaller insides are no objects of their own.

    Returns
    -------
    InstanceMap
        Numbered in raster order; the score of an object is the mean of its foreground probability.

    Notes
    -----
    Whether a pixel is inside or border is asked among the two alone: where a network hardly knows objects from background, in dim or
    blurred ones, it may still be sure of where their borders are, and an object's inside stays in one piece.

    The insides grow by a watershed on the distance to the nearest of them in the same piece. A piece of foreground (over faces)
    without an inside is an object of its own. Of encoded objects, the same come back but for these: one that is all border and
    touches another is joined to it; one whose inside is in several pieces comes back as several; where objects touch, a pixel
    with no inside beside it may change owner; and objects in more pieces than one, across faces, come apart. In 3-D the insides
    of two objects may meet at a corner, and then are one.

    Examples
    --------
    >>> touching = np.zeros((5, 9), int)
    >>> touching[1:4, 1:4], touching[1:4, 4:8] = 1, 2
    >>> from microtome.targets.heads import perfect_scores
    >>> mask = InstanceMap(touching)
    >>> perfect = perfect_scores(encode(mask), heads(mask.classes, 2), mask)
    >>> (interior_border(perfect).pixels == touching).all()
    np.True_
    """
    inner, border = layers_of(scores, ("interior", "border"), "interior_border", unnamed=LAYERS)
    share = inner + border
    inside = share > foreground
    seeds = seeds_of((inner > interior * share) & inside, min_interior)
    if listening():
        explain("markers", "The insides, one for each object; they grow over the borders.", labels=seeds)
    labels = grow(seeds, inside, scores.aspect)
    return InstanceMap(labels, **scores.geometry(), object_score=scored(labels, share.clip(0, 1)))


def _without_edge(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Set the pixels that border on another label to 0."""
    edge = np.zeros(labels.shape, bool)
    for axis in range(labels.ndim):
        one = (slice(None),) * axis + (slice(1, None),)
        other = (slice(None),) * axis + (slice(None, -1),)
        differs = labels[one] != labels[other]
        edge[one] |= differs
        edge[other] |= differs
    return np.where(edge, 0, labels).astype(np.int32, copy=False)
