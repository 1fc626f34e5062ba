"""Warping error: how many pixels of the truth stay wrong when it may be bent, but not torn or joined, toward the prediction."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from microtome.core.errors import InputError, RecipeError
from microtome.core.kernels.components import Connectivity
from microtome.measure.metrics._same_pixels import same_pixels

__all__ = ["THRESHOLDS", "LeastWarping", "warp", "warping", "warping_min"]

THRESHOLDS = tuple(k / 10 for k in range(11))
"""Those of ISBI 2012: 0, .1 ... 1."""


def warp(pred: ArrayLike, truth: ArrayLike, *, connectivity: Connectivity = "full") -> NDArray[np.bool_]:
    """Bend the truth toward the prediction: flip simple points, one after the other, until none is left that should be flipped.

    A simple point can change sides without an object, a hole or a tunnel coming, going, joining or parting (T. Y. Kong and
    A. Rosenfeld, Computer Vision, Graphics, and Image Processing 48(3), 1989, 357-393).

    Parameters
    ----------
    pred, truth : ndarray of bool or integers, axes yx or zyx, same shape
        Other than 0 is foreground.
    connectivity : "full" (default) or "faces"
        How foreground pixels hang together: over corners too (8 in a picture, 26 in a volume), and the background over faces
        (4, 6); or the reverse, for objects that lines one pixel wide keep apart.

    Returns
    -------
    ndarray of bool, same shape
        The truth after all flips. Where it still differs from the prediction is what `warping` counts.

    Raises
    ------
    InputError
        If the shapes differ, a mask holds no whole numbers, or has other than two or three axes.
    RecipeError
        If the connectivity is neither.

    Notes
    -----
    Differing pixels are tried in raster order, then those beside a flipped one in the order of the flips: the same input gives the same
    result, but another order could leave fewer pixels. What lies beyond the frame is background. A volume of one slice is bent as
    its slice.

    Examples
    --------
    A bar that is moved aside is the same bar; a bar in two pieces is not:

    >>> bar = np.zeros((4, 7), bool)
    >>> bar[1, 1:6] = True
    >>> moved = np.roll(bar, 1, axis=0)
    >>> (warp(moved, bar) == moved).all()
    np.True_
    >>> torn = bar.copy()
    >>> torn[1, 3] = False
    >>> int((warp(torn, bar) != torn).sum())
    1
    """
    pred, truth = same_pixels(pred, truth)
    if truth.ndim not in (2, 3):
        raise InputError(f"masks of shape {truth.shape}: simple points are known over two axes (yx) and three (zyx)")
    if connectivity not in ("full", "faces"):
        raise RecipeError(f"connectivity {connectivity!r}; known: full, faces")
    if truth.ndim == 3 and len(truth) == 1:
        return warp(pred[0], truth[0], connectivity=connectivity)[None]
    aim, bent = (np.pad(mask.astype(bool, order="C"), 1) for mask in (pred, truth))  # in C order, which `_flip` steps through
    differs = np.flatnonzero(aim != bent)
    _flip(bent.reshape(-1), aim.reshape(-1), differs, _steps(bent.shape), *_links(truth.ndim), connectivity == "full")
    return bent[(slice(1, -1),) * truth.ndim].copy()


def warping(pred: ArrayLike, truth: ArrayLike, *, connectivity: Connectivity = "full") -> float:
    """The share of all pixels that still differ from the prediction after the truth was bent toward it.

    An upper bound: `warp` takes the flips as they come. Parameters and errors are those of `warp`; nan without pixels.

    References
    ----------
    V. Jain et al., IEEE Conference on Computer Vision and Pattern Recognition, 2010, 2488-2495, doi:10.1109/CVPR.2010.5539950.

    Examples
    --------
    >>> bar = np.zeros((4, 5), bool)
    >>> bar[1, 1:4] = True
    >>> torn = bar.copy()
    >>> torn[1, 2] = False
    >>> warping(torn, bar), warping(np.roll(bar, 1, axis=0), bar)
    (0.05, 0.0)
    """
    pred, truth = same_pixels(pred, truth)
    if not truth.size:
        return float("nan")
    return int(np.count_nonzero(warp(pred, truth, connectivity=connectivity) != (pred != 0))) / truth.size


class LeastWarping(NamedTuple):
    """The least warping error over thresholds, and the lowest threshold that gives it."""

    error: float
    threshold: float


def warping_min(
    scores: ArrayLike, truth: ArrayLike, *, thresholds: Sequence[float] = THRESHOLDS, connectivity: Connectivity = "full"
) -> LeastWarping:
    """The least `warping` of the masks ``scores > threshold``, as ISBI 2012 ranked boundary maps.

    Parameters
    ----------
    scores : ndarray of float, axes yx or zyx
        The foreground's scores, 0 to 1. For a map of membranes give 1 less its values, and the cells as truth.
    truth : ndarray of bool or integers, same shape
    thresholds : sequence of float
        By default 0, .1 ... 1.
    connectivity : "full" (default) or "faces"
        As in `warp`. "faces" suits cells that membranes one pixel wide keep apart.

    Raises
    ------
    InputError
        As `warp`, and if a score is NaN or outside 0 to 1.
    RecipeError
        As `warp`, and if there is no threshold, or one is no number.

    References
    ----------
    I. Arganda-Carreras et al., Frontiers in Neuroanatomy 9, 2015, 142, doi:10.3389/fnana.2015.00142.

    Examples
    --------
    >>> warping_min(np.array([[0.2, 0.9, 0.15, 0.9]]), np.array([[0, 1, 0, 1]]))
    LeastWarping(error=0.0, threshold=0.2)
    """
    if not len(thresholds) or np.isnan(thresholds).any():
        raise RecipeError(f"thresholds {tuple(thresholds)}: at least one is expected, and each a number")
    scores = np.asarray(scores)
    outside = ~((scores >= 0) & (scores <= 1))
    if outside.any():
        place = tuple(int(k) for k in np.argwhere(outside)[0])
        raise InputError(
            f"scores from 0 to 1 are expected, found {int(outside.sum())} others, the first {scores[place]} at {place}; rescale them first"
        )
    errors = [warping(scores > threshold, truth, connectivity=connectivity) for threshold in thresholds]
    least = min(range(len(errors)), key=lambda k: (errors[k], thresholds[k]))
    return LeastWarping(errors[least], thresholds[least])


def _steps(shape: tuple[int, ...]) -> NDArray[np.int64]:
    """How far in memory the neighbours of a pixel are, in raster order."""
    pitch = np.array([int(np.prod(shape[axis + 1 :])) for axis in range(len(shape))])
    return (_cells(len(shape)) @ pitch).astype(np.int64)


def _cells(axes: int) -> NDArray[np.int64]:
    """The 8 or 26 neighbours' places around a pixel, in raster order."""
    around = np.stack(np.meshgrid(*[(-1, 0, 1)] * axes, indexing="ij"), axis=-1).reshape(-1, axes)
    return around[(around != 0).any(axis=1)]


