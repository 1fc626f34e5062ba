"""Colours that people with any colour vision can tell apart, and who gets which.

The seven colours are those of Okabe and Ito (Color Universal Design, 2008); maps of numbers use cividis (Nuñez, Anderton and
Renslow, PLoS ONE 13(7), 2018, e0199239), which rises evenly in lightness for everybody.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["CIVIDIS", "OBJECTS", "colours_apart", "dense", "rgb"]

OBJECTS = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#d55e00", "#cc79a7")
"""For objects and classes in turn; the seventh of the set, a dark blue, is the accent of light pages instead."""

_CIVIDIS = ("#00224e", "#1a386f", "#434e6c", "#61656f", "#7d7c78", "#9b9476", "#bcae6c", "#dec958", "#fee838")
_NEAR = ((0, 1), (1, -1), (1, 0), (1, 1), (0, 2), (2, 0))


def rgb(colours: tuple[str, ...]) -> NDArray[np.uint8]:
    """Turn ``"#rrggbb"`` into rows of red, green, blue.

    >>> rgb(("#ff8000",)).tolist()
    [[255, 128, 0]]
    """
    return np.array([[int(colour[k : k + 2], 16) for k in (1, 3, 5)] for colour in colours], np.uint8)


def _ramp(colours: tuple[str, ...]) -> NDArray[np.uint8]:
    stops, at = rgb(colours).astype(float), np.linspace(0, len(colours) - 1, 256)
    return np.stack([np.interp(at, np.arange(len(colours)), stops[:, k]) for k in range(3)], axis=1).round().astype(np.uint8)


CIVIDIS = _ramp(_CIVIDIS)
"""256 rows of red, green, blue, from dark to light."""


def dense(labels: NDArray[np.integer]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Number the labels that occur 1, 2, 3, ... in ascending order; 0 stays 0.

    Parameters
    ----------
    labels : ndarray of integers, none below zero

    Returns
    -------
    numbers : ndarray of int32, shape of `labels`
    ids : ndarray of int64, shape (n,)
        The label that number ``k + 1`` stands for.

    Examples
    --------
    >>> numbers, ids = dense(np.array([[0, 7], [900, 7]]))
    >>> numbers.tolist(), ids.tolist()
    ([[0, 1], [2, 1]], [7, 900])
    """
    top = int(labels.max(initial=0))
    if top > 4 * labels.size + 65536:
        ids = np.unique(labels[labels != 0])
        return np.where(labels != 0, np.searchsorted(ids, labels) + 1, 0).astype(np.int32), ids.astype(np.int64)
    occurs = np.zeros(top + 1, bool)
    occurs[labels] = True
    occurs[0] = False
    number = np.cumsum(occurs, dtype=np.int32) * occurs
    return number[labels], np.flatnonzero(occurs).astype(np.int64)


def colours_apart(numbers: NDArray[np.int32], count: int) -> NDArray[np.uint8]:
    """Choose a colour for each of the objects 1..count so that neighbours, up to two pixels apart, differ where six colours allow it.

    Parameters
    ----------
    numbers : ndarray of int32, axes yx
    count : int
        The largest number.

    Returns
    -------
    ndarray of uint8, shape (count,)
        The index into `OBJECTS` of object ``k + 1``.

    Notes
    -----
    Greedy, in order of number: the first colour in turn that no neighbour has yet; the least used one among them where all are taken.

    Examples
    --------
    >>> colours_apart(np.array([[1, 2], [3, 4]], np.int32), 4).tolist()
    [1, 2, 3, 4]
    """
    neighbours: list[list[int]] = [[] for _ in range(count + 1)]
    for low, high in _touching(numbers).tolist():
        neighbours[high].append(low)
    chosen = np.zeros(count + 1, np.uint8)
    several = len(OBJECTS)
    for number in range(1, count + 1):
        used = [0] * several
        for other in neighbours[number]:
            used[chosen[other]] += 1
        chosen[number] = min(range(number, number + several), key=lambda turn: used[turn % several]) % several
    return chosen[1:]


def _touching(numbers: NDArray[np.int32]) -> NDArray[np.int64]:
    """Pairs (low, high) of objects that lie next to each other, each once."""
    codes = []
    height, width = numbers.shape
    for down, right in _NEAR:
        one = numbers[: max(height - down, 0), max(-right, 0) : width - max(right, 0)]
        two = numbers[down:, max(right, 0) : width + min(right, 0)]
        differ = (one != two) & (one > 0) & (two > 0)
        a, b = one[differ].astype(np.int64), two[differ].astype(np.int64)
        codes.append(np.unique(np.minimum(a, b) << 32 | np.maximum(a, b)))
    pairs = np.unique(np.concatenate(codes))
    return np.stack([pairs >> 32, pairs & 0xFFFFFFFF], axis=1)
