"""Where each pixel of a window comes from: one matrix and the sum of all displacement fields, evaluated for the window only.

Pixels are named by their middles: 0 is the first pixel. With p a pixel of the window, c the window's middle (n - 1) / 2 and C the
middle of the block it is taken from, the place in the image is ``C + M (p - c + u(p)) + s``: M is the product of the matrices of flips
and affine steps, s their shift, u(p) the sum of the elastic fields, in pixels of the window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["Placement", "spline_basis", "symmetry"]

Coordinates = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Placement:
    """A window, and the map from its pixels to the image.

    Attributes
    ----------
    shape : tuple of int
        Of the window.
    start : tuple of int
        The first pixel of the block of the image that the window would show if nothing but flips and quarter turns were done to it;
        may be below zero.
    matrix : ndarray, shape (D, D)
        M, from the window to the image.
    fields : tuple of ndarray, each of shape (D, g, g) or (D, g, g, g)
        Displacements in pixels at the knots of a grid whose corners are the window's corners.
    turned : tuple of int
        Which axis of the window each axis of the block is; left out: the same one, no quarter turn is among the steps.
    shift : ndarray, shape (D,), or None
        s, in pixels of the image.
    """

    shape: tuple[int, ...]
    start: tuple[int, ...]
    matrix: NDArray[np.float64]
    fields: tuple[NDArray[np.float64], ...] = ()
    turned: tuple[int, ...] = ()
    shift: NDArray[np.float64] | None = None

    @property
    def ndim(self) -> int:
        """2 or 3."""
        return len(self.shape)

    @property
    def block(self) -> tuple[int, ...]:
        """The shape of the block that the window is taken from."""
        return tuple(self.shape[axis] for axis in self.turned or range(self.ndim))

    @cached_property
    def exact(self) -> tuple[tuple[int, ...], tuple[bool, ...]] | None:
        """Where every pixel of the window is one of the image: the order of axes and which are flipped. Else None."""
        return None if self.fields or (self.shift is not None and self.shift.any()) else symmetry(self.matrix)

    @cached_property
    def middle(self) -> NDArray[np.float64]:
        """c, of the window."""
        return (np.asarray(self.shape) - 1) / 2

    @cached_property
    def origin(self) -> NDArray[np.float64]:
        """C + s, the place in the image that the window's middle comes from where no field displaces it."""
        return np.asarray(self.start) + (np.asarray(self.block) - 1) / 2 + (0.0 if self.shift is None else self.shift)

    def bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The least and greatest place that may be asked for, along each axis of the image."""
        reach = np.abs(self.matrix) @ (self.middle + self._furthest())
        return self.origin - reach, self.origin + reach

    def _furthest(self) -> NDArray[np.float64]:
        furthest = np.zeros(self.ndim)
        for field in self.fields:
            overshoot = np.prod([np.abs(spline_basis(n, k)).sum(1).max() for n, k in zip(self.shape, field.shape[1:], strict=True)])
            furthest += overshoot * np.abs(field).reshape(self.ndim, -1).max(1)
        return furthest

    def coordinates(self, less: Sequence[int]) -> Coordinates:
        """Where each pixel of the window comes from.

        Parameters
        ----------
        less : sequence of int
            Taken off the places, so that they are small numbers and 32 bits are exact enough.

        Returns
        -------
        ndarray of float32, shape (D, *window)
        """
        tensor, bases = self._tensor(less)
        out = np.empty((self.ndim, *self.shape), np.float32)
        last = np.ascontiguousarray(bases[-1].T, np.float32)
        for axis in range(self.ndim):
            rows = tensor[axis]
            for basis in bases[:-1]:
                rows = np.moveaxis(np.einsum("na,a...->n...", basis, rows), 0, -2)  # one spatial axis after the other
            _spread(rows.reshape(-1, rows.shape[-1]).astype(np.float32), last, out[axis].reshape(-1, self.shape[-1]))
        return out

    def _tensor(self, less: Sequence[int]) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
        """The map as a tensor product: a line (1, p - c) along each axis, and the knots of every field."""
        ndim = self.ndim
        bases = [np.stack([np.ones(n), np.arange(n) - (n - 1) / 2], 1) for n in self.shape]
        for field in self.fields:
            bases = [np.hstack([b, spline_basis(n, k)]) for b, n, k in zip(bases, self.shape, field.shape[1:], strict=True)]
        tensor = np.zeros((ndim, *(b.shape[1] for b in bases)))
        tensor[_knots([0] * ndim, [1] * ndim)] = (self.origin - np.asarray(less)).reshape(-1, *[1] * ndim)
        for axis, at in enumerate(np.eye(ndim, dtype=int).tolist()):
            tensor[_knots(at, np.add(at, 1))] = self.matrix[:, axis].reshape(-1, *[1] * ndim)
        first = np.full(ndim, 2)
        for field in self.fields:
            tensor[_knots(first, first + field.shape[1:])] = np.tensordot(self.matrix, field, 1)
            first = first + field.shape[1:]
        return tensor, bases

    def to_image(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where places of the window, shape (N, D), come from; in 64 bits."""
        return self.origin + (places - self.middle + self._displacement(places)) @ self.matrix.T

    def to_window(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where places of the image, shape (N, D), are seen in the window.

        Where a field folds the picture a place is seen more than once, and one of these is returned.
        """
        aim = (places - self.origin) @ np.linalg.inv(self.matrix).T + self.middle
        if not self.fields or not len(places):
            return aim
        found = aim.copy()
        for _ in range(60):
            step = aim - self._displacement(found) - found
            if np.abs(step).max() < 1e-6:
                return found
            found += 0.7 * step  # a field may be steep: full steps would swing around the place
        lost = np.abs(aim - self._displacement(found) - found).max(1) > 1e-3
        if lost.any():
            found[lost] = self._nearest(places[lost])
        return found

    def _displacement(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        moved = np.zeros_like(places, np.float64)
        for field in self.fields:
            weights = [_weights(places[:, axis], n, k) for axis, (n, k) in enumerate(zip(self.shape, field.shape[1:], strict=True))]
            letters = "abc"[: self.ndim]
            moved += np.einsum(f"d{letters},{','.join('n' + letter for letter in letters)}->nd", field, *weights)
        return moved

    def _nearest(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """The pixel of the window that comes from nearest to each place."""
        grid = self.coordinates((0,) * self.ndim).reshape(self.ndim, -1).T
        nearest = [int(np.square(grid - place).sum(1).argmin()) for place in places]
        return np.stack(np.unravel_index(nearest, self.shape), -1).astype(np.float64)


def _knots(first: Sequence[int] | NDArray[Any], past: Sequence[int] | NDArray[Any]) -> tuple[slice, ...]:
    return (slice(None), *(slice(int(a), int(b)) for a, b in zip(first, past, strict=True)))


def symmetry(matrix: NDArray[np.float64]) -> tuple[tuple[int, ...], tuple[bool, ...]] | None:
    """Read a matrix of flips and quarter turns: for each axis of the image the window's axis it is, and whether it is flipped.

    >>> symmetry(np.array([[0.0, -1.0], [1.0, 0.0]]))
    ((1, 0), (True, False))
    """
    if not np.isin(matrix, (-1.0, 0.0, 1.0)).all() or not (np.abs(matrix).sum(0) == 1).all() or not (np.abs(matrix).sum(1) == 1).all():
        return None
    axes = np.abs(matrix).argmax(1)
    return tuple(int(axis) for axis in axes), tuple(bool(matrix[row, axis] < 0) for row, axis in enumerate(axes))


@lru_cache(maxsize=64)
def spline_basis(count: int, knots: int) -> NDArray[np.float64]:
    """The weight of each knot at each of `count` pixels of a cubic spline through its knots; the first and last pixel are knots.

    The spline is mirrored in its ends, as ``scipy.ndimage.map_coordinates(..., order=3, mode="mirror")`` has it.

    Examples
    --------
    >>> spline_basis(5, 3)[2].round(12) + 0.0
    array([0., 1., 0.])
    """
    basis = _weights(np.arange(count, dtype=np.float64), count, knots)
    basis.flags.writeable = False
    return basis


def _weights(places: NDArray[np.float64], count: int, knots: int) -> NDArray[np.float64]:
    at = places * ((knots - 1) / (count - 1)) if count > 1 else np.full(len(places), (knots - 1) / 2)
    period = 2 * (knots - 1)
    at = np.mod(at, period)
    at = np.minimum(at, period - at)
    first = np.floor(at).astype(np.int64)
    t = at - first
    taps = ((1 - t) ** 3 / 6, 2 / 3 - t**2 + t**3 / 2, 2 / 3 - (1 - t) ** 2 + (1 - t) ** 3 / 2, t**3 / 6)
    weights = np.zeros((len(places), knots))
    for step, tap in enumerate(taps, -1):
        knot = np.mod(first + step, period)
        np.add.at(weights, (np.arange(len(places)), np.minimum(knot, period - knot)), tap)
    return weights @ _through_knots(knots)


@lru_cache(maxsize=16)
def _through_knots(knots: int) -> NDArray[np.float64]:
    """From the values at the knots to the coefficients of cubic B-splines."""
    system = np.zeros((knots, knots))
    period = 2 * (knots - 1)
    for row in range(knots):
        for step, weight in ((-1, 1 / 6), (0, 2 / 3), (1, 1 / 6)):
            knot = (row + step) % period
            system[row, min(knot, period - knot)] += weight
    inverse: NDArray[Any] = np.linalg.inv(system)
    return inverse


@njit(cache=True, nogil=True)
def _spread(rows, basis, out):  # type: ignore[no-untyped-def]
    """The matrix product of rows (R, K) and a basis (K, W), in one order of operations."""
    for r in range(rows.shape[0]):
        for x in range(out.shape[1]):
            out[r, x] = rows[r, 0]
        for k in range(1, rows.shape[1]):
            weight = rows[r, k]
            if weight != 0:
                for x in range(out.shape[1]):
                    out[r, x] += weight * basis[k, x]
