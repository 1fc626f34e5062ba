"""Which labels of two maps lie over each other, and in how many pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from microtome.core.errors import InputError
from microtome.core.kernels.bands import in_bands
from microtome.measure.metrics._same_pixels import same_pixels

__all__ = ["Contingency", "contingency"]


_BAND = 1 << 20  # pixels a thread counts at a time
_LEAST = -(1 << 31)  # taken off the second label of a key, so that keys sort as pairs do
_PIECE = 1 << 13  # pixels whose runs are found before they are counted


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


def contingency(pred: ArrayLike, truth: ArrayLike) -> Contingency:
    """Count how often each pair of labels occurs.

    Parameters
    ----------
    pred, truth : ndarray of bool or integers, same shape, any number of axes
        Labels that fit in 32 bits.

    Raises
    ------
    InputError
        If the shapes differ, or a label is no whole number of 32 bits.

    Notes
    -----
    One pass and memory for the pairs that occur only, so that thousands of objects on each side cost nothing.

    Examples
    --------
    >>> found = contingency(np.array([[0, 1, 1]]), np.array([[0, 0, 2]]))
    >>> found.truth.tolist(), found.pred.tolist(), found.pixels.tolist()
    ([0, 0, 2], [0, 1, 1], [1, 1, 1])
    """
    pred, truth = same_pixels(pred, truth)
    first, second = _flat(truth, "truth"), _flat(pred, "prediction")
    found = in_bands(lambda start, past: _count(first[start:past], second[start:past]), len(first), _BAND)
    keys, pixels = _merged(found)
    return Contingency((keys >> 32).astype(np.int32), ((keys & 0xFFFFFFFF) + _LEAST).astype(np.int32), pixels)


def _merged(found: list[tuple[NDArray[np.int64], NDArray[np.int64]]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ascending keys, each once, with the sum of its counts over all bands."""
    if not found:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    keys, pixels = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.argsort(keys)
    keys, pixels = keys[order], pixels[order]
    first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    return keys[first], np.add.reduceat(pixels, first)


def _flat(labels: NDArray[Any], side: str) -> NDArray[np.int32]:
    fits = np.can_cast(labels.dtype, np.int32) or not labels.size
    for label in () if fits else (int(labels.min()), int(labels.max())):
        if not -(1 << 31) <= label < 1 << 31:
            raise InputError(f"the {side} holds the label {label}, which does not fit in 32 bits; renumber the labels")
    return np.ascontiguousarray(labels, dtype=np.int32).reshape(-1)


@njit(cache=True, nogil=True)
def _count(first: NDArray[np.int32], second: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count pairs in a hash table, run by run; both labels stand in one 64-bit key."""
    keys = np.empty(1024, np.int64)
    counts = np.zeros(1024, np.int64)  # 0 marks a free slot
    used = 0
    starts = np.empty(_PIECE + 1, np.int64)
    for piece in range(0, len(first), _PIECE):
        t, p = first[piece : piece + _PIECE], second[piece : piece + _PIECE]
        runs = _runs(t, p, starts)
        done, used = _add(t, p, starts, 0, runs, keys, counts, used)
        while done < runs:
            keys, counts = _doubled(keys, counts)
            done, used = _add(t, p, starts, done, runs, keys, counts, used)
    full = counts > 0
    return keys[full], counts[full]


@njit(cache=True, nogil=True)
def _add(
    first: NDArray[np.int32],
    second: NDArray[np.int32],
    starts: NDArray[np.int64],
    done: int,
    runs: int,
    keys: NDArray[np.int64],
    counts: NDArray[np.int64],
    used: int,
) -> tuple[int, int]:
    """Count runs until all are done or the table is half full; tables are exchanged by the caller, which keeps this loop fast."""
    for r in range(done, runs):
        if 2 * used >= len(keys):
            return r, used
        i = starts[r]
        key = (np.int64(first[i]) << 32) | (np.int64(second[i]) - _LEAST)
        slot = _slot(keys, counts, key)
        used += counts[slot] == 0
        keys[slot] = key
        counts[slot] += starts[r + 1] - i
    return runs, used


@njit(cache=True, nogil=True)
def _runs(first: NDArray[np.int32], second: NDArray[np.int32], starts: NDArray[np.int64]) -> int:
    """Where the pair changes, and the end; without a branch, since runs are too short to foresee where they stop."""
    starts[0] = 0
    runs = 1
    for i in range(1, len(first)):
        starts[runs] = i
        runs += (first[i] != first[i - 1]) | (second[i] != second[i - 1])
    starts[runs] = len(first)
    return runs


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
def _doubled(keys: NDArray[np.int64], counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    new_keys = np.empty(2 * len(keys), np.int64)
    new_counts = np.zeros(2 * len(keys), np.int64)
    for i in range(len(keys)):
        if counts[i]:
            slot = _slot(new_keys, new_counts, keys[i])
            new_keys[slot] = keys[i]
            new_counts[slot] = counts[i]
    return new_keys, new_counts
