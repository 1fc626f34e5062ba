"""A fault of labelled data: what it is, where, why it may have come about, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Place", "Problem", "Severity"]

Severity = Literal["problem", "note"]
Place = tuple[int, ...]


@dataclass(frozen=True)
class Problem:
    """One finding.

    Attributes
    ----------
    kind : str
        Its name, the same for every finding of this sort: ``"mask-without-image"``.
    message : str
        What was found, in one sentence with its numbers, without the file's name.
    file : str
        Relative to the data folder, with forward slashes; empty for the data set as a whole.
    cause : str
        Its likely cause.
    remedy : str
        What to do, or what ``--fix`` does.
    values : tuple
        The values it is about (labels, sizes), at most a dozen.
    places : tuple of tuple of int
        Pixels (y, x) or (z, y, x) where it shows, at most a dozen.
    others : tuple of str
        Other files it is about, such as the twin of a duplicate.
    severity : {"problem", "note"}
        A note is worth knowing and may be meant so; problems make ``microtome check`` end with exit code 1.
    fixable : bool
        Whether ``--fix`` mends it.
    """

    kind: str
    message: str
    file: str = ""
    cause: str = ""
    remedy: str = ""
    values: tuple[Any, ...] = ()
    places: tuple[Place, ...] = ()
    others: tuple[str, ...] = ()
    severity: Severity = "problem"
    fixable: bool = False
