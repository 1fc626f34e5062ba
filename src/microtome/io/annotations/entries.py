"""Reading a file's entries one by one: each fault is told with file and entry, and the rest is read where the user allows it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.events import warn

__all__ = ["FARTHEST", "Entries", "coordinate", "field", "number", "ring", "text"]

FARTHEST = 1 << 31
"""Pixels from the corner of an image: no image reaches so far, so that a coordinate beyond is a fault of the file."""
T = TypeVar("T")


class Entries:
    """What becomes of faulty entries of one file.

    Parameters
    ----------
    path : Path
    skip_bad : bool
        False: the first faulty entry ends the reading with an `InputError`. True: it is left out with a warning.

    Attributes
    ----------
    bad : int
        How many entries were left out.
    """

    def __init__(self, path: Path, *, skip_bad: bool) -> None:
        self.path, self.skip_bad, self.bad = path, skip_bad, 0

    @contextmanager
    def entry(self, place: str) -> Iterator[None]:
        """Read one entry in this block; an `InputError` in it gets the file and the place, such as ``"annotations[3] (id 17)"``."""
        try:
            yield
        except InputError as error:
            told = f"{self.path}: {place}: {error}"
            if not self.skip_bad:
                raise InputError(told) from None
            self.bad += 1
            warn(f"{told}; left out")


def field(entry: Any, name: str, kind: type[T] | tuple[type[T], ...]) -> T:
    """A field of an entry, of the kind it must be.

    Raises
    ------
    InputError
        If the entry is no mapping, or has no such field, or one of another kind.

    Examples
    --------
    >>> field({"width": 640}, "width", int)
    640
    >>> field({"width": "640"}, "width", int)
    Traceback (most recent call last):
    microtome.core.errors.InputError: 'width' must be int, found '640'
    """
    if not isinstance(entry, Mapping):
        raise InputError(f"expected an object with named fields, found {_short(entry)}")
    if name not in entry:
        raise InputError(f"{name!r} is missing")
    value: Any = entry[name]
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise InputError(f"{name!r} must be {' or '.join(one.__name__ for one in kinds)}, found {_short(value)}")
    return text(value, repr(name)) if isinstance(value, str) else value  # type: ignore[return-value]


def text(value: str, what: str) -> str:
    """Text that can be written to files and be part of their names.

    Raises
    ------
    InputError
        If it holds the character NUL, or half of a pair of surrogates.
    """
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(f"{what} holds {value[error.start]!r}, half of a character; correct it") from None
    if "\0" in value:
        raise InputError(f"{what} holds the character NUL, found {_short(value)}; correct it")
    return value


def number(value: Any, what: str) -> float:
    """A finite number, from a number or its text.

    >>> number("2.5", "x"), number(3, "x")
    (2.5, 3.0)
    """
    try:
        found = math.nan if isinstance(value, bool) or (isinstance(value, str) and "_" in value) else float(value)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found):
        raise InputError(f"{what} must be a finite number, found {_short(value)}")
    return found


def coordinate(value: Any, what: str) -> float:
    """A number of pixels that an image can have.

    >>> coordinate("-2.5", "x")
    -2.5
    """
    found = number(value, what)
    if abs(found) > FARTHEST:
        raise InputError(f"{what} is {_short(value)}, farther out than any image reaches")
    return found


def ring(points: Sequence[Any], what: str = "polygon") -> NDArray[np.float64]:
    """Corners (y, x) from pairs (x, y); without a last corner that repeats the first.

    Raises
    ------
    InputError
        If there are fewer than three corners, or one is no pair of finite numbers, or farther out than any image reaches.

    Examples
    --------
    >>> ring([[0, 0], [4, 0], [4, 2], [0, 0]]).tolist()
    [[0.0, 0.0], [0.0, 4.0], [2.0, 4.0]]
    """
    try:
        corners = np.array([[float(y), float(x)] for x, y in points], np.float64).reshape(-1, 2)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{what}: corners must be pairs of numbers, found {_short(points)}") from None
    if not np.isfinite(corners).all():
        place = int(np.flatnonzero(~np.isfinite(corners).all(axis=1))[0])
        raise InputError(f"{what}: corner {place} is {tuple(corners[place, ::-1].tolist())}; coordinates must be finite")
    if (np.abs(corners) > FARTHEST).any():
        raise InputError(f"{what}: it reaches to {np.abs(corners).max():g}, farther out than any image")
    if len(corners) > 1 and (corners[0] == corners[-1]).all():
        corners = corners[:-1]
    if len(corners) < 3:
        raise InputError(f"{what}: {len(corners)} corners enclose no area; a polygon has three or more")
    return corners


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
