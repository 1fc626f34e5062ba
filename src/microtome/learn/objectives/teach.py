"""What a window teaches a network: its labels, encoded; how much each pixel counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from microtome.core.classes import ClassTable
from microtome.core.errors import InputError
from microtome.core.events import collect_warnings
from microtome.core.keywords import settings_of
from microtome.core.raster import InstanceMap, SemanticMap
from microtome.learn.augment.example import Example
from microtome.targets import catalogue
from microtome.targets.weight_map import weight_map

__all__ = ["PIXEL_WEIGHT", "Teacher", "mask_of"]

PIXEL_WEIGHT = "pixel_weight"


@dataclass(frozen=True)
class Teacher:
    """Encodes windows; a plain object, so that worker processes can have it.

    Attributes
    ----------
    target : str
        A name of `microtome.targets.catalogue`.
    settings : mapping
        Of its encoding.
    classes : ClassTable
        Of the data set.
    weights : mapping or None
        Settings of `microtome.targets.weight_map.weight_map`; None: every pixel counts the same.
    """

    target: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    classes: ClassTable = field(default_factory=lambda: ClassTable(()))
    weights: Mapping[str, Any] | None = None

    def __call__(self, example: Example) -> dict[str, NDArray[Any]]:
        """The arrays of a window, by the names of the target's heads."""
        mask = mask_of(example, self.classes)
        with collect_warnings():  # a window cuts objects: what a whole image would lose was told before training
            arrays = catalogue.load(self.target, self.settings).encode(mask)
            if self.weights is not None:
                if not isinstance(mask, InstanceMap):
                    raise InputError(f"{example.name}: weights between objects need objects, and the labels are classes")
                known = settings_of(weight_map)
                given = {key: known[key].in_pixels(value, mask.spacing, mask.unit) for key, value in self.weights.items()}
                arrays[PIXEL_WEIGHT] = weight_map(mask, **given)
        return arrays


def mask_of(example: Example, classes: ClassTable) -> SemanticMap | InstanceMap:
    """The labels of a window as a noun.

    Raises
    ------
    InputError
        If it has none.
    """
    spacing = tuple(one * example.finest for one in example.aspect or (1.0,) * example.ndim)
    where: dict[str, Any] = {"axes": "zyx"[-example.ndim :], "spacing": spacing, "unit": example.unit}
    if example.objects is not None:
        table = classes if len(classes) else ClassTable.binary()
        return InstanceMap(example.objects, object_class=dict(example.object_class), classes=table, **where)
    if example.classes is None:
        raise InputError(f"{example.name}: has no labels to learn from")
    return SemanticMap(example.classes, classes=classes, **where)
