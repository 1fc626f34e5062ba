"""The surface of a mask, and how far each of its pixels is from the surface of another: exact, spacing respected."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from microtome.core.kernels.bands import band_height, in_bands

__all__ = ["nearest", "surface"]


def surface(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pixels of a mask that touch, across a face, one that is not in it: the mask without its erosion.

    Parameters
    ----------
    mask : ndarray of bool, axes yx or zyx
        What lies beyond the frame is not in it: a mask cut off by the frame has surface there.

    Returns
    -------
    ndarray of bool, same shape

    Examples
    --------
    >>> surface(np.ones((3, 4), bool)).astype(int).tolist()
    [[1, 1, 1, 1], [1, 0, 0, 1], [1, 1, 1, 1]]
    """
    inner = mask.copy()
    for axis in range(mask.ndim):
        kept, own = np.moveaxis(inner, axis, 0), np.moveaxis(mask, axis, 0)
        kept[1:] &= own[:-1]
        kept[:-1] &= own[1:]
        kept[:1] = False
        kept[-1:] = False
    return mask & ~inner


def nearest(of: NDArray[np.bool_], to: NDArray[np.bool_], spacing: tuple[float, ...]) -> NDArray[np.float64]:
    """From each True pixel of one array, the distance to the nearest True pixel of the other.

    Parameters
    ----------
    of, to : ndarray of bool, axes yx or zyx, same shape
    spacing : tuple of float
        The distance between pixel centres along each axis.

    Returns
    -------
    ndarray of float64
        One for each True pixel of `of`, in raster order, between pixel centres; infinite where `to` is empty.

    Notes
    -----
    The distance transform of A. Meijster, J. B. T. M. Roerdink and W. H. Hesselink (2000, doi:10.1007/0-306-47025-X_36), which is taken
    in whole steps along the first axis and finished, slice by slice, only in the rows that are asked for. Beside the two masks it
    needs two bytes a pixel.

    Examples
    --------
    >>> nearest(np.array([[1, 1, 0, 1]], bool), np.array([[0, 0, 0, 1]], bool), (1.0, 0.5))
    array([1.5, 1. , 0. ])
    """
    if not of.any() or not to.any():
        return np.full(np.count_nonzero(of), np.inf)
    shape = of.shape if of.ndim == 3 else (of.shape[0], 1, of.shape[1])
    apart = spacing if of.ndim == 3 else (spacing[0], 1.0, spacing[1])
    of, to = (np.ascontiguousarray(mask).reshape(shape) for mask in (of, to))
    steps = _steps(to)
    asked = np.count_nonzero(of.reshape(shape[0], -1), axis=1)
    ends = np.cumsum(asked)
    squared = np.empty(int(ends[-1]), np.float64)

    def finish(first: int, past: int) -> None:
        _finish(of[first:past], steps[first:past], shape[0], apart, squared[(ends - asked)[first] : ends[past - 1]])

    in_bands(finish, shape[0], band_height(shape, 1 << 18))
    return np.sqrt(squared)


def _steps(to: NDArray[np.bool_]) -> NDArray[Any]:
    """How many steps along the first axis lead to a True pixel; as many as there are slices where none does."""
    flat = to.reshape(len(to), -1)
    steps = np.empty(flat.shape, np.uint16 if len(to) < np.iinfo(np.uint16).max else np.int32)
    in_bands(lambda left, right: _count_steps(flat, left, right, steps), flat.shape[1], 4096)
    return steps.reshape(to.shape)


@njit(cache=True, nogil=True)
def _count_steps(to: NDArray[np.bool_], left: int, right: int, steps: NDArray[Any]) -> None:
    none, one = steps.dtype.type(len(to)), steps.dtype.type(1)
    for x in range(left, right):
        steps[0, x] = 0 if to[0, x] else none
    # Slices, and one dtype throughout, let the compiler take many columns at once.
    for z in range(1, len(to)):
        here, above, found = to[z, left:right], steps[z - 1, left:right], steps[z, left:right]
        for x in range(len(here)):
            further = min(steps.dtype.type(above[x] + one), none)
            found[x] = further * steps.dtype.type(not here[x])
    for z in range(len(to) - 2, -1, -1):
        below, found = steps[z + 1, left:right], steps[z, left:right]
        for x in range(len(below)):
            found[x] = min(found[x], steps.dtype.type(below[x] + one))


@njit(cache=True, nogil=True)
def _finish(
    of: NDArray[np.bool_], steps: NDArray[Any], none: int, spacing: tuple[float, float, float], squared: NDArray[np.float64]
) -> None:
    """The squared distances of some slices' pixels, in raster order: along the second axis, then along the third."""
    slices, rows, columns = of.shape
    line, wanted = np.empty(rows, np.float64), np.empty(rows, np.bool_)
    plane = np.empty((rows, columns), np.float64)
    at, since = np.empty(max(rows, columns), np.int64), np.empty(max(rows, columns), np.float64)
    done = 0
    for z in range(slices):
        for y in range(rows):
            wanted[y] = of[z, y].any()
        if not wanted.any():
            continue
        for x in range(columns):
            for y in range(rows):
                line[y] = np.inf if steps[z, y, x] == none else (steps[z, y, x] * spacing[0]) ** 2
            _lower(line, spacing[1], wanted, at, since)
            plane[:, x] = line
        for y in range(rows):
            if wanted[y]:
                row = plane[y]
                _lower(row, spacing[2], of[z, y], at, since)
                for x in range(columns):
                    if of[z, y, x]:
                        squared[done] = row[x]
                        done += 1


@njit(cache=True, nogil=True)
def _lower(line: NDArray[np.float64], apart: float, wanted: NDArray[np.bool_], at: NDArray[np.int64], since: NDArray[np.float64]) -> None:
    """Put the least of ``line[u] + (apart (x - u))^2`` over all u into each wanted x: the lower envelope of parabolas."""
    if len(line) == 1:
        return
    top = -1
    for u in range(len(line)):
        if line[u] == np.inf:
            continue
        start = -np.inf
        while top >= 0:
            v = at[top]
            # From here on the parabola at u lies below the one at v.
            start = ((line[u] - line[v]) / (apart * apart) + (u * u - v * v)) / (2 * (u - v))
            if start > since[top]:
                break
            top -= 1
            start = -np.inf
        top += 1
        at[top], since[top] = u, start
    if top < 0:
        return
    base = line[at[: top + 1]]
    k = 0
    for x in range(len(line)):
        while k < top and since[k + 1] < x:
            k += 1
        if wanted[x]:
            line[x] = base[k] + (apart * (x - at[k])) ** 2