@cache
def _links(axes: int) -> tuple[NDArray[np.int64], NDArray[np.int64], int, int]:
    """Which neighbours touch each other, by one bit a neighbour: over corners; over faces among `near`; `near`; `faces`.

    What hangs together over faces only is looked for among the neighbours that share a face or an edge with the pixel (8, 18).
    """
    cells = _cells(axes)
    apart = np.abs(cells[:, None] - cells[None])
    bits = 1 << np.arange(len(cells), dtype=np.int64)
    near, faces = (np.abs(cells).sum(axis=1) <= reach for reach in (2, 1))
    wide = ((apart.max(axis=2) == 1) * bits).sum(axis=1)
    narrow = ((apart.sum(axis=2) == 1) * bits).sum(axis=1)
    return wide, narrow, int(bits[near].sum()), int(bits[faces].sum())


@njit(cache=True, nogil=True)
def _flip(
    bent: NDArray[np.bool_],
    aim: NDArray[np.bool_],
    differs: NDArray[np.int64],
    steps: NDArray[np.int64],
    wide: NDArray[np.int64],
    narrow: NDArray[np.int64],
    near: int,
    faces: int,
    full: bool,
) -> None:
    """Flip, in place, what differs and is simple. Each differing pixel waits in the queue at most once, so it goes round in `differs`."""
    waiting = np.zeros(len(bent), np.bool_)
    waiting[differs] = True
    room = len(differs)
    first, count = 0, room
    while count:
        i = differs[first]
        first = (first + 1) % room
        count -= 1
        waiting[i] = False
        over_corners, over_faces = np.int64(0), np.int64(0)
        for k in range(len(steps)):
            bit = np.int64(1) << k
            if bent[i + steps[k]] == full:
                over_corners |= bit
            else:
                over_faces |= bit
        if not _hang_together(over_corners, over_corners, wide) or not _hang_together(over_faces & faces, over_faces & near, narrow):
            continue
        bent[i] = aim[i]
        for step in steps:
            j = i + step
            if bent[j] != aim[j] and not waiting[j]:
                waiting[j] = True
                differs[(first + count) % room] = j
                count += 1


@njit(cache=True, nogil=True)
def _hang_together(some: int, among: int, links: NDArray[np.int64]) -> bool:
    """Whether there are any, and one can be reached from another over `among`."""
    grown, reached = 0, some & -some
    while reached != grown:
        grown = reached
        for k in range(len(links)):
            if (grown >> k) & 1:
                reached |= links[k] & among
    return some != 0 and some & ~reached == 0
