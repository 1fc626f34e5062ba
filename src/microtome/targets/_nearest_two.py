"""The distances from each background pixel to the nearest and to the second nearest object, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from microtome.core.kernels.bands import in_bands

__all__ = ["NearestTwo", "nearest_two"]


class NearestTwo(NamedTuple):
    """Squared distances to the nearest two objects and the objects' numbers; infinite and 0 where there is none.

    float32 and int32, in the shape of the labels.
    """

    near: NDArray[np.float32]
    far: NDArray[np.float32]
    near_object: NDArray[np.int32]
    far_object: NDArray[np.int32]


def nearest_two(labels: NDArray[np.int32], aspect: Sequence[float], reach: float) -> NearestTwo:
    """Find the nearest two objects of each background pixel.

    Parameters
    ----------
    labels : ndarray of int32, axes yx or zyx
    aspect : sequence of float
        The spacing of each axis in units of the finest.
    reach : float
        Objects at least so far away are not looked for.

    Returns
    -------
    NearestTwo
        Inside objects it says nothing.

    Notes
    -----
    One axis after the other, as for one distance (Meijster 2000): the two objects nearest to a pixel are among the two nearest
    in each line across it, since an object nearer in that line is nearer to the pixel too.

    Examples
    --------
    >>> nearest_two(np.array([[0, 1, 0, 0, 2]], np.int32), (1.0, 1.0), 9.0).far[:, [0, 2, 3]].tolist()
    [[16.0, 4.0, 4.0]]
    """
    lines = labels.reshape(len(labels), -1)
    arrays: list[NDArray[Any]] = [np.empty(lines.shape, kind) for kind in (np.float32, np.float32, np.int32, np.int32)]
    in_bands(lambda left, past: _down_and_up(lines, left, past, float(aspect[0]) ** 2, *arrays), lines.shape[1], 512)
    found = NearestTwo(*(array.reshape(labels.shape) for array in arrays))
    for axis in range(1, labels.ndim):
        found = _along(labels, found, axis, float(aspect[axis]) ** 2, reach**2)
    return found


def _along(labels: NDArray[np.int32], before: NearestTwo, axis: int, scale: float, reach: float) -> NearestTwo:
    """Look along one more axis; along the last one, only from the background."""
    last = axis == labels.ndim - 1
    turned: list[NDArray[Any]] = [np.ascontiguousarray(np.moveaxis(array, axis, -1)) for array in (labels, *before)]
    rows = [array.reshape(-1, labels.shape[axis]) for array in turned]
    after: list[NDArray[Any]] = [np.empty_like(array) for array in rows[1:]]
    in_bands(lambda first, past: _sideways(*(array[first:past] for array in rows), scale, reach, last, *(a[first:past] for a in after)),
             len(rows[0]), 64)  # fmt: skip
    return NearestTwo(*(np.moveaxis(array.reshape(turned[0].shape), -1, axis) for array in after))


@njit(cache=True, nogil=True, inline="always")
def _put(squared, number, near, far, near_object, far_object):  # type: ignore[no-untyped-def]
    """The nearest two with one more object, or with the same one nearer."""
    if number == near_object:
        return min(near, squared), far, near_object, far_object
    if squared < near:
        return squared, near, number, near_object
    if number == far_object or squared < far:
        return near, min(far, squared), near_object, number
    return near, far, near_object, far_object


@njit(cache=True, nogil=True)
def _down_and_up(labels, left, past, scale, near, far, near_object, far_object):  # type: ignore[no-untyped-def]
    """Along the first axis: the last two objects met from above, then from below."""
    rows, width = len(labels), past - left
    met, met_before = np.zeros(width, np.int32), np.zeros(width, np.int32)
    at, at_before = np.zeros(width, np.int64), np.zeros(width, np.int64)
    for turn in range(2):
        met[:], met_before[:] = 0, 0
        for k in range(rows):
            y = k if turn == 0 else rows - 1 - k
            for i in range(width):
                x = left + i
                here = labels[y, x]
                if here > 0:
                    if here != met[i]:
                        met_before[i], at_before[i] = met[i], at[i]
                    met[i], at[i] = here, y
                a, b, p, q = np.float32(np.inf), np.float32(np.inf), np.int32(0), np.int32(0)
                if turn == 1:
                    a, b, p, q = near[y, x], far[y, x], near_object[y, x], far_object[y, x]
                if met[i] > 0:
                    a, b, p, q = _put(np.float32((y - at[i]) ** 2 * scale), met[i], a, b, p, q)
                if met_before[i] > 0:
                    a, b, p, q = _put(np.float32((y - at_before[i]) ** 2 * scale), met_before[i], a, b, p, q)
                near[y, x], far[y, x], near_object[y, x], far_object[y, x] = a, b, p, q


@njit(cache=True, nogil=True)
def _sideways(labels, near, far, near_object, far_object, scale, reach, last, nearer, farther, nearer_object, farther_object):  # type: ignore[no-untyped-def]
    """Along each row: the nearest object of every pixel; then, for every run of pixels that share it, the nearest of the others."""
    rows, width = labels.shape
    at, since, costs = np.empty(width + 1, np.int64), np.empty(width + 1, np.float64), np.empty(width, np.float64)
    span = int(min(np.sqrt(reach / scale) + 1, width))
    for y in range(rows):
        for x in range(width):
            costs[x] = near[y, x]
        top = _envelope(costs, 0, width, scale, reach, at, since)
        k = 0
        for x in range(width):
            nearer[y, x], nearer_object[y, x] = np.inf, 0
            if top >= 0:
                while k < top and since[k + 1] < x:
                    k += 1
                nearer[y, x], nearer_object[y, x] = costs[at[k]] + scale * (x - at[k]) ** 2, near_object[y, at[k]]
        past = 0
        while past < width:
            first, here = past, nearer_object[y, past]
            inside = last and labels[y, first] > 0
            while past < width and nearer_object[y, past] == here and (last and labels[y, past] > 0) == inside:
                farther[y, past], farther_object[y, past] = np.inf, 0
                past += 1
            if inside or here == 0:
                continue
            left, right = max(0, first - span), min(width, past + span)
            for u in range(left, right):
                costs[u] = far[y, u] if near_object[y, u] == here else near[y, u]
            top = _envelope(costs, left, right, scale, reach, at, since)
            k = 0
            if top < 0:
                continue
            for x in range(first, past):
                while k < top and since[k + 1] < x:
                    k += 1
                u = at[k]
                farther[y, x] = costs[u] + scale * (x - u) ** 2
                farther_object[y, x] = far_object[y, u] if near_object[y, u] == here else near_object[y, u]


@njit(cache=True, nogil=True)
def _envelope(costs, first, past, scale, reach, at, since):  # type: ignore[no-untyped-def]
    """The lower envelope of the parabolas ``costs[u] + scale (x - u)²``: where those that are lowest somewhere stand, and from
    which x on; the last one's place in the list, -1 where all costs are out of reach.
    """
    top = -1
    for u in range(first, past):
        if costs[u] >= reach:
            continue
        start = -np.inf
        while top >= 0:
            v = at[top]
            start = (costs[u] - costs[v] + scale * (u * u - v * v)) / (2 * scale * (u - v))
            if start > since[top]:
                break
            top -= 1
            start = -np.inf
        top += 1
        at[top], since[top] = u, start
    return top
