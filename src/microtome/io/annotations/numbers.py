"""Numbers as files write them: objects called 1, 2, 3, whole numbers without a point, lengths that lead back."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["LARGEST", "extent", "object_numbers", "plain"]

LARGEST = 2**31 - 1
"""Of an object's number: it fits in the 32 bits of a mask."""


def object_numbers(names: Sequence[str]) -> list[int]:
    """The numbers that stand in the names, where every name is a number of its own from 1; otherwise 1, 2, 3 ... in order.

    Examples
    --------
    >>> object_numbers(["0007", "3"]), object_numbers(["3", "3"]), object_numbers(["nucleus", ""])
    ([7, 3], [1, 2], [1, 2])
    """
    found = [int(name) for name in names if name.isascii() and name.isdecimal() and len(name) <= 20 and 0 < int(name) <= LARGEST]
    whole = len(found) == len(names) and len(set(found)) == len(names)
    return found if whole else list(range(1, len(names) + 1))


def plain(value: float) -> int | float:
    """Whole numbers without a point.

    >>> plain(2.0), plain(2.5)
    (2, 2.5)
    """
    return int(value) if float(value).is_integer() else float(value)


def extent(low: float, high: float) -> float:
    """The length that leads from `low` back to `high`, where a sum of rounded numbers can.

    >>> 0.1 + (0.7 - 0.1), 0.1 + extent(0.1, 0.7)
    (0.7, 0.7)
    """
    length = high - low
    near = (length, math.nextafter(length, math.inf), math.nextafter(length, -math.inf))
    return next((one for one in near if low + one == high), length)
