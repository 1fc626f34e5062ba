"""Small patches of a picture as hashes that stay the same wherever the patch lies: what a crop has in common with its original."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["SIDE", "patches"]

SIDE = 8
"""Pixels: the patches are squares of this side."""

_ONE_IN = 256  # patches whose hash is below 2**64 / 256 are kept: a choice that does not depend on where the picture was cut
_MOST = 4096  # of a picture; the smallest hashes, so that a crop keeps those of its original that fell into it
_TURNS = 12  # unequal neighbours, of 112, that a patch needs: flat ones are alike in every picture
_ALONG, _DOWN = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)


def patches(planes: NDArray[np.unsignedinteger[Any]]) -> tuple[NDArray[np.uint64], NDArray[np.int32]]:
    """Hashes of some patches of 8 x 8 pixels, chosen by their content alone, and where they lie.

    Parameters
    ----------
    planes : ndarray of unsigned integers, shape (Z, Y, X, C)
        A pixel whose channels are all equal counts as grey.

    Returns
    -------
    hashes : ndarray of uint64, shape (N,)
        Ascending. About one patch in 256, 4,096 at most; without flat patches, and without those that are there twice.
    places : ndarray of int32, shape (N, 3)
        z, y, x of each patch's first pixel.

    Examples
    --------
    >>> picture = np.random.default_rng(0).integers(0, 255, (1, 200, 300, 1), np.uint8)
    >>> whole, places = patches(picture)
    >>> part, _ = patches(picture[:, 50:150, 20:220])
    >>> bool(np.isin(part, whole).all()), len(part) > 40
    (True, True)
    """
    if min(planes.shape[1:3]) < SIDE:
        return np.zeros(0, np.uint64), np.zeros((0, 3), np.int32)
    found = [_found(np.ascontiguousarray(plane)) for plane in planes]
    hashes = np.concatenate([one for one, _ in found])
    places = np.concatenate([np.insert(at, 0, z, axis=1) for z, (_, at) in enumerate(found)]).astype(np.int32)
    _, first, count = np.unique(hashes, return_index=True, return_counts=True)
    chosen = first[count == 1][:_MOST]
    return hashes[chosen], places[chosen]


def _found(plane: NDArray[np.unsignedinteger[Any]]) -> tuple[NDArray[np.uint64], NDArray[np.int32]]:
    room = plane.shape[0] * plane.shape[1] // (_ONE_IN // 4) + 1024
    while True:
        hashes, places = np.empty(room, np.uint64), np.empty((room, 2), np.int32)
        if (count := _of_plane(plane, hashes, places)) <= room:
            return hashes[:count], places[:count]
        room = count  # a pattern that repeats can have any number of them


@njit(cache=True, nogil=True)
def _of_plane(plane, hashes, places):  # type: ignore[no-untyped-def]
    """Rolling polynomial hashes modulo 2**64, first along the rows, then down the columns, in the memory of ten rows.

    The room is the caller's: an array that grows within the loop would keep all of it from being vectorised, eight times slower.
    """
    height, width = plane.shape[:2]
    columns = width - SIDE + 1
    down_out = np.uint64(1)
    for _ in range(SIDE):
        down_out *= _DOWN
    limit = np.uint64(0xFFFFFFFFFFFFFFFF) // np.uint64(_ONE_IN)
    rows = np.zeros((SIDE, columns), np.uint64)
    hashed, final = np.zeros(columns, np.uint64), np.zeros(columns, np.uint64)
    values, along = np.zeros(width, np.uint64), np.zeros(columns, np.uint64)
    count = 0
    for y in range(height):
        _values(plane[y], values)
        _along(values, along)
        out = rows[y % SIDE]
        for x in range(columns):
            hashed[x] = hashed[x] * _DOWN + along[x] - down_out * out[x]
            out[x] = along[x]
            final[x] = _mixed(hashed[x])
        if y < SIDE - 1:
            continue
        for x in range(columns):
            if final[x] < limit and _turns(plane, y - SIDE + 1, x) >= _TURNS:
                if count < len(hashes):
                    hashes[count] = final[x]
                    places[count, 0], places[count, 1] = y - SIDE + 1, x
                count += 1
    return count


@njit(cache=True, nogil=True)
def _values(row, out):  # type: ignore[no-untyped-def]
    """One well mixed number for each pixel of a row, grey where its channels are equal."""
    for x in range(len(row)):
        first = np.uint64(row[x, 0])
        value = first
        for c in range(1, row.shape[1]):
            value = value * np.uint64(65537) + (np.uint64(row[x, c]) - first)
        out[x] = value
    if row.shape[1] > 1:
        grey = np.uint64(1)
        for _ in range(1, row.shape[1]):
            grey *= np.uint64(65537)
        for x in range(len(row)):
            first = np.uint64(row[x, 0])
            out[x] = first if out[x] == first * grey else out[x]
    for x in range(len(row)):
        out[x] = _mixed(out[x])


@njit(cache=True, nogil=True)
def _along(values, out):  # type: ignore[no-untyped-def]
    """The polynomial hash of every SIDE neighbours in a row. Each is computed on its own: no multiplication waits for another."""
    powers = np.ones(SIDE, np.uint64)
    for k in range(SIDE - 2, -1, -1):
        powers[k] = powers[k + 1] * _ALONG
    for x in range(len(out)):
        out[x] = np.uint64(0)
    for k in range(SIDE):
        power = powers[k]
        for x in range(len(out)):
            out[x] += power * values[x + k]


@njit(cache=True, nogil=True)
def _mixed(value):  # type: ignore[no-untyped-def]
    """Every bit spread over all 64: the finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014, doi:10.1145/2660193.2660195)."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@njit(cache=True, nogil=True)
def _turns(plane, top, left):  # type: ignore[no-untyped-def]
    """How many pixels of a patch differ from the one before them, along or down."""
    count = 0
    for y in range(top, top + SIDE):
        for x in range(left, left + SIDE):
            for c in range(plane.shape[2]):
                if x > left and plane[y, x, c] != plane[y, x - 1, c]:
                    count += 1
                    break
            for c in range(plane.shape[2]):
                if y > top and plane[y, x, c] != plane[y - 1, x, c]:
                    count += 1
                    break
    return count
