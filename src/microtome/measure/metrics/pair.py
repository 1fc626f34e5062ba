"""One pair compared: its own numbers, and what must be added up over a set before a number is taken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.objects import Objects
from microtome.core.raster import InstanceMap, ScoreMap, SemanticMap
from microtome.measure.metrics.confusion import Confusion
from microtome.measure.metrics.definitions import Task

if TYPE_CHECKING:
    from microtome.measure.metrics.ranking import Ranked

__all__ = ["Labels", "Mask", "Score", "axes_of", "mean_of"]

Mask = SemanticMap | InstanceMap


Labels = Mask | ScoreMap | Objects | NDArray[Any]


@dataclass(frozen=True, eq=False)
class Score:
    """One pair compared: its own numbers, and what must be added up over a set before a number is taken.

    Attributes
    ----------
    task : str
    keys : tuple of str
        What was asked for; ``iou_c`` stands for every class.
    values : dict of str to float
        The keys of this pair alone; nan where a key does not exist for it.
    sums : dict of str to ndarray
        Numbers that add up over images: pairs and objects without partner, by threshold and class.
    confusion : Confusion or None
        For classes; they add up too.
    background : tuple of int
        The class values that are background.
    ranked : object or None
        Objects with their scores, to be ranked over the set; None where they have none.
    """

    task: Task
    keys: tuple[str, ...]
    values: dict[str, float]
    sums: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    confusion: Confusion | None = None
    background: tuple[int, ...] = (0,)
    ranked: Ranked | None = None


def mean_of(values: Iterable[float]) -> float:
    there = [value for value in values if np.isfinite(value)]
    return sum(there) / len(there) if there else float("nan")


def axes_of(pixels: Any, side: str) -> str:
    axes = {2: "yx", 3: "zyx"}.get(np.ndim(pixels))
    if axes is None:
        raise InputError(f"the {side} is an array of shape {np.shape(pixels)}: a mask has two axes (yx) or three (zyx)")
    return axes
