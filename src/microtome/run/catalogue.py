"""The catalogue of steps: it lists folders, and reads a step's file only when the step is named.

Nothing registers itself. A step is a file of its own name in one of `FOLDERS`; an installed plug-in adds steps by the
entry-point group ``microtome.steps``.
"""

from __future__ import annotations

import importlib
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

import microtome
from microtome.core.errors import RecipeError, did_you_mean
from microtome.core.step import Step

__all__ = ["FOLDERS", "load", "names", "places"]

FOLDERS = ("methods/prepare", "methods/segment", "run/steps", "targets/semantic", "targets/instance", "methods/refine")


@cache
def places() -> dict[str, str]:
    """Where each step is: its name to ``module:attribute``, in the order of a recipe (prepare, segment, decode, refine)."""
    root = Path(microtome.__file__).parent
    found = {}
    for folder in FOLDERS:
        for file in sorted((root / folder).glob("*.py")):
            if not file.name.startswith("_"):
                found[file.stem] = f"microtome.{folder.replace('/', '.')}.{file.stem}:{file.stem}"
    for plugin in entry_points(group="microtome.steps"):
        found.setdefault(plugin.name, plugin.value)
    return found


def names() -> tuple[str, ...]:
    """The name of every step."""
    return tuple(places())


@cache
def load(name: str) -> Step:
    """Import and return the step of this name.

    Raises
    ------
    RecipeError
        If there is none, with near spellings.

    Examples
    --------
    >>> load("otsu").name
    'otsu'
    """
    if name not in places():
        raise RecipeError(f"unknown step {name!r}{did_you_mean(name, places())}")
    module, attribute = places()[name].split(":")
    found = getattr(importlib.import_module(module), attribute)
    if not isinstance(found, Step):
        raise RecipeError(f"step {name!r}: {places()[name]} is a {type(found).__name__}, not a step; decorate it with @step")
    return found
