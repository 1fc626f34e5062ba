"""Object numbers from names: what a file calls 1, 2, 3 keeps its number."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["object_numbers"]

_LARGEST = 2**31 - 1


def object_numbers(names: Sequence[str]) -> list[int]:
    """The numbers that stand in the names, where every name is a number of its own from 1; otherwise 1, 2, 3 ... in order.

    Examples
    --------
    >>> object_numbers(["0007", "3"]), object_numbers(["3", "3"]), object_numbers(["nucleus", ""])
    ([7, 3], [1, 2], [1, 2])
    """
    found = [int(name) for name in names if name.isascii() and name.isdecimal() and len(name) <= 20 and 0 < int(name) <= _LARGEST]
    whole = len(found) == len(names) and len(set(found)) == len(names)
    return found if whole else list(range(1, len(names) + 1))
