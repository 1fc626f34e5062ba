"""Test-time augmentation: a recipe whose networks look at each window mirrored and turned as well."""

from __future__ import annotations

from typing import Any

from microtome.core.errors import RecipeError
from microtome.run.recipe import Recipe

__all__ = ["in_all_views"]


def in_all_views(recipe: Recipe) -> Recipe:
    """The recipe with `flips` and `turns` of every `network` step: eight views of a flat window, sixteen of a volume's.

    Raises
    ------
    RecipeError
        If it has no network.

    Examples
    --------
    >>> in_all_views(Recipe.of("normalise", ("network", {"weights": "a.onnx"}), "classes")).steps[1].settings["turns"]
    True
    """
    document: dict[str, Any] = recipe.document()
    found = False
    for number, use in enumerate(recipe.steps):
        if use.step == "network":
            document["steps"][number] = {**document["steps"][number], "network": {**use.settings, "flips": True, "turns": True}}
            found = True
    if not found:
        raise RecipeError("test-time augmentation shows windows to a network, and this recipe has none")
    return Recipe.from_document(document)
