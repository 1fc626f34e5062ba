"""The recipes that come with Microtome, found by name."""

from __future__ import annotations

from pathlib import Path

import microtome
from microtome.core.errors import RecipeError, did_you_mean
from microtome.run.recipe import Recipe

__all__ = ["find_recipe", "recipe_names", "recipe_path"]


def _folder() -> Path:
    return Path(microtome.__file__).parent / "shipped" / "recipes"


def recipe_names() -> tuple[str, ...]:
    """The names of the shipped recipes."""
    return tuple(sorted(path.stem for path in _folder().glob("*.yaml")))


def recipe_path(name: str) -> Path:
    """The file of a shipped recipe."""
    return _folder() / f"{name}.yaml"


def find_recipe(name: str) -> Recipe:
    """A shipped recipe by its name, or a recipe file by its path.

    Raises
    ------
    RecipeError
        If there is neither, with near spellings.
    """
    if name in recipe_names():
        return Recipe.read(recipe_path(name))
    if Path(name).suffix in (".yaml", ".yml") or Path(name).exists():
        return Recipe.read(name)
    raise RecipeError(f"no recipe {name!r}{did_you_mean(name, recipe_names())}; a recipe file is named with its .yaml")
