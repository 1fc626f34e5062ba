"""Numbers and lists in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["count", "listed", "percent"]


def listed(items: Sequence[Any], most: int = 8) -> str:
    """The first few items and how many more there are.

    >>> listed([1, 2, 3, 4], most=3)
    '1, 2, 3 and 1 more'
    """
    shown = ", ".join(str(item) for item in items[:most])
    return f"{shown} and {len(items) - most:,} more" if len(items) > most else shown


def count(number: int, what: str, plural: str = "") -> str:
    """A number with its noun.

    >>> count(1, "pixel"), count(1200, "pixel")
    ('1 pixel', '1,200 pixels')
    """
    return f"{number:,} {what if number == 1 else plural or what + 's'}"


def percent(share: float) -> str:
    """A share in per cent, with as many digits as it needs.

    >>> percent(0.1234), percent(0.00012)
    ('12 %', '0.012 %')
    """
    if share == 0 or share >= 0.0995:
        return f"{share:.0%}".replace("%", " %")
    return f"{100 * share:.2g} %"
