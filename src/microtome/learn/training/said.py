"""What the user said of a training, checked by its names and settings before any image is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from microtome.core.errors import RecipeError
from microtome.core.keywords import check_settings
from microtome.learn.data.windows import Sampling
from microtome.learn.training.recipe import TrainingRecipe
from microtome.networks import catalogue as networks
from microtome.run import catalogue as steps
from microtome.targets import catalogue as targets
from microtome.targets.weight_map import weight_map

__all__ = ["check_said", "one_of"]


def check_said(recipe: TrainingRecipe) -> None:
    """Check what a training recipe names: network, target, windows, weights of pixels, steps.

    Raises
    ------
    RecipeError
        Naming the place, what stands there, and what is allowed.
    """
    if recipe.network is not None:
        name, settings = one_of(recipe.network, "network")
        networks.check(name, settings, "network")
    if recipe.target is not None:
        name, settings = one_of(recipe.target, "target")
        targets.load(name, settings, "target")
    check_settings(Sampling, recipe.sampling or {}, "sampling")
    check_settings(weight_map, recipe.pixel_weights or {}, "pixel_weights")
    if recipe.window is not None and not all(side > 0 for side in recipe.window):
        raise RecipeError(f"window: found {recipe.window}, expected a side above zero for each axis")
    for place, given in (("prepare", recipe.prepare), ("refine", recipe.refine)):
        for number, step in enumerate(given or ()):
            name, settings = (step, {}) if isinstance(step, str) else one_of(step, f"{place}[{number}]")
            steps.load(name).check(settings, f"{place}[{number}].{name}")


def one_of(document: Mapping[str, Any] | None, place: str) -> tuple[str, Mapping[str, Any]]:
    """The one name of a mapping, with its settings.

    Raises
    ------
    RecipeError
        If there is not one, or it has something else than settings.

    Examples
    --------
    >>> one_of({"unet": {"depth": 4}}, "network")
    ('unet', {'depth': 4})
    """
    if isinstance(document, Mapping) and len(document) == 1:
        name, settings = next(iter(document.items()))
        if settings is None or isinstance(settings, Mapping):
            return str(name), settings or {}
    raise RecipeError(f"{place}: found {document!r}, expected one name with its settings, such as {{unet: {{depth: 4}}}}")
