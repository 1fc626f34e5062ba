"""A mask in its smallest box, and back: work on an object that does not grow with its image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.kernels.run_lengths import of_spans
from microtome.core.objects import Runs

__all__ = ["Patch", "patch_of", "runs_at", "union"]

_MOST = 1 << 31  # pixels: 2 GiB


class Patch(NamedTuple):
    """The pixels of a mask in its smallest box, and the box's first row and column."""

    pixels: NDArray[np.bool_]
    top: int
    left: int


def patch_of(runs: Runs) -> Patch:
    """Cut a mask out of its image; only the columns it stands in are decoded.

    Raises
    ------
    InputError
        If these columns have more than 2 ** 31 pixels.

    Examples
    --------
    >>> patch_of(Runs((4, 9), np.array([5, 2, 2, 1, 26])))
    Patch(pixels=array([[ True,  True],
       [ True, False]]), top=1, left=1)
    """
    height = runs.shape[0]
    top, left, bottom, right = (int(edge) for edge in runs.box)
    if (right - left) * height > _MOST:
        raise InputError(f"a mask of {right - left} columns of {height} pixels: up to {_MOST} are decoded; cut the image into tiles")
    edges = np.clip(np.concatenate([[0], np.cumsum(runs.counts)]), left * height, right * height)
    ones = np.arange(len(runs.counts)) % 2 == 1
    columns = np.repeat(ones, np.diff(edges)).reshape(right - left, height)
    return Patch(columns[:, top:bottom].T, top, left)


def runs_at(pixels: NDArray[Any], top: int, left: int, shape: tuple[int, int]) -> Runs:
    """Put a mask into an image at a row and a column; what lies outside of the image is cut off.

    Parameters
    ----------
    pixels : ndarray, shape (H, W)
        Whatever is not 0 belongs to the mask.
    top, left : int
        May be below 0.
    shape : tuple of int
        Height and width of the image.

    Examples
    --------
    >>> runs_at(np.ones((2, 2)), 1, -1, (3, 4)).counts.tolist()
    [1, 2, 9]
    """
    height, width = shape
    inside = np.asarray(pixels, bool)[max(0, -top) : max(0, height - top), max(0, -left) : max(0, width - left)]
    top, left = max(0, top), max(0, left)
    walls = np.zeros((inside.shape[1], 1), np.int8)
    steps = np.diff(np.hstack([walls, inside.T.astype(np.int8), walls]), axis=1)
    column, row = np.nonzero(steps == 1)
    past = np.nonzero(steps == -1)[1]
    lower = (left + column) * height + top
    return of_spans(lower + row, lower + past, shape)


def union(masks: Sequence[Runs]) -> Runs:
    """One mask of all pixels that any of them has; all of one shape.

    Examples
    --------
    >>> union([Runs((1, 5), np.array([0, 2, 3])), Runs((1, 5), np.array([1, 3, 1]))]).counts.tolist()
    [0, 4, 1]
    """
    edges = [np.cumsum(one.counts) for one in masks]
    starts = np.concatenate([edge[: 2 * (len(edge) // 2) : 2] for edge in edges])
    ends = np.concatenate([edge[1::2] for edge in edges])
    order = np.argsort(starts, kind="stable")
    order = order[ends[order] > starts[order]]  # without spans of no pixel
    return of_spans(starts[order], ends[order], masks[0].shape)
