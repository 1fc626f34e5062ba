"""No file may claim more than it can hold: sizes are checked from the header, before memory is taken.

A compressed file of a few kilobytes can claim a terabyte. Up to `FREE` bytes decoded, any claim is believed; above,
only one of at most `RATIO` times the file's own size; and nothing above `MOST`. ``max_pixels`` (or the environment
variable ``MICROTOME_MAX_PIXELS``) replaces all three by one number the user answers for.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence

from microtome.core.errors import InputError, RecipeError

__all__ = ["FREE", "MOST", "RATIO", "check_size"]

FREE = 2**30
RATIO = 100
MOST = 2**34
_VARIABLE = "MICROTOME_MAX_PIXELS"


def check_size(shape: Sequence[int], itemsize: int, file_size: int, max_pixels: int | None) -> None:
    """Refuse what would decode to too much, or to nothing.

    Parameters
    ----------
    shape : sequence of int
        Of the array to be decoded, as the header claims.
    itemsize : int
        Bytes a value.
    file_size : int
        Bytes on disk.
    max_pixels : int or None
        The most values (pixels times channels times slices) allowed; None for the rule above.

    Raises
    ------
    InputError
        With the size claimed, and how to allow it.
    """
    if not shape or min(shape) < 1:
        raise InputError(f"its header says {_times(shape)} pixels: there is no image in it")
    values = math.prod(shape)
    limit = max_pixels if max_pixels is not None else _from_environment()
    if limit is not None:
        if values > limit:
            raise InputError(f"its header says {_times(shape)} = {values:,} values, more than max_pixels = {limit:,}")
        return
    size = values * itemsize
    if size <= FREE or (size <= RATIO * file_size and size <= MOST):
        return
    raise InputError(
        f"its header says {_times(shape)}, {_in_words(size)} decoded, and the file has {_in_words(file_size)}; if it is sound, allow it"
        f" with max_pixels={values} or the environment variable {_VARIABLE}={values}"
    )


def _from_environment() -> int | None:
    text = os.environ.get(_VARIABLE, "")
    if not text:
        return None
    if not text.isdecimal():
        raise RecipeError(f"environment variable {_VARIABLE} is {text!r}; it must be a whole number of pixels")
    return int(text)


def _times(shape: Sequence[int]) -> str:
    return " x ".join(f"{n:,}" for n in shape)


def _in_words(size: int) -> str:
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.4g} {unit}"
        size /= 1024  # type: ignore[assignment]
    return f"{size:,.4g} TiB"
