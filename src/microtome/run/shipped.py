"""The recipes and models that come with Microtome, found by name."""

from __future__ import annotations

from pathlib import Path

import microtome
from microtome.core.errors import RecipeError, did_you_mean
from microtome.run.recipe import Recipe

__all__ = ["find_recipe", "model_names", "model_path", "recipe_names", "recipe_path"]


def _folder(kind: str) -> Path:
    return Path(microtome.__file__).parent / "shipped" / kind


def recipe_names() -> tuple[str, ...]:
    """The names of the shipped recipes."""
    return tuple(sorted(path.stem for path in _folder("recipes").glob("*.yaml")))


def recipe_path(name: str) -> Path:
    """The file of a shipped recipe."""
    return _folder("recipes") / f"{name}.yaml"


def model_names() -> tuple[str, ...]:
    """The names of the shipped models. A model may be named as a recipe is: which is meant, the option says."""
    return tuple(sorted(path.stem for path in _folder("models").glob("*.zip")))


def model_path(name: str) -> Path:
    """The bundle of a shipped model."""
    return _folder("models") / f"{name}.zip"


def find_recipe(name: str) -> Recipe:
    """A shipped recipe by its name, or a recipe file by its path.

    Raises
    ------
    RecipeError
        If there is neither, with near spellings; if it is a model.
    """
    if name in recipe_names():
        return Recipe.read(recipe_path(name))
    path = Path(name)
    if path.suffix == ".zip" or (path / "recipe.yaml").is_file():
        raise RecipeError(f"{name}: is a model, which brings its recipe along; name it with --model, from Python by find_bundle")
    if path.suffix in (".yaml", ".yml") or path.exists():
        return Recipe.read(name)
    other = f" (there is a model {name!r}: --model {name})" if name in model_names() else ""
    raise RecipeError(f"no recipe {name!r}{other}{did_you_mean(name, recipe_names())}; a recipe file is named with its .yaml")
