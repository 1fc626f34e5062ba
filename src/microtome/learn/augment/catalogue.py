"""Which augmentation steps there are: files of the folders `geometry`, `intensity` and `batch`, read when a step is named.

A step's file has ``draw(rng, frame, *, settings) -> parameters``, plain data that can be written down, and
``apply(parameters, example) -> example``. A geometric one also says its ``matrix`` or ``field``; a point step its ``curve``. Those of
`batch` draw for, and are applied to, several examples.
"""

from __future__ import annotations

import importlib
import inspect
from functools import cache
from pathlib import Path
from typing import Annotated, Any, get_type_hints

from microtome.core.errors import RecipeError, did_you_mean
from microtome.core.parameters import Range, Setting

__all__ = ["FOLDERS", "load", "names", "places", "settings_of"]

FOLDERS = ("geometry", "intensity", "batch")

_PROBABILITY = Setting("probability", Annotated[float, Range(0, 1)], 1.0, "How often the step is done at all.")


@cache
def places() -> dict[str, str]:
    """The module of each step, geometry first."""
    root = Path(__file__).parent
    return {
        file.stem: f"microtome.learn.augment.{folder}.{file.stem}"
        for folder in FOLDERS
        for file in sorted((root / folder).glob("*.py"))
        if not file.name.startswith("_")
    }


def names(*folders: str) -> tuple[str, ...]:
    """The names of the steps of these folders, of all where none is named.

    >>> names("batch")
    ('copy_paste', 'cutmix')
    """
    return tuple(name for name, module in places().items() if not folders or module.split(".")[-2] in folders)


@cache
def load(name: str) -> Any:
    """Import the file of the step of this name.

    Raises
    ------
    RecipeError
        If there is none, with near spellings.

    Examples
    --------
    >>> sorted(settings_of("elastic"))
    ['knots', 'probability', 'sigma']
    """
    if name not in places():
        raise RecipeError(f"unknown augmentation {name!r}{did_you_mean(name, places())}")
    return importlib.import_module(places()[name])


@cache
def settings_of(name: str) -> dict[str, Setting]:
    """What a step can be told, and the probability that every step has."""
    step = load(name).draw
    hints = get_type_hints(step, include_extras=True)
    keywords = {key: one for key, one in inspect.signature(step).parameters.items() if one.kind is inspect.Parameter.KEYWORD_ONLY}
    return {"probability": _PROBABILITY, **{key: Setting(key, hints[key], one.default) for key, one in keywords.items()}}
