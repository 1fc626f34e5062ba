"""The Euclidean distance to the nearest pixel outside: exact, spacing and neighbouring objects respected."""

from __future__ import annotations

from typing import Any

import edt
import numpy as np
from numba import njit
from numpy.typing import NDArray

from microtome.core.kernels.bands import in_bands, threads

__all__ = ["NOWHERE", "distance", "squared_distance"]

NOWHERE = np.iinfo(np.int32).max
"""The square of an infinite distance, as `squared_distance` gives it in 32 bits."""
_LONGEST = np.int32(30_000)
"""The sum of two such squares fits 32 bits."""


def distance(labels: NDArray[Any], aspect: tuple[float, ...]) -> NDArray[np.float32]:
    """Each pixel's distance to the nearest pixel of another label.

    Parameters
    ----------
    labels : ndarray of bool or integers, axes yx or zyx
        Objects by number, or one mask; 0 is the outside and has distance 0.
    aspect : tuple of float
        The spacing along each axis in units of the finest.

    Returns
    -------
    ndarray of float32
        In pixels of the finest axis, between pixel centres. The frame is no border: beyond it nothing is known. Where
        one object fills the whole array, infinite.

    References
    ----------
    A. Meijster, J. B. T. M. Roerdink and W. H. Hesselink, in: Mathematical Morphology and its Applications to Image and
    Signal Processing, 2000, 331-340, doi:10.1007/0-306-47025-X_36.

    Examples
    --------
    >>> distance(np.array([[0, 1, 1, 1, 2, 2]], np.int32), (1.0, 1.0))
    array([[0., 1., 2., 1., 1., 2.]], dtype=float32)
    """
    squared = squared_distance(labels, aspect)
    far = np.sqrt(squared, dtype=np.float32)
    if squared.dtype == np.int32:
        far[squared == NOWHERE] = np.inf
    return far


def squared_distance(labels: NDArray[Any], aspect: tuple[float, ...]) -> NDArray[np.int32] | NDArray[np.float32]:
    """The square of `distance`: int32, exact, for square pixels, else float32.

    Where one object fills the whole array: the largest int32, or infinity.
    """
    if labels.ndim == 2 and set(aspect) == {1.0} and max(labels.shape) <= _LONGEST:
        return _of_square_pixels(np.require(labels, np.int32, ["C", "W"]))
    squared: NDArray[np.float32] = edt.edtsq(np.ascontiguousarray(labels), anisotropy=aspect, black_border=False, parallel=threads())
    return squared


def _of_square_pixels(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Down and up the columns of each object, then along the rows of what that gave."""
    squared = np.empty(labels.shape, np.int32)
    rows, columns = labels.shape
    in_bands(lambda left, right: _along_columns(labels, left, right, squared), columns, 512)
    in_bands(lambda first, past: _along_rows(labels[first:past], squared[first:past]), rows, 128)
    return squared


@njit(cache=True, nogil=True)
def _along_columns(labels: NDArray[np.int32], left: int, right: int, steps: NDArray[np.int32]) -> None:
    """How many steps up or down lead to another label; `_LONGEST` or more where none does."""
    rows = labels.shape[0]
    for x in range(left, right):
        steps[0, x] = 0 if labels[0, x] == 0 else _LONGEST
    # Slices of rows, and sums in place of branches, let the compiler take many columns at once.
    for y in range(1, rows):
        here, above, known, found = labels[y][left:right], labels[y - 1][left:right], steps[y - 1][left:right], steps[y][left:right]
        for x in range(len(here)):
            further = known[x] * np.int32(here[x] == above[x]) + np.int32(1)
            found[x] = further * np.int32(here[x] != 0)
    for y in range(rows - 2, -1, -1):
        here, below, known, found = labels[y][left:right], labels[y + 1][left:right], steps[y + 1][left:right], steps[y][left:right]
        for x in range(len(here)):
            further = known[x] * np.int32(here[x] == below[x]) + np.int32(1)
            found[x] = min(found[x], further)


@njit(cache=True, nogil=True, error_model="numpy")
def _along_rows(labels: NDArray[np.int32], squared: NDArray[np.int32]) -> None:
    """Turn the columns' steps, in place, into squared distances, one run of equal label after the other.

    Within a run the nearest outside pixel above or below column u costs ``(x - u)^2 + steps(u)^2`` at x: the least over
    all u is the lower envelope of parabolas. No u beyond the run's ends can win, the end itself is nearer.
    """
    rows, columns = labels.shape
    at = np.empty(columns + 2, np.int64)  # where the envelope's parabolas stand
    base = np.empty(columns + 2, np.int64)  # their least value
    since = np.empty(columns + 2, np.int64)  # the first x each one wins at
    for y in range(rows):
        row, out = labels[y], squared[y]
        end = 0
        while end < columns:
            x = end
            here = row[x]
            end += 1
            while end < columns and row[end] == here:
                end += 1
            if here == 0:
                continue
            top = -1
            for u in range(max(x - 1, 0), min(end + 1, columns)):
                height = np.int64(0)
                if x <= u < end:
                    height = np.int64(out[u])
                    # Such a parabola lies nowhere below those of both ends.
                    if height >= _LONGEST or (x > 0 and end < columns and height >= max(u - x + 1, end - u)):
                        continue
                height *= height
                start = x
                while top >= 0:
                    v = at[top]
                    # From this x on the parabola at u lies below the one at v. Floats divide faster, and exactly here.
                    start = int(np.floor((height - base[top] + u * u - v * v) / (2 * (u - v)))) + 1
                    if start > since[top]:
                        break
                    top -= 1
                    start = x
                if start < end:
                    top += 1
                    at[top], base[top], since[top] = u, height, start
            if top < 0:
                out[x:end] = NOWHERE
                continue
            for u in range(end - 1, x - 1, -1):
                while since[top] > u:
                    top -= 1
                out[u] = (u - at[top]) ** 2 + base[top]
