"""The catalogue of losses: it lists folders, and reads a loss's file only when the loss is named.

Nothing registers itself. A loss is a function in a file of its own name in one of `FOLDERS`, called as
``loss(outputs, target, *, weight=None, ignore=None, **settings)``.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from microtome.core.errors import RecipeError, did_you_mean
from microtome.core.keywords import check_settings, settings_of
from microtome.core.parameters import Setting

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["FOLDERS", "check", "load", "names", "places", "settings"]

FOLDERS = ("dense",)
_NOT_SETTINGS = ("weight", "ignore")


@cache
def places() -> dict[str, str]:
    """Where each loss is: its name to its module."""
    root = Path(__file__).parent
    files = [(folder, file.stem) for folder in FOLDERS for file in sorted((root / folder).glob("*.py"))]
    return {stem: f"microtome.losses.{folder}.{stem}" for folder, stem in files if not stem.startswith("_")}


def names() -> tuple[str, ...]:
    """The name of every loss.

    >>> "dice" in names()
    True
    """
    return tuple(places())


@cache
def load(name: str) -> Callable[..., Tensor]:
    """Import and return the loss of this name.

    Raises
    ------
    RecipeError
        If there is none, with near spellings.

    Examples
    --------
    >>> load("dice").__name__
    'dice'
    """
    if name not in places():
        raise RecipeError(f"unknown loss {name!r}{did_you_mean(name, places())}")
    found: Callable[..., Tensor] = getattr(importlib.import_module(places()[name]), name)
    return found


def settings(name: str) -> dict[str, Setting]:
    """The settings of a loss, read off its signature.

    >>> sorted(settings("focal"))
    ['alpha', 'gamma']
    """
    return settings_of(load(name), _NOT_SETTINGS)


def check(name: str, given: Mapping[str, Any], place: str = "") -> dict[str, Any]:
    """Return the given settings, each checked against its annotation; `place` is where they stand in a recipe.

    Raises
    ------
    RecipeError
        Naming the setting's place, near spellings and what is allowed.

    Examples
    --------
    >>> check("cross_entropy", {"class_weights": [1, 2]})
    {'class_weights': (1.0, 2.0)}
    """
    return check_settings(load(name), given, place, leave_out=_NOT_SETTINGS)
