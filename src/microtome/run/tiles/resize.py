"""An image, or scores, at another size: area-averaged where an axis shrinks, linear where it grows, one axis after the other."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
from numba import njit
from numpy.typing import NDArray

from microtome.core.kernels.bands import band_height, in_bands

__all__ = ["WAYS", "brought_back", "resized", "scaled_shape"]

WAYS = ("dz", "dy", "dx")
"""The names of layers that are lengths in pixels along an axis."""

_SHORT = 16  # values: below, a row is too short to be mixed as a whole


def scaled_shape(shape: Sequence[int], scale: Sequence[float]) -> tuple[int, ...]:
    """The nearest whole sizes to `shape` times `scale`, at least one pixel.

    Examples
    --------
    >>> scaled_shape((100, 3), (0.5, 0.1))
    (50, 1)
    """
    return tuple(max(1, round(length * by)) for length, by in zip(shape, scale, strict=True))


def resized(pixels: NDArray[np.float32], shape: Sequence[int]) -> NDArray[np.float32]:
    """Bring an array to another spatial shape.

    Parameters
    ----------
    pixels : ndarray of float32, shape (*spatial, C)
    shape : sequence of int
        One number a spatial axis.

    Returns
    -------
    ndarray of float32, shape (*shape, C)

    Notes
    -----
    Pixels are areas, and the corners of the array stay where they are (as OpenCV's ``INTER_AREA`` and ``INTER_LINEAR`` have it):
    along an axis that shrinks, each new pixel is the mean of what it covers, parts of pixels by their share, so nothing aliases;
    along one that grows, it is drawn linearly between the two nearest centres. An axis that keeps its length is not touched.

    Examples
    --------
    >>> resized(np.array([[[1.0], [3.0], [5.0], [7.0]]], np.float32), (1, 2)).ravel().tolist()
    [2.0, 6.0]
    >>> resized(np.array([[[0.0], [4.0]]], np.float32), (1, 4)).ravel().tolist()
    [0.0, 1.0, 3.0, 4.0]
    """
    for axis, length in enumerate(shape):
        if length != pixels.shape[axis]:
            pixels = _along(pixels, axis, length)
    return pixels


def brought_back(scores: NDArray[np.float32], shape: Sequence[int], layers: Sequence[str]) -> NDArray[np.float32]:
    """Scores of a resized image as scores of the image's own pixels; lengths in pixels ("dz", "dy", "dx") are sized along, in place.

    >>> brought_back(np.array([[[4.0], [4.0]]], np.float32), (1, 1), ["dx"]).tolist()
    [[[2.0]]]
    """
    for axis, name in enumerate(WAYS[-len(shape) :]):
        if name in layers:
            scores[..., layers.index(name)] *= np.float32(shape[axis] / scores.shape[axis])
    return resized(scores, shape)


def _along(pixels: NDArray[np.float32], axis: int, length: int) -> NDArray[np.float32]:
    before, after = prod(pixels.shape[:axis]), prod(pixels.shape[axis + 1 :])
    source = np.ascontiguousarray(pixels, np.float32).reshape(before, pixels.shape[axis], after)
    target = np.empty((before, length, after), np.float32)
    first, weights = _shares(pixels.shape[axis], length)
    if after < _SHORT:  # the last axis: what is mixed lies side by side
        in_bands(lambda low, high: _mix_within_rows(source, first, weights, target, low, high), before, band_height(target.shape, 1 << 18))
    else:
        rows = target.reshape(before * length, after)
        in_bands(lambda low, high: _mix_rows(source, first, weights, rows, low, high), len(rows), band_height(rows.shape, 1 << 18))
    return target.reshape(*pixels.shape[:axis], length, *pixels.shape[axis + 1 :])


def _shares(old: int, new: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """For each new pixel the first old one it takes from, and how much it takes from it and those that follow."""
    ratio, place = old / new, np.arange(new)
    if new > old:
        at = np.clip((place + 0.5) * ratio - 0.5, 0, old - 1)
        first = np.minimum(np.floor(at).astype(np.intp), max(0, old - 2))
        right = at - first
        shares = np.stack([1 - right, right], axis=1)
        return first, shares[:, : min(2, old)].astype(np.float32)
    low, high = place * ratio, (place + 1) * ratio
    width = int(np.ceil(ratio)) + 1
    first = np.clip(np.floor(low).astype(np.intp), 0, max(0, old - width))
    pixel = first[:, None] + np.arange(min(width, old))
    covered = np.minimum(pixel + 1, high[:, None]) - np.maximum(pixel, low[:, None])
    covered = np.maximum(covered, 0)
    return first, (covered / covered.sum(axis=1, keepdims=True)).astype(np.float32)


@njit(cache=True, nogil=True)
def _mix_rows(source, first, weights, target, low, high):  # type: ignore[no-untyped-def]
    """Rows `low` to `high` of the target, each a mixture of a few whole rows of the source."""
    length, after = len(first), source.shape[2]
    for row in range(low, high):
        block, place = row // length, row % length
        at, weight = first[place], weights[place, 0]
        for k in range(after):
            target[row, k] = weight * source[block, at, k]
        for step in range(1, weights.shape[1]):
            weight = weights[place, step]
            if weight != 0:
                for k in range(after):
                    target[row, k] += weight * source[block, at + step, k]


@njit(cache=True, nogil=True)
def _mix_within_rows(source, first, weights, target, low, high):  # type: ignore[no-untyped-def]
    """The blocks `low` to `high` of the target, pixel by pixel."""
    for block in range(low, high):
        for place in range(len(first)):
            at = first[place]
            for k in range(source.shape[2]):
                total = weights[place, 0] * source[block, at, k]
                for step in range(1, weights.shape[1]):
                    total += weights[place, step] * source[block, at + step, k]
                target[block, place, k] = total
