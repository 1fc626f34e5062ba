"""How wide the connected pieces of a class are: what a window shows of them, and what is left of them in a smaller picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from microtome.core.kernels.components import areas, objects_of
from microtome.core.kernels.distance import distance
from microtome.core.raster import SemanticMap

__all__ = ["Pieces", "pieces_of", "summed_up"]


class Pieces(NamedTuple):
    """Those of a class, in all images together.

    Widths are of the largest disc inside a piece. Each piece counts by its area, so that specks say little.

    Attributes
    ----------
    number : int
    thin : float
        The width that pieces with nine tenths of the pixels have at least.
    middle : float
        The same for half of the pixels.
    """

    number: int
    thin: float
    middle: float


def pieces_of(mask: SemanticMap) -> dict[int, NDArray[np.float64]]:
    """Width and area of each piece of a flat mask, by the value of its class, without the background.

    Returns
    -------
    dict of int to ndarray, shape (N, 2)
        In pixels; of a piece that fills the picture, as wide as its shorter side.

    Examples
    --------
    >>> pieces_of(SemanticMap(np.pad(np.ones((3, 5), np.uint8), 2)))
    {1: array([[ 3., 15.]])}
    """
    found = objects_of(mask, "full")
    within = distance(found.labels, (1.0, 1.0))
    deepest = np.zeros(found.count + 1)
    np.maximum.at(deepest, found.labels.ravel(), within.ravel())
    widths = np.minimum(2 * deepest - 1, min(mask.shape))
    both = np.column_stack([widths, areas(found.labels, found.count)])
    return {value: both[found.values == value] for value in np.unique(found.values[1:]).tolist()}


def summed_up(found: Sequence[NDArray[np.float64]]) -> Pieces:
    """Those of one class in several masks.

    Examples
    --------
    >>> summed_up([np.array([[1.0, 1.0], [8.0, 60.0]]), np.array([[20.0, 300.0]])])
    Pieces(number=3, thin=8.0, middle=20.0)
    """
    widths, sizes = np.concatenate(found).T
    order = np.argsort(widths)
    below = np.cumsum(sizes[order]) / sizes.sum()
    thin, middle = (float(widths[order][np.searchsorted(below, share)]) for share in (0.1, 0.5))
    return Pieces(len(widths), thin, middle)
