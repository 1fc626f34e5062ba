"""Small sets of masks on disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike

from microtome.core.raster import InstanceMap, SemanticMap
from microtome.io.masks import write_mask


def write_masks(folder: Path, masks: Mapping[str, ArrayLike], *, semantic: bool = False) -> Path:
    """Write one mask an entry, by name."""
    for name, pixels in masks.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        array = np.asarray(pixels)
        write_mask(SemanticMap(array.astype(np.uint8)) if semantic else InstanceMap(array), path)
    return folder


@pytest.fixture(scope="session")
def masks_to() -> Callable[..., Path]:
    """`write_masks`."""
    return write_masks


@pytest.fixture(scope="session")
def instances() -> tuple[Any, Any]:
    """METHODS 8's instances: five true objects, six predicted; IoUs 1, 5/6, 1/2 and 1/2 (a split), .4, none."""

    def drawn(boxes: list[tuple[int, int, int, int]]) -> Any:
        labels = np.zeros((20, 20), np.int32)
        for number, (top, bottom, left, right) in enumerate(boxes, 1):
            labels[top:bottom, left:right] = number
        return labels

    truth = drawn([(0, 6, 0, 6), (0, 6, 8, 14), (8, 14, 0, 6), (8, 14, 8, 14), (15, 19, 15, 19)])
    pred = drawn([(0, 6, 0, 6), (0, 6, 9, 14), (8, 14, 0, 3), (8, 14, 3, 6), (8, 14, 10, 18), (16, 18, 2, 6)])
    return pred, truth
