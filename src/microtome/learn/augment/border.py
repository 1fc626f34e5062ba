"""What lies beyond an image's frame: the picture mirrored without repeating its edge, as often as it takes, or one value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Border", "block", "copies_apart", "mirrored", "tile_number"]

Border = Literal["reflect", "constant"]


def mirrored(places: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Bring places beyond an axis of `count` pixels back onto it, by mirrors in the middle of its first and last pixel.

    Examples
    --------
    >>> mirrored(np.arange(-5, 9), 4)
    array([1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1, 2])
    """
    if count == 1:
        return np.zeros_like(places)
    period = 2 * (count - 1)
    along = np.mod(places, period)
    return np.minimum(along, period - along)


def block(pixels: NDArray[Any], start: Sequence[int], shape: Sequence[int], *, border: Border = "reflect", fill: float = 0) -> NDArray[Any]:
    """Cut a block out of an array; it may reach beyond the frame, or be larger than the array.

    Parameters
    ----------
    pixels : ndarray, shape (*spatial, ...)
        The first ``len(shape)`` axes are cut.
    start, shape : sequence of int
        The first pixel, below zero where the block begins before the frame, and the block's size.
    border : {"reflect", "constant"}
        Mirrored without repeating the edge (numpy's "reflect", repeated where the image is small), or `fill`.

    Returns
    -------
    ndarray
        A view where the block lies inside, else a new array.

    Examples
    --------
    >>> block(np.array([1, 2, 3, 4]), [-2], [8])
    array([3, 2, 1, 2, 3, 4, 3, 2])
    >>> block(np.array([1, 2, 3, 4]), [-1], [4], border="constant")
    array([0, 1, 2, 3])
    """
    ends = [first + length for first, length in zip(start, shape, strict=True)]
    frame = pixels.shape[: len(ends)]
    if all(first >= 0 and end <= count for first, end, count in zip(start, ends, frame, strict=True)):
        return pixels[tuple(slice(first, end) for first, end in zip(start, ends, strict=True))]
    if border == "reflect":
        for axis, (first, end, count) in enumerate(zip(start, ends, frame, strict=True)):
            pixels = np.take(pixels, mirrored(np.arange(first, end), count), axis)
        return pixels
    out = np.full((*shape, *pixels.shape[len(ends) :]), fill, pixels.dtype)
    inside = [(max(first, 0), min(end, count)) for first, end, count in zip(start, ends, frame, strict=True)]
    if all(low < high for low, high in inside):
        there = tuple(slice(low - first, high - first) for (low, high), first in zip(inside, start, strict=True))
        out[there] = pixels[tuple(slice(low, high) for low, high in inside)]
    return out


def tile_number(places: NDArray[Any], count: int) -> NDArray[np.int64]:
    """Which mirror image a place along an axis lies in: 0 within the frame, 1 after it, -1 before it, and so on.

    >>> tile_number(np.array([-4, -3, -1, 0, 3, 4, 7]), 4).tolist()
    [-2, -1, -1, 0, 0, 1, 2]
    """
    if count == 1:
        return np.rint(places).astype(np.int64)
    number = np.floor(np.asarray(places, np.float64) / (count - 1)).astype(np.int64)
    return np.where(np.equal(places, number * (count - 1)) & (number > 0), number - 1, number)


def copies_apart(objects: NDArray[np.int32], tiles: NDArray[np.int64]) -> tuple[NDArray[np.int32], dict[int, int]]:
    """Give mirror images of objects numbers of their own, unless they touch what they mirror.

    Parameters
    ----------
    objects : ndarray of int32
        A map that reaches beyond the frame, mirrored.
    tiles : ndarray of int64, same shape
        Which mirror image each pixel lies in, 0 for the image itself.

    Returns
    -------
    objects : ndarray of int32
    copy_of : dict of int to int
        The object that each new number is a copy of.
    """
    import cc3d
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    there = objects > 0
    if not there[tiles != 0].any():
        return objects, {}
    pieces = cc3d.connected_components(np.ascontiguousarray(objects), connectivity=8 if objects.ndim == 2 else 26)[there]
    own = np.stack([objects[there].astype(np.int64), tiles[there]])
    images, image = np.unique(own, axis=1, return_inverse=True)  # an object in one mirror image; all its pieces there are one
    nodes = images.shape[1] + int(pieces.max()) + 1
    links = coo_array((np.ones(len(pieces), bool), (image.ravel(), images.shape[1] + pieces.astype(np.int64))), shape=(nodes, nodes))
    group = connected_components(links, directed=False)[1][: images.shape[1]]  # images that touch, by a common piece, are one
    first = np.isin(group, group[images[1] == 0])
    if first.all():
        return objects, {}
    _, number = np.unique(group[~first], return_inverse=True)
    value = images[0].astype(np.int32)
    top = int(objects.max())
    value[~first] = top + 1 + number
    out = objects.copy()
    out[there] = value[image.ravel()]
    return out, {int(new): int(old) for new, old in zip(value[~first], images[0][~first], strict=True)}
