"""A new value for every level: how steps on narrow integers are carried out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.kernels.bands import in_bands
from microtome.core.raster import Image
from microtome.methods.prepare._inputs import refuse_bool

__all__ = ["check_levels", "full_range", "levels_of", "through_table"]


def check_levels(image: Image, name: str) -> None:
    """Refuse what has no full range of levels to spread over: bool, and integers of more than 16 bits.

    Raises
    ------
    InputError
        With the dtype, and what to turn it into.
    """
    refuse_bool(image, name)
    dtype = image.pixels.dtype
    if dtype.kind in "ui" and dtype.itemsize > 2:
        raise InputError(
            f"{name}: {image.source or 'image'} has dtype {dtype}, whose full range no picture fills;"
            " turn it into uint8, uint16 or float32 first"
        )


def full_range(dtype: np.dtype[Any]) -> tuple[int, int]:
    """The levels that black and white have: the dtype's least and greatest for integers, 0 and 1 for floats."""
    if dtype.kind == "f":
        return 0, 1
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)


def levels_of(dtype: np.dtype[Any]) -> NDArray[np.int64]:
    """Every level of an integer dtype, ascending."""
    black, white = full_range(dtype)
    return np.arange(black, white + 1)


def through_table(pixels: NDArray[Any], table: NDArray[Any]) -> NDArray[Any]:
    """Replace each level by the table's entry for it; `table` has one entry for each of `levels_of` the pixels' dtype."""
    result = np.empty(pixels.shape, table.dtype)
    # A negative level counts from the table's end, as numpy's negative indices do.
    turned = np.roll(table, full_range(pixels.dtype)[0])

    def band(first: int, past: int) -> None:
        result[first:past] = turned[pixels[first:past]]

    in_bands(band, len(pixels))
    return result
