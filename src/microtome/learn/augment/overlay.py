"""Boxes and points of an image, as a window shows them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from microtome.learn.augment.placement import Placement

__all__ = ["boxes_through", "points_through"]

_ALONG = 9  # places along each edge of a box: a field bends it
Rows = NDArray[np.float64]
Ids = NDArray[np.int64]


def points_through(points: Rows | None, ids: Ids, placement: Placement) -> tuple[Rows | None, Ids]:
    """Points of the image in the window; those outside of it are left out.

    Parameters
    ----------
    points : ndarray, shape (M, D), or None
        In coordinates in which pixel 0 covers 0 to 1.
    ids : ndarray, shape (M,)
    placement : Placement

    Examples
    --------
    >>> mirror = Placement((4, 4), (0, 0), np.diag([1.0, -1.0]))
    >>> points_through(np.array([[0.5, 1.0], [9.0, 9.0]]), np.array([7, 8]), mirror)
    (array([[0.5, 3. ]]), array([7]))
    """
    if points is None:
        return None, ids
    moved = placement.to_window(points - 0.5) + 0.5
    inside = ((moved >= 0) & (moved < placement.shape)).all(1)
    return moved[inside], ids[inside]


def boxes_through(boxes: Rows | None, ids: Ids, placement: Placement) -> tuple[Rows | None, Ids]:
    """Boxes of the image in the window, cut at its edge; those outside of it are left out.

    The box of a turned or bent box is the smallest one around its outline, so it is larger than one around the object would be: where
    objects are known by their pixels, take boxes from these (`microtome.learn.augment.example.boxes_of`).

    Parameters
    ----------
    boxes : ndarray, shape (N, 2 D), or None
        Least corner, then greatest, half-open.
    ids : ndarray, shape (N,)
    placement : Placement

    Examples
    --------
    >>> mirror = Placement((4, 4), (0, 0), np.diag([1.0, -1.0]))
    >>> boxes_through(np.array([[1.0, 0.0, 3.0, 1.0]]), np.array([7]), mirror)[0]
    array([[1., 3., 3., 4.]])
    """
    if boxes is None or not len(boxes):
        return boxes, ids
    ndim = placement.ndim
    low, high = boxes[:, None, :ndim], boxes[:, None, ndim:]
    around = low + (high - low) * _outline(ndim, _ALONG if placement.fields else 2)
    moved = placement.to_window(around.reshape(-1, ndim) - 0.5).reshape(around.shape) + 0.5
    least, greatest = moved.min(1).clip(0, placement.shape), moved.max(1).clip(0, placement.shape)
    seen = (greatest > least).all(1)
    return np.hstack([least, greatest])[seen], ids[seen]


def _outline(ndim: int, count: int) -> Rows:
    """Places on the surface of the unit box."""
    grid = np.stack(np.meshgrid(*[np.linspace(0, 1, count)] * ndim, indexing="ij"), -1).reshape(-1, ndim)
    return grid[np.isin(grid, (0.0, 1.0)).any(1)]
