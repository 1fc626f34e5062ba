"""The catalogue of targets: it lists folders, and reads a target's file only when the target is named.

A target is a file of its own name in one of `FOLDERS`, with ``heads(table, ndim)``, ``encode(mask, **settings)`` and a step of the
file's name that decodes.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from microtome.core.classes import ClassTable
from microtome.core.errors import RecipeError, did_you_mean
from microtome.core.keywords import check_settings, settings_of
from microtome.core.parameters import Setting
from microtome.core.raster import InstanceMap, SemanticMap
from microtome.core.step import Step
from microtome.targets.heads import Head

__all__ = ["FOLDERS", "Target", "load", "names", "places", "settings"]

FOLDERS = ("semantic", "instance")
Mask = SemanticMap | InstanceMap


@dataclass(frozen=True)
class Target:
    """A target with its settings.

    Attributes
    ----------
    name : str
    settings : dict
        Those of `encode`, checked.
    heads : function (ClassTable, ndim) -> tuple of Head
        What the network has to give.
    decode : Step
        From the scores of those heads to a mask.
    """

    name: str
    settings: dict[str, Any]
    heads: Callable[[ClassTable, int], tuple[Head, ...]]
    decode: Step
    encoder: Callable[..., dict[str, NDArray[Any]]]

    def encode(self, mask: Mask) -> dict[str, NDArray[Any]]:
        """What the network is taught of this mask, by the heads' names; lengths with a unit become the mask's pixels.

        >>> import numpy as np
        >>> load("interior_border").encode(InstanceMap(np.array([[0, 3, 3, 3]])))
        {'interior_border': array([[0, 2, 1, 1]], dtype=uint8)}
        """
        known = settings_of(self.encoder)
        given = {key: known[key].in_pixels(value, mask.spacing, mask.unit) for key, value in self.settings.items()}
        return self.encoder(mask, **given)


@cache
def places() -> dict[str, str]:
    """Where each target is: its name to its module."""
    root = Path(__file__).parent
    files = [(folder, file.stem) for folder in FOLDERS for file in sorted((root / folder).glob("*.py"))]
    return {stem: f"microtome.targets.{folder}.{stem}" for folder, stem in files if not stem.startswith("_")}


def names() -> tuple[str, ...]:
    """The name of every target.

    >>> names()
    ('classes', 'centre_offset', 'interior_border', 'signed_distance')
    """
    return tuple(places())


def settings(name: str) -> dict[str, Setting]:
    """The settings of a target's encoding.

    >>> sorted(settings("signed_distance"))
    ['clip', 'half_pixel', 'normalise']
    """
    return settings_of(_module(name, name).encode)


def load(name: str, given: Mapping[str, Any] | None = None, place: str = "") -> Target:
    """Import and return the target of this name, its settings checked; `place` is where they stand in a recipe.

    Raises
    ------
    RecipeError
        If there is none, or a setting is wrong, with near spellings.

    Examples
    --------
    >>> load("signed_distance", {"clip": 5}).decode.name
    'signed_distance'
    """
    module = _module(name, place or name)
    checked = check_settings(module.encode, given or {}, place, name=name)
    return Target(name, checked, module.heads, getattr(module, name), module.encode)


def _module(name: str, place: str) -> Any:
    if name not in places():
        raise RecipeError(f"{place}: unknown target {name!r}{did_you_mean(name, places())}")
    return importlib.import_module(places()[name])
