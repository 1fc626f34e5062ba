"""Masks as the lengths of their runs, down the columns: compact, exact, and the form COCO and Kaggle exchange."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.objects import Runs

__all__ = ["check", "decode", "encode", "encode_each", "of_spans", "shared_pixels"]


def encode(mask: NDArray[Any]) -> Runs:
    """The runs of a 2-D mask; whatever is not 0 belongs to it.

    Examples
    --------
    >>> encode(np.array([[0, 1, 1], [0, 1, 0]])).counts.tolist()
    [2, 3, 1]
    """
    flat = np.asarray(mask, bool).ravel(order="F")
    turns = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    edges = np.concatenate([[0], turns, [flat.size]])
    counts = np.diff(edges)
    if flat.size and flat[0]:
        counts = np.concatenate([[0], counts])
    return Runs((mask.shape[0], mask.shape[1]), counts.astype(np.int64))


def decode(runs: Runs) -> NDArray[np.bool_]:
    """The mask of these runs.

    Raises
    ------
    InputError
        If the runs do not cover the mask exactly, or one is negative.

    Examples
    --------
    >>> decode(Runs((2, 3), np.array([2, 3, 1]))).astype(int).tolist()
    [[0, 1, 1], [0, 1, 0]]
    """
    check(runs)
    ones = np.arange(len(runs.counts)) % 2 == 1
    return np.repeat(ones, runs.counts).reshape(runs.shape, order="F")


def check(runs: Runs) -> None:
    """Refuse runs that are negative or do not add up to the mask's pixels, before anything is made of them."""
    pixels = runs.shape[0] * runs.shape[1]
    if (runs.counts < 0).any():
        raise InputError(f"run lengths: one is {int(runs.counts.min())}; none can be negative")
    if (covered := int(runs.counts.sum())) != pixels:
        raise InputError(f"run lengths: they cover {covered} pixels, a mask of {runs.shape[0]} x {runs.shape[1]} has {pixels}")


def encode_each(labels: NDArray[Any]) -> dict[int, Runs]:
    """The runs of every object of a label map (2-D, 0 is the background), in one pass, by ascending number.

    Examples
    --------
    >>> {number: runs.counts.tolist() for number, runs in encode_each(np.array([[7, 0], [7, 3]])).items()}
    {3: [3, 1], 7: [0, 2, 2]}
    """
    height, width = labels.shape
    flat = np.ravel(labels, order="F")
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1]) if flat.size else np.zeros(0, np.int64)
    ends = np.append(starts[1:], flat.size)
    values = flat[starts] if flat.size else flat
    kept = np.flatnonzero(values != 0)
    order = kept[np.argsort(values[kept], kind="stable")]
    numbers, first = np.unique(values[order], return_index=True)
    groups = np.split(order, first[1:]) if len(numbers) else []
    return {int(number): of_spans(starts[own], ends[own], (height, width)) for number, own in zip(numbers, groups, strict=True)}


def of_spans(starts: NDArray[np.int64], ends: NDArray[np.int64], shape: tuple[int, int]) -> Runs:
    """The runs of half-open spans of pixels, counted down the columns; spans that touch or overlap are one.

    Parameters
    ----------
    starts, ends : ndarray of int64, shape (N,)
        By ascending start; none without a pixel.
    shape : tuple of int

    Examples
    --------
    >>> of_spans(np.array([1, 2, 5]), np.array([4, 3, 6]), (2, 3)).counts.tolist()
    [1, 3, 1, 1]
    """
    reach = np.maximum.accumulate(ends) if len(ends) else ends
    gaps = starts[1:] > reach[:-1]
    edges = np.stack([starts[np.append(True, gaps)], reach[np.append(gaps, True)]], axis=1).ravel() if len(ends) else starts
    counts = np.diff(np.concatenate([[0], edges, [shape[0] * shape[1]]]))
    return Runs(shape, (counts[:-1] if len(counts) > 1 and counts[-1] == 0 else counts).astype(np.int64))


def shared_pixels(first: Runs, second: Runs) -> int:
    """How many pixels two masks of one shape have in common, without decoding them.

    >>> shared_pixels(encode(np.array([[1, 1, 0]])), encode(np.array([[0, 1, 1]])))
    1
    """
    if first.shape != second.shape:
        raise InputError(f"run lengths: masks of shapes {first.shape} and {second.shape} do not lie over the same pixels")
    return int(_shared(first.counts, second.counts))


@njit(cache=True, nogil=True)
def _shared(a: NDArray[np.int64], b: NDArray[np.int64]) -> int:
    shared, i, j = 0, 0, 0
    left_a, left_b = (a[0] if len(a) else 0), (b[0] if len(b) else 0)
    while i < len(a) and j < len(b):
        step = min(left_a, left_b)
        if i % 2 == 1 and j % 2 == 1:
            shared += step
        left_a -= step
        left_b -= step
        if left_a == 0:
            i += 1
            left_a = a[i] if i < len(a) else 0
        if left_b == 0:
            j += 1
            left_b = b[j] if j < len(b) else 0
    return shared
