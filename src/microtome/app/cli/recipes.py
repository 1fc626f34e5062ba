"""``microtome recipes``: the shipped ones; check or show one of your own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from microtome.app.cli.complete import complete_recipe
from microtome.core.errors import RecipeError

if TYPE_CHECKING:
    from microtome.run.recipe import Recipe

__all__ = ["recipes"]


def recipes(
    what: Annotated[str | None, typer.Argument(help="A recipe's name; or `check` or `show`.", autocompletion=complete_recipe)] = None,
    file: Annotated[str | None, typer.Argument(help="The recipe, after `check` or `show`.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the shipped recipes, show one, or check a file: `recipes check FILE`, `recipes show FILE`."""
    from microtome.run.shipped import find_recipe, recipe_names

    if what is None:
        about = {name: find_recipe(name).about for name in recipe_names()}
        width = max(map(len, about))
        print(json.dumps(about, ensure_ascii=False) if as_json else "\n".join(f"{name:<{width}}  {text}" for name, text in about.items()))
        return
    if what in ("check", "show") and file is None:
        raise RecipeError(f"recipes {what}: name a recipe or a recipe file")
    recipe = find_recipe(file if what in ("check", "show") and file else what)
    if what == "check":
        print(f"{file}: a sound recipe of {len(recipe.steps)} steps")
    elif as_json:
        print(json.dumps(recipe.document(), ensure_ascii=False))
    else:
        print(recipe.to_yaml(), end="")
        print(f"\n# Python\n# {recipe.to_python()}")
        print(f"# shell\n# {_shell(recipe)}")


def _shell(recipe: Recipe) -> str:
    try:
        return recipe.to_shell()
    except RecipeError as error:
        return str(error)
