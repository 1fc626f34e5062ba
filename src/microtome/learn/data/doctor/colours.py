"""Colours as numbers, 65536 red + 256 green + blue, and the classes they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.classes import ClassTable

__all__ = ["Colours", "as_numbers", "by_number", "name_of", "to_ids"]

Colours = Mapping[tuple[int, int, int], int]


def by_number(colours: Colours) -> dict[int, int]:
    """Class value by colour number.

    >>> by_number({(0, 1, 2): 7})
    {258: 7}
    """
    return {red << 16 | green << 8 | blue: value for (red, green, blue), value in colours.items()}


def as_numbers(pixels: NDArray[Any]) -> NDArray[np.int32]:
    """Each pixel's colour number; of 16 bits the upper 8 count.

    >>> as_numbers(np.array([[[0, 1, 2]]], np.uint8)).tolist()
    [[258]]
    """
    eight = pixels if pixels.dtype == np.uint8 else (pixels >> 8).astype(np.uint8)
    red, green, blue = (eight[..., k].astype(np.int32) for k in range(3))
    return red << 16 | green << 8 | blue


def to_ids(pixels: NDArray[Any], colours: Colours) -> NDArray[np.int32] | None:
    """The class of each pixel, where a class list names every colour that occurs; else None."""
    known = by_number(colours)
    if not known:
        return None
    listed = np.array(sorted(known), np.int32)
    numbers = as_numbers(pixels)
    at = np.minimum(np.searchsorted(listed, numbers), len(listed) - 1)
    return None if (listed[at] != numbers).any() else np.array([known[number] for number in listed.tolist()], np.int32)[at]


def name_of(classes: ClassTable, value: int) -> str:
    """The class's name and value.

    >>> name_of(ClassTable.binary(), 1)
    'foreground (1)'
    """
    name = classes.name_of(value)
    return name if name == str(value) else f"{name} ({value})"
