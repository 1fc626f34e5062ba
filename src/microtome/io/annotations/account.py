"""What became of objects in a conversion: how many were written, and what the format could not hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Account"]


@dataclass(frozen=True)
class Account:
    """How much of the outlines is in the file.

    Attributes
    ----------
    path : Path
        The file written.
    objects : int
        How many objects it holds.
    lost : mapping of str to int
        What it does not hold, in words, and how often. Empty where nothing was lost.

    Examples
    --------
    >>> str(Account(Path("cells.zip"), 12, {"objects beyond 60535 px": 1}))
    'cells.zip: 12 objects; lost: objects beyond 60535 px (1)'
    """

    path: Path
    objects: int
    lost: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        lost = ", ".join(f"{what} ({count})" for what, count in self.lost.items())
        return f"{self.path}: {self.objects} objects" + (f"; lost: {lost}" if lost else "")
