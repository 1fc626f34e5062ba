"""A waiting line for pixels: the highest level first, and within a level first come, first served.

The queue is a few plain arrays, so that kernels can hold one each:

- ``first``, ``last``: the pixel at each end of a level's line, -1 where nobody waits;
- ``behind``: the pixel behind each pixel; a pixel waits in one line only, so one entry a pixel is enough;
- ``marks``: which levels have a line, as bits; above them, which of these 64-bit words are not 0; and so on up to a
  single word, so that the highest level is found in a few steps however many levels there are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

__all__ = ["layers", "lines", "pop", "push"]


def layers(levels: int) -> NDArray[np.int64]:
    """Where each layer of `marks` begins, from the levels' own bits up to the single word; the last entry is the end."""
    starts = [0]
    words = levels
    while words > 1 or len(starts) == 1:
        words = (words + 63) // 64
        starts.append(starts[-1] + words)
    return np.array(starts, np.int64)


@njit(cache=True, nogil=True)
def lines(levels: int, starts: NDArray[np.int64]) -> Any:
    """An empty queue: `first`, `last` and `marks`."""
    return np.full(levels, -1, np.int32), np.full(levels, -1, np.int32), np.zeros(starts[-1], np.uint64)


@njit(cache=True, nogil=True)
def push(
    pixel: int,
    level: int,
    first: NDArray[np.int32],
    last: NDArray[np.int32],
    behind: NDArray[np.int32],
    marks: NDArray[np.uint64],
    starts: NDArray[np.int64],
) -> None:
    """Put a pixel at the end of its level's line."""
    behind[pixel] = -1
    if first[level] >= 0:
        behind[last[level]] = pixel
        last[level] = pixel
        return
    first[level] = last[level] = pixel
    for layer in range(len(starts) - 1):
        word = starts[layer] + (level >> 6)
        before = marks[word]
        marks[word] = before | np.uint64(1) << np.uint64(level & 63)
        if before:
            return
        level >>= 6


@njit(cache=True, nogil=True)
def pop(
    first: NDArray[np.int32],
    behind: NDArray[np.int32],
    marks: NDArray[np.uint64],
    starts: NDArray[np.int64],
) -> int:
    """Take the first pixel of the highest level; -1 when nobody waits."""
    if marks[-1] == 0:
        return -1
    level = 0
    for layer in range(len(starts) - 2, -1, -1):
        level = level << 6 | _highest_bit(marks[starts[layer] + level])
    pixel = first[level]
    first[level] = behind[pixel]
    if first[level] < 0:
        for layer in range(len(starts) - 1):
            word = starts[layer] + (level >> 6)
            marks[word] &= ~(np.uint64(1) << np.uint64(level & 63))
            if marks[word]:
                break
            level >>= 6
    return pixel


@intrinsic  # type: ignore[untyped-decorator]
def _highest_bit(typing_context: Any, word: Any) -> Any:
    """The place of the highest bit of a 64-bit word that is not 0: one instruction of the processor."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        zeros = builder.ctlz(arguments[0], ir.Constant(ir.IntType(1), 1))
        return builder.sub(ir.Constant(ir.IntType(64), 63), zeros)

    return types.int64(types.uint64), generate
