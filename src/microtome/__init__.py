"""Microtome turns images into masks, objects and measurements.

Everything is found when it is first asked for: importing the package is quick and brings in no heavy library.

>>> import microtome
>>> microtome.steps.otsu.name
'otsu'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from microtome import steps
    from microtome.core.errors import InputError, MicrotomeError, MissingExtra, RecipeError, RunError
    from microtome.core.raster import Image, InstanceMap, ScoreMap, SemanticMap
    from microtome.core.result import Result, Sample
    from microtome.core.table import Table
    from microtome.io import read, read_mask, write
    from microtome.learn.training.train import train
    from microtome.measure.metrics.evaluate import evaluate
    from microtome.measure.regions import measure
    from microtome.run.pipeline import run, segment
    from microtome.run.recipe import Recipe

__version__ = "0.1.0"

_PLACES = {
    "Image": "core.raster",
    "InputError": "core.errors",
    "InstanceMap": "core.raster",
    "MicrotomeError": "core.errors",
    "MissingExtra": "core.errors",
    "Recipe": "run.recipe",
    "RecipeError": "core.errors",
    "Result": "core.result",
    "RunError": "core.errors",
    "Sample": "core.result",
    "ScoreMap": "core.raster",
    "SemanticMap": "core.raster",
    "Table": "core.table",
    "evaluate": "measure.metrics.evaluate",
    "measure": "measure.regions",
    "read": "io",
    "read_mask": "io",
    "run": "run.pipeline",
    "segment": "run.pipeline",
    "train": "learn.training.train",
    "write": "io",
}

__all__ = [
    "Image", "InputError", "InstanceMap", "MicrotomeError", "MissingExtra", "Recipe", "RecipeError", "Result", "RunError", "Sample",
    "ScoreMap", "SemanticMap", "Table", "__version__", "evaluate", "measure", "read", "read_mask", "run", "segment", "steps", "train",
    "write",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "steps":
        return importlib.import_module("microtome.steps")
    if name not in _PLACES:
        raise AttributeError(f"microtome has no {name!r}")
    return getattr(importlib.import_module(f"microtome.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
