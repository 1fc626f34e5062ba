"""The objects of a mask that is encoded."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.raster import InstanceMap, SemanticMap

__all__ = ["numbered", "objects", "scored"]


def objects(mask: InstanceMap | SemanticMap | NDArray[Any], target: str) -> InstanceMap:
    """The mask as objects.

    Raises
    ------
    InputError
        If it holds classes.
    """
    if isinstance(mask, SemanticMap):
        raise InputError(
            f"{target}: {mask.source or 'the mask'} holds classes, not objects: number its objects first (connected_components)"
        )
    if isinstance(mask, InstanceMap):
        return mask
    return InstanceMap(mask, axes="zyx"[-mask.ndim :] if mask.ndim in (2, 3) else "")


def numbered(mask: InstanceMap) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The labels as 0, 1 ... n in the order of the ids, and the ids."""
    ids = mask.ids
    if not len(ids) or int(ids[-1]) == len(ids):
        return mask.pixels, ids
    if int(ids[-1]) > 4 * mask.pixels.size + 65536:
        return np.searchsorted(np.concatenate([[0], ids]), mask.pixels).astype(np.int32), ids
    table = np.zeros(int(ids[-1]) + 1, np.int32)
    table[ids] = np.arange(1, len(ids) + 1)
    return table[mask.pixels], ids


def scored(labels: NDArray[np.int32], scores: NDArray[np.float32]) -> dict[int, float]:
    """The mean score of each object 1 ... n."""
    counts = np.bincount(labels.ravel())
    sums = np.bincount(labels.ravel(), weights=scores.ravel())
    return {number: float(sums[number] / counts[number]) for number in range(1, len(counts))}
