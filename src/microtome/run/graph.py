"""A recipe as a graph: which value each input takes, checked noun by noun before an image is read.

An input takes the last value of its type unless ``from:`` names another. `image` is always the image as read, and
``image.NAME`` a channel of it. An optional input is bound only when it is named; a step that has nothing but optional
inputs takes the last mask, or the last image where there is no mask yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from microtome.core.errors import RecipeError, did_you_mean
from microtome.core.raster import Image, InstanceMap, Raster, SemanticMap
from microtome.core.step import Input, Step
from microtome.run import catalogue

if TYPE_CHECKING:
    from microtome.run.recipe import Recipe, StepUse

__all__ = ["IMAGE", "Node", "Plan", "plan"]

IMAGE = "image"
MASKS = (SemanticMap, InstanceMap)
_RESERVED = (IMAGE, "roi")


@dataclass(frozen=True)
class Node:
    """One step with everything settled: its checked settings, a value's key for each input, the keys it makes.

    A key is ``image``, ``image.NAME``, a name given by ``as:``, or ``#2`` for the unnamed result of step 2 (with
    ``.field`` for one of several results).
    """

    step: Step
    settings: dict[str, Any]
    inputs: dict[str, str]
    makes: tuple[str, ...]
    over: str
    number: int


@dataclass(frozen=True)
class Plan:
    """The steps in order, the masks to keep (output name to key), and the columns to measure."""

    nodes: tuple[Node, ...]
    outputs: dict[str, str]
    measure: tuple[str, ...]


def plan(recipe: Recipe) -> Plan:
    """Settle every name of a recipe.

    Raises
    ------
    RecipeError
        Naming the place: an unknown setting, a name used before it exists, a noun that does not fit.
    """
    values: dict[str, tuple[type[Raster], ...]] = {IMAGE: (Image,)}
    nodes = []
    for number, use in enumerate(recipe.steps):
        place = f"steps[{number}]"
        step = catalogue.load(use.step)
        settings = step.check(use.settings, place)
        inputs = {name: _bind(need, use, values, place) for name, need in step.inputs.items()}
        inputs |= _bind_the_last_mask(step, inputs, values)
        bound = {name: key for name, key in inputs.items() if key}
        _check_names(use, step, values, place)
        if not bound:
            raise RecipeError(f"{place}: {use.step} has no input; name one with from: (known here: {', '.join(values)})")
        made = _results(step, use, number, [_noun_of(key, values) for key in bound.values()])
        values |= made
        nodes.append(Node(step, settings, bound, tuple(made), _check_over(use, step, place), number))
    return Plan(tuple(nodes), _outputs(recipe, values), _columns(recipe))


def _noun_of(key: str, values: dict[str, tuple[type[Raster], ...]]) -> tuple[type[Raster], ...]:
    return (Image,) if key.startswith(f"{IMAGE}.") else values[key]


def _bind(need: Input, use: StepUse, values: dict[str, tuple[type[Raster], ...]], place: str) -> str:
    if need.name in use.inputs:
        key = use.inputs[need.name]
        if key.partition(".")[0] != IMAGE and key not in values:
            known = [name for name in values if not name.startswith("#")]
            raise RecipeError(f"{place}.from.{need.name}: {key!r} does not exist yet{did_you_mean(key, known)}")
        if not _fits(_noun_of(key, values), need):
            raise RecipeError(
                f"{place}.from.{need.name}: {key!r} is {_words(_noun_of(key, values))}, {use.step} needs {_words(need.nouns)}"
            )
        return key
    if need.optional:
        return ""
    fitting = [key for key, nouns in values.items() if _fits(nouns, need)]
    if not fitting:
        raise RecipeError(f"{place}: {use.step} needs {_words(need.nouns)} as its {need.name}, and no step before it makes one")
    return fitting[-1]


def _bind_the_last_mask(step: Step, inputs: dict[str, str], values: dict[str, tuple[type[Raster], ...]]) -> dict[str, str]:
    if any(inputs.values()) or not all(need.optional for need in step.inputs.values()):
        return {}
    masks = [key for key, nouns in values.items() if set(nouns) & set(MASKS)]
    if masks and "mask" in step.inputs:
        return {"mask": masks[-1]}
    images = [key for key, nouns in values.items() if Image in nouns]
    return {"image": images[-1]} if "image" in step.inputs else {}


def _fits(nouns: tuple[type[Raster], ...], need: Input) -> bool:
    return all(issubclass(noun, need.nouns) for noun in nouns)


def _words(nouns: tuple[type[Raster], ...]) -> str:
    return " or ".join(noun.__name__ for noun in nouns)


def _results(step: Step, use: StepUse, number: int, given: list[tuple[type[Raster], ...]]) -> dict[str, tuple[type[Raster], ...]]:
    """Name what the step makes; a step that gives back either kind of mask gives back the kind it was given."""
    stem = use.name or f"#{number}"
    made = {}
    for name, nouns in step.returns.items():
        same = next((kinds for kinds in given if len(nouns) > 1 and set(kinds) < set(nouns)), nouns)
        made[stem if len(step.returns) == 1 else f"{stem}.{name}"] = same
    return made


def _check_names(use: StepUse, step: Step, values: dict[str, tuple[type[Raster], ...]], place: str) -> None:
    for name in use.inputs:
        if name not in step.inputs:
            raise RecipeError(f"{place}.from.{name}: {use.step} has no such input{did_you_mean(name, step.inputs)}")
    if use.name is None:
        return
    if not use.name.isidentifier():
        raise RecipeError(f"{place}.as: {use.name!r} is not a name: use letters, digits and _")
    if use.name in _RESERVED or use.name in values:
        raise RecipeError(f"{place}.as: {use.name!r} is taken; choose another name")


def _check_over(use: StepUse, step: Step, place: str) -> str:
    from microtome.core.tiling import Reducible

    if use.over != "image" and not isinstance(step.tiling, Reducible):
        raise RecipeError(f"{place}.over: {use.step} decides nothing over several images; leave it out")
    return use.over


def _outputs(recipe: Recipe, values: dict[str, tuple[type[Raster], ...]]) -> dict[str, str]:
    masks = {key: nouns for key, nouns in values.items() if set(nouns) <= set(MASKS)}
    if not recipe.outputs:
        if not masks:
            raise RecipeError("steps: none of them makes a mask; add one that segments, such as otsu")
        return {"mask": list(masks)[-1]}
    for name, key in recipe.outputs.items():
        if not name.replace("-", "_").isidentifier():
            raise RecipeError(f"outputs.{name}: is not a name: use letters, digits, - and _")
        if key not in masks:
            known = [mask for mask in masks if not mask.startswith("#")]
            raise RecipeError(f"outputs.{name}: no mask is called {key!r}{did_you_mean(key, known) if known else '; name one with as:'}")
    return dict(recipe.outputs)


def _columns(recipe: Recipe) -> tuple[str, ...]:
    from microtome.measure.regions import ALL, COLUMNS, DEFAULT

    columns = DEFAULT if recipe.measure is None else recipe.measure
    for number, name in enumerate(columns):
        if name not in COLUMNS and name != ALL:
            raise RecipeError(f"measure[{number}]: unknown measurement {name!r}{did_you_mean(name, COLUMNS)}")
    return tuple(columns)
