"""What the user said of a training, checked by its names and settings before any image is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from microtome.core.errors import RecipeError
from microtome.core.keywords import check_settings
from microtome.learn.augment.chain import chain_of
from microtome.learn.data.windows import Sampling
from microtome.learn.training.optimisers import check_optimiser
from microtome.learn.training.recipe import TrainingRecipe, one_of
from microtome.learn.training.schedules import schedule_of
from microtome.losses.weighted_sum import weighted_sum
from microtome.networks import catalogue as networks
from microtome.run import catalogue as steps
from microtome.targets import catalogue as targets
from microtome.targets.weight_map import weight_map

__all__ = ["check_said"]


def check_said(recipe: TrainingRecipe) -> None:
    """Check what a training recipe names: network, target, windows, weights of pixels, losses, steps, optimiser, schedule.

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
    chain_of(recipe.augment or ())
    chain_of(recipe.mix, place="mix", folders=("batch",))
    for place, losses in _losses(recipe.loss):
        weighted_sum(losses, place)
    if recipe.optimiser is not None:
        check_optimiser(recipe.optimiser)
    if recipe.schedule is not None:
        schedule_of(recipe.schedule)
    for place, given in (("prepare", recipe.prepare), ("refine", recipe.refine)):
        for number, step in enumerate(given or ()):
            name, settings = (step, {}) if isinstance(step, str) else one_of(step, f"{place}[{number}]")
            steps.load(name).check(settings, f"{place}[{number}].{name}")


def _losses(document: Any) -> Iterator[tuple[str, Any]]:
    """Where lists of losses stand: one for all heads, or one for each; which of the two a mapping is, the target's heads say later."""
    if isinstance(document, Mapping) and all(isinstance(parts, list | tuple) for parts in document.values()):
        yield from ((f"loss.{name}", parts) for name, parts in document.items())
    elif document is not None:
        yield "loss", document
