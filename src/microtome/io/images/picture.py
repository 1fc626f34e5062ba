"""What a file says of one of its images before a pixel of it is decoded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["RGB", "Picture"]

RGB = ("red", "green", "blue")


@dataclass(frozen=True, eq=False)
class Picture:
    """The header of one image, and how to get at its pixels.

    Attributes
    ----------
    shape, dtype
        Of the array that `load` gives, before the palette is applied.
    axes : str
        One letter a dimension, in the file's order: ``y x z c``, ``t`` (time), ``p`` (pages of unknown meaning), ``s``
        (colour samples beside channels).
    load : function
        ``load(None)`` decodes everything; ``load((dimension, index))`` one frame, its dimension taken away.
    name : str
        What the file calls it, where it holds several.
    spacing : dict of str to float
        By axis, in micrometres, as far as the file says.
    channels : tuple of str
        Names, where the file gives them.
    palette : ndarray, shape (N, 3), or None
        The colour of each value.
    opaque : ndarray, shape (N,), bool, or None
        Which values of the palette are fully opaque; None when all are.
    alpha : bool
        The last channel is opacity.
    colour_key : tuple of int or None
        The value that stands for "transparent".
    white_is_zero : bool
        Values count from white to black.
    orientation : int
        As EXIF numbers it: 1 is upright.
    place : dict
        Where it lies in the world, as keyword arguments of an image (`spacing`, `unit`, `origin`, `direction`), from formats that say it
        in full; `spacing` above is then left empty.
    notes : tuple of str
        What the reader assumed or left out, said to the user when the image is taken.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    axes: str
    load: Callable[[tuple[int, int] | None], NDArray[Any]]
    name: str = ""
    spacing: dict[str, float] = field(default_factory=dict)
    channels: tuple[str, ...] = ()
    palette: NDArray[Any] | None = None
    opaque: NDArray[np.bool_] | None = None
    alpha: bool = False
    colour_key: tuple[int, ...] | None = None
    white_is_zero: bool = False
    orientation: int = 1
    place: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
