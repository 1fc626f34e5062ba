"""Masks at another size: each pixel takes the nearest one's label, and nothing is invented in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.raster import InstanceMap, Raster, SemanticMap

__all__ = ["nearest", "onto"]

Mask = TypeVar("Mask", bound=SemanticMap | InstanceMap)


def nearest(pixels: NDArray[Any], shape: Sequence[int]) -> NDArray[Any]:
    """Bring an array to another shape without new values.

    Parameters
    ----------
    pixels : ndarray, shape (*spatial) or (*spatial, C)
    shape : sequence of int
        One number a spatial axis.

    Returns
    -------
    ndarray, shape (*shape) or (*shape, C)
        Pixel i takes the old pixel in which its middle lies: floor((i + 1/2) n / m) of n that become m.

    Examples
    --------
    >>> nearest(np.arange(5), (3,)).tolist()
    [0, 2, 4]
    >>> nearest(np.array([7, 8]), (4,)).tolist()
    [7, 7, 8, 8]
    """
    for axis, new in enumerate(shape):
        old = pixels.shape[axis]
        if new != old:
            pixels = np.take(pixels, (2 * np.arange(new) + 1) * old // (2 * new), axis=axis)
    return pixels


def onto(mask: Mask, like: Raster) -> Mask:
    """Bring a mask to the pixels of the image it belongs to: the way back from `resize`.

    Parameters
    ----------
    mask : SemanticMap or InstanceMap
    like : Raster
        The image, over the same field of view.

    Returns
    -------
    SemanticMap or InstanceMap
        The same labels over the image's pixels, with its spacing and place. Objects that lose their last pixel lose their class and score.

    Raises
    ------
    InputError
        If the two have not the same spatial axes.

    Examples
    --------
    >>> from microtome.core.raster import Image
    >>> coarse = InstanceMap(np.array([[0, 1], [2, 2]], np.int32))
    >>> onto(coarse, Image(np.zeros((4, 4)), spacing=(0.5, 0.5), unit="um")).pixels
    array([[0, 0, 1, 1],
           [0, 0, 1, 1],
           [2, 2, 2, 2],
           [2, 2, 2, 2]], dtype=int32)
    """
    if mask.axes != like.axes.rstrip("c"):
        raise InputError(f"{like.source or 'image'}: its axes are {like.axes!r}, those of its mask {mask.axes!r}; they must be the same")
    if mask.shape == like.shape:
        return mask
    pixels = nearest(mask.pixels, like.shape)
    return replace(mask, pixels=pixels, **_of_those_left(mask, pixels), **like.geometry())


def _of_those_left(mask: SemanticMap | InstanceMap, pixels: NDArray[Any]) -> dict[str, Any]:
    """Classes and scores of the objects that still have a pixel."""
    if not isinstance(mask, InstanceMap) or not (mask.object_class or mask.object_score):
        return {}
    there = set(np.unique(pixels).tolist())
    known: dict[str, dict[int, Any]] = {"object_class": mask.object_class, "object_score": mask.object_score}
    return {name: {number: value for number, value in each.items() if number in there} for name, each in known.items()}
