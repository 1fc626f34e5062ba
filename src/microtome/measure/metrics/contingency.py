"""Which labels of two maps lie over each other, and in how many pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from microtome.core.errors import InputError

__all__ = ["Contingency", "contingency"]


@dataclass(frozen=True, eq=False)
class Contingency:
    """The pairs of labels that occur, by truth and then by prediction, ascending.

    Attributes
    ----------
    truth, pred : ndarray of int32, shape (K,)
        The labels of each pair, 0 included.
    pixels : ndarray of int64, shape (K,)
        How many pixels have both.
    """

    truth: NDArray[np.int32]
    pred: NDArray[np.int32]
    pixels: NDArray[np.int64]

    def areas(self, side: str) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """The labels of one side (``"truth"`` or ``"pred"``), ascending, and their pixels."""
        labels, place = np.unique(getattr(self, side), return_inverse=True)
        areas = np.zeros(len(labels), np.int64)
        np.add.at(areas, place, self.pixels)
        return labels, areas


def contingency(pred: NDArray[Any], truth: NDArray[Any]) -> Contingency:
    """Count how often each pair of labels occurs.

    Parameters
    ----------
    pred, truth : ndarray of integers, same shape, any number of axes
        Labels that fit in 32 bits.

    Raises
    ------
    InputError
        If the shapes differ.

    Notes
    -----
    One pass and memory for the pairs that occur only, so that thousands of objects on each side cost nothing.

    Examples
    --------
    >>> found = contingency(np.array([[0, 1, 1]]), np.array([[0, 0, 2]]))
    >>> found.truth.tolist(), found.pred.tolist(), found.pixels.tolist()
    ([0, 0, 2], [0, 1, 1], [1, 1, 1])
    """
    if pred.shape != truth.shape:
        raise InputError(f"the prediction has shape {pred.shape} and the truth {truth.shape}: both must cover the same pixels")
    keys, pixels = _count(_flat(truth), _flat(pred))
    order = np.argsort(keys)
    keys, pixels = keys[order], pixels[order]
    return Contingency((keys >> 32).astype(np.int32), (keys & 0xFFFFFFFF).astype(np.uint32).astype(np.int32), pixels)


def _flat(labels: NDArray[Any]) -> NDArray[np.int32]:
    return np.ascontiguousarray(labels, dtype=np.int32).reshape(-1)


@njit(cache=True, nogil=True)
def _count(first: NDArray[np.int32], second: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count pairs in a hash table; both labels stand in one 64-bit key."""
    size = 1024
    keys = np.empty(size, np.int64)
    counts = np.zeros(size, np.int64)  # 0 marks a free slot
    used = 0
    i = 0
    while i < len(first):
        start, t, p = i, first[i], second[i]
        while i < len(first) and first[i] == t and second[i] == p:
            i += 1  # labels come in runs: most pixels have the pair of the pixel before
        if 2 * used >= size:
            keys, counts, size = _doubled(keys, counts)
        key = (np.int64(t) << 32) | (np.int64(p) & 0xFFFFFFFF)
        slot = _slot(keys, counts, key)
        used += counts[slot] == 0
        keys[slot] = key
        counts[slot] += i - start
    full = counts > 0
    return keys[full], counts[full]


@njit(cache=True, nogil=True)
def _slot(keys: NDArray[np.int64], counts: NDArray[np.int64], key: np.int64) -> np.int64:
    """Where a key stands, or the free slot where it belongs."""
    mask = len(keys) - 1
    mixed = key * np.int64(-7046029254386353131)  # 2**64 over the golden ratio
    slot = (mixed >> 32) & mask
    while counts[slot] and keys[slot] != key:
        slot = (slot + 1) & mask
    return slot


@njit(cache=True, nogil=True)
def _doubled(keys: NDArray[np.int64], counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    size = 2 * len(keys)
    new_keys = np.empty(size, np.int64)
    new_counts = np.zeros(size, np.int64)
    for i in range(len(keys)):
        if counts[i]:
            slot = _slot(new_keys, new_counts, keys[i])
            new_keys[slot] = keys[i]
            new_counts[slot] = counts[i]
    return new_keys, new_counts, size
