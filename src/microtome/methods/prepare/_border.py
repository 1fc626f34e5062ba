"""What lies beyond the border: the picture mirrored, its edge repeated (dcba|abcd|dcba)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["mirror", "rows_around"]


def mirror(index: NDArray[Any], size: int) -> NDArray[Any]:
    """Fold indices beyond the border back inside, however far out they lie.

    >>> mirror(np.arange(-4, 7), 3)
    array([2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0])
    """
    folded = index % (2 * size)
    return np.minimum(folded, 2 * size - 1 - folded)


def rows_around(pixels: NDArray[Any], first: int, past: int, reach: int) -> NDArray[Any]:
    """Copy rows `first` to `past` with `reach` more on either side, mirrored beyond the border."""
    return pixels[mirror(np.arange(first - reach, past + reach), len(pixels))]
