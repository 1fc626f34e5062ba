"""COCO's compressed run lengths: each count as a difference to the one two before, in groups of five bits, as printable characters."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from microtome.core.errors import InputError

__all__ = ["compress", "expand"]

_MOST_GROUPS = 7  # 35 bits: more than COCO's own 32, and no shift leaves 64
_STRANGE, _CUT, _LONG = -1, -2, -3


def compress(counts: NDArray[np.int64]) -> str:
    """The string of these counts.

    Parameters
    ----------
    counts : ndarray of int64, shape (N,)
        Lengths of runs in turn, zeros first, none negative.

    Returns
    -------
    str
        Character for character what pycocotools writes.

    References
    ----------
    cocodataset/cocoapi, common/maskApi.c, ``rleToString``.

    Examples
    --------
    >>> compress(np.array([2, 3, 1])), compress(np.array([0, 2, 3, 1]))
    ('231', '023O')
    """
    return _compress(np.ascontiguousarray(counts, np.int64)).tobytes().decode("ascii")


def expand(text: str) -> NDArray[np.int64]:
    """The counts of such a string.

    Returns
    -------
    ndarray of int64, shape (N,)

    Raises
    ------
    InputError
        If a character is none of the 64 that stand for five bits, the string ends inside a count, or a count is negative or has more
        than 35 bits.

    References
    ----------
    cocodataset/cocoapi, common/maskApi.c, ``rleFrString``.

    Examples
    --------
    >>> expand("231").tolist()
    [2, 3, 1]
    """
    characters = np.frombuffer(text.encode("utf-8"), np.uint8)
    counts, place, fault = _expand(characters)
    if fault == _STRANGE:
        raise InputError(f"compressed run lengths: character {place} is {text.encode()[place : place + 1]!r}; they run from '0' to 'o'")
    if fault == _CUT:
        raise InputError(f"compressed run lengths: the {len(text)} characters end inside a count; the string was cut short")
    if fault == _LONG:
        raise InputError(f"compressed run lengths: the count that ends at character {place} is longer than any image")
    if (counts < 0).any():
        raise InputError(f"compressed run lengths: count {int((counts < 0).argmax())} is {int(counts.min())}; none can be negative")
    return counts


@njit(cache=True, nogil=True)
def _compress(counts: NDArray[np.int64]) -> NDArray[np.uint8]:
    out = np.empty(13 * len(counts), np.uint8)  # 64 bits are 13 groups
    filled = 0
    for k in range(len(counts)):
        rest = counts[k] - counts[k - 2] if k > 2 else counts[k]
        more = True
        while more:
            group = rest & 31
            rest >>= 5
            more = rest != -1 if group & 16 else rest != 0  # the last group's upper bit is the sign
            out[filled] = group + 48 + (32 if more else 0)
            filled += 1
    return out[:filled]


@njit(cache=True, nogil=True)
def _expand(characters: NDArray[np.uint8]) -> tuple[NDArray[np.int64], int, int]:
    counts = np.empty(len(characters), np.int64)
    found, at = 0, 0
    while at < len(characters):
        value, groups, more = np.int64(0), 0, True
        while more:
            if at == len(characters):
                return counts[:found], at, _CUT
            bits = np.int64(characters[at]) - 48
            if bits < 0 or bits > 63:
                return counts[:found], at, _STRANGE
            if groups == _MOST_GROUPS:
                return counts[:found], at, _LONG
            value |= (bits & 31) << (5 * groups)
            groups += 1
            at += 1
            more = bits & 32 != 0
            if not more and bits & 16:
                value |= np.int64(-1) << (5 * groups)
        counts[found] = value + counts[found - 2] if found > 2 else value
        found += 1
    return counts[:found], at, 0
