"""Windows of networks whose output is smaller than their input: each is read with a margin, mirrored beyond the frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import RecipeError
from microtome.learn.augment.border import block

__all__ = ["centre_of", "margins", "overlap_tiles", "padded"]


def margins(given: Sequence[int], output: Sequence[int]) -> tuple[int, ...]:
    """The margin along each axis from a network's input and output sizes.

    Raises
    ------
    RecipeError
        If the output is not smaller by an even number.

    Examples
    --------
    The U-Net of 2015:

    >>> margins((572, 572), (388, 388))
    (92, 92)
    """
    less = [a - b for a, b in zip(given, output, strict=True)]
    if any(one < 0 or one % 2 for one in less):
        raise RecipeError(f"an output of {tuple(output)} for an input of {tuple(given)}: the margin must be the same on both sides")
    return tuple(one // 2 for one in less)


def padded(pixels: NDArray[Any], margin: int | Sequence[int], *, ndim: int) -> NDArray[Any]:
    """Extend an image by a margin on every side, mirrored without repeating the edge, as often as it takes.

    Parameters
    ----------
    pixels : ndarray, shape (*spatial, ...)
    margin : int, or one an axis
    ndim : int
        How many axes are spatial; they come first.

    Examples
    --------
    >>> padded(np.array([[1, 2, 3, 4]]), (0, 2), ndim=2)
    array([[3, 2, 1, 2, 3, 4, 3, 2]])
    """
    sides = [margin] * ndim if isinstance(margin, int) else list(margin)
    return block(pixels, [-side for side in sides], [n + 2 * side for n, side in zip(pixels.shape, sides, strict=False)])


def centre_of(pixels: NDArray[Any], margin: Sequence[int]) -> NDArray[Any]:
    """An array without its margin, which is what the network's output covers; a view.

    >>> centre_of(np.arange(25).reshape(5, 5), (1, 2)).ravel().tolist()
    [7, 12, 17]
    """
    return pixels[tuple(slice(side, n - side) for side, n in zip(margin, pixels.shape, strict=False))]


def overlap_tiles(shape: Sequence[int], output: Sequence[int]) -> list[tuple[int, ...]]:
    """Where windows begin so that their outputs cover an image: side by side, the last ones pushed back to end with the image.

    Parameters
    ----------
    shape, output : sequence of int
        Of the image, and of a network's output. An image smaller than an output is covered by one, which reaches beyond it.

    Returns
    -------
    list of tuple of int
        The first pixel of each output, in raster order; its input begins a margin earlier.

    Examples
    --------
    >>> overlap_tiles((5,), (2,))
    [(0,), (2,), (3,)]
    """
    along = [sorted({max(0, min(first, n - size)) for first in range(0, n, size)}) for n, size in zip(shape, output, strict=True)]
    return [tuple(int(first) for first in place) for place in np.stack(np.meshgrid(*along, indexing="ij"), -1).reshape(-1, len(along))]
