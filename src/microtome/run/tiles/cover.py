"""Where windows lie: a grid anchored at the image's origin, so that every order and every memory limit gives the same."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

__all__ = ["corners", "snug", "starts"]


def starts(length: int, window: int, step: int) -> list[int]:
    """The first index of each window along one axis: every `step` from 0, until the axis is covered.

    The last window may reach over the end; what it needs there is mirrored.

    Examples
    --------
    >>> starts(600, 256, 192), starts(256, 256, 192), starts(100, 256, 192)
    ([0, 192, 384], [0], [0])
    """
    count = 1 + max(0, -(-(length - window) // step))
    return [k * step for k in range(count)]


def snug(length: int, window: int, overlap: int, multiple: int) -> int:
    """The smallest side, a multiple of `multiple`, with which as few windows as with `window` cover an axis; 0 keeps `window`.

    Examples
    --------
    >>> snug(520, 512, 64, 16), snug(256, 512, 64, 16), snug(1000, 512, 64, 16), snug(520, 512, 64, 0)
    (304, 256, 384, 512)
    """
    if not multiple:
        return window
    count = len(starts(length, window, window - overlap))
    even = -(-(length + (count - 1) * overlap) // count)
    return min(window, -(-even // multiple) * multiple)


def corners(shape: Sequence[int], window: Sequence[int], step: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """The first corner of every window, row by row."""
    return itertools.product(*(starts(n, w, s) for n, w, s in zip(shape, window, step, strict=True)))
