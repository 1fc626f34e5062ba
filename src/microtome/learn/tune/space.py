"""Which settings of a recipe are searched, and where: what each step's annotations say, narrowed as the user likes."""

from __future__ import annotations

import math
import re
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from microtome.core.errors import RecipeError, did_you_mean
from microtome.core.parameters import Length, Odd, Range, Setting
from microtome.run import catalogue
from microtome.run.recipe import Recipe

if TYPE_CHECKING:
    from optuna.trial import Trial

__all__ = ["Knob", "Settings", "apply", "as_parameters", "propose", "search_space", "start_of"]

Settings = Mapping[str, Any]
"""A value for each knob, by its place."""

_LENGTH = re.compile(r"\s*([0-9.eE+-]+)\s*(\D.*)$")
_AROUND = 4.0  # a length with a unit is searched from a quarter to four times of it


@dataclass(frozen=True)
class Knob:
    """One setting to search.

    Attributes
    ----------
    place : str
        ``"gaussian.sigma"``; ``"gaussian[2].sigma"`` where a step occurs twice (the number is the step's place, from 0).
    step : int
        The step's place in the recipe.
    setting : str
    start : object
        What the recipe has.
    low, high : float
        The closed range; both 0 for a choice.
    whole, odd, log, optional : bool
        Whole numbers only; odd ones only; by orders of magnitude; whether None is tried too.
    choices : tuple
        The values of a choice; empty for numbers.
    unit : str
        Of a length that the recipe gives with its unit.
    """

    place: str
    step: int
    setting: str
    start: Any
    low: float = 0.0
    high: float = 0.0
    whole: bool = False
    odd: bool = False
    log: bool = False
    optional: bool = False
    choices: tuple[Any, ...] = ()
    unit: str = ""

    def __str__(self) -> str:
        if self.choices:
            return f"{self.place}: {', '.join(map(str, self.choices))}"
        how = ", odd" if self.odd else ", whole" if self.whole else ""
        return f"{self.place}: {self.low:g} to {self.high:g}{f' {self.unit}' if self.unit else ''}{how}{', log' if self.log else ''}" + (
            ", or none" if self.optional else ""
        )


def search_space(
    recipe: Recipe, *, only: Sequence[str] = (), keep: Sequence[str] = (), ranges: Mapping[str, tuple[float, float]] | None = None
) -> tuple[Knob, ...]:
    """The settings of a recipe that are worth searching: those whose annotation bounds them on both sides, and choices.

    Parameters
    ----------
    recipe : Recipe
    only : sequence of str
        Search these alone: places (``"otsu.foreground"``) or steps (``"otsu"``).
    keep : sequence of str
        Leave these as they are, in the same form.
    ranges : mapping of str to (low, high), optional
        Other ranges, by place. A setting without bounds of its own is searched where it has one here.

    Returns
    -------
    tuple of Knob
        In the recipe's order. A length that the recipe gives with a unit is searched from a quarter to four times of it; one given by
        axis is left as it is.

    Raises
    ------
    RecipeError
        If a place does not exist, a range is empty or leaves what the setting allows, or nothing is left to search.

    Examples
    --------
    >>> for knob in search_space(Recipe.of("otsu", ("drop_small", {"min_area": 20})), keep=["otsu.foreground"]):
    ...     print(knob)
    otsu.classes: 2 to 5, whole
    drop_small.min_area: 5 to 500, whole, log
    """
    ranges = dict(ranges or {})
    twice = {use.step for use in recipe.steps if sum(other.step == use.step for other in recipe.steps) > 1}
    places: dict[str, Knob | None] = {}
    for number, use in enumerate(recipe.steps):
        step = catalogue.load(use.step)
        name = f"{use.step}[{number}]" if use.step in twice else use.step
        for setting in step.settings.values():
            place = f"{name}.{setting.name}"
            start = use.settings.get(setting.name, setting.default)
            places[place] = _knob(place, number, setting, start, ranges.get(place))
    _check_places(places, [*only, *keep, *ranges])
    _check_searchable(places, [*only, *ranges])
    chosen = [knob for knob in places.values() if knob and (not only or _among(knob, only)) and not _among(knob, keep)]
    if not chosen:
        raise RecipeError("nothing to search: no setting left has a range; name one with --range step.setting=low:high")
    return tuple(chosen)


def _among(knob: Knob, places: Sequence[str]) -> bool:
    return any(place in (knob.place, knob.place.rpartition(".")[0]) for place in places)


def _check_places(known: Mapping[str, Any], named: Sequence[str]) -> None:
    every = {*known, *(place.rpartition(".")[0] for place in known)}
    for place in named:
        if place not in every:
            raise RecipeError(f"no setting {place!r} in the recipe{did_you_mean(place, every)}")


def _check_searchable(places: Mapping[str, Knob | None], named: Sequence[str]) -> None:
    for name in named:
        if not any(_among(knob, [name]) for knob in places.values() if knob):
            raise RecipeError(f"{name}: cannot be searched: it has no range of its own (--range {name}=low:high gives one to a number), or "
                              "is no single number or choice")  # fmt: skip


def _knob(place: str, step: int, setting: Setting, start: Any, given: tuple[float, float] | None) -> Knob | None:
    kinds = _kinds(setting.annotation)
    knob = Knob(place, step, setting.name, start, optional=type(None) in kinds)
    bounds, choices = setting.bounds, _choices(setting.annotation)
    if isinstance(start, (tuple, list)) or str in kinds:
        return None  # one number an axis, or free text
    if choices:
        if given is not None:
            raise RecipeError(f"{place}: is one of {', '.join(map(str, choices))}, and has no range")
        return replace(knob, choices=choices, optional=False)
    if isinstance(start, str) and isinstance(bounds, Length):
        return _with_unit(knob, start, given)
    searched = given or _searched(bounds)
    if searched is None or bounds is None:
        return None
    whole = float not in kinds or isinstance(bounds, Odd)
    low, high = _checked(place, searched, bounds, whole=whole)
    log = isinstance(bounds, Range) and bounds.log and low > 0
    return replace(knob, low=low, high=high, whole=whole, odd=isinstance(bounds, Odd), log=log)


def _searched(bounds: Range | Odd | None) -> tuple[float, float] | None:
    if bounds is None:
        return None
    if bounds.search is not None:
        return bounds.search
    low = bounds.min if bounds.min is not None else getattr(bounds, "above", None)
    return None if low is None or bounds.max is None else (low, bounds.max)


def _checked(place: str, searched: tuple[float, float], bounds: Range | Odd, *, whole: bool) -> tuple[float, float]:
    low, high = searched
    if whole and math.isfinite(low) and math.isfinite(high):
        low, high = math.ceil(low), math.floor(high)
    if isinstance(bounds, Odd):
        low, high = low + (low % 2 == 0), high - (high % 2 == 0)
    if not (math.isfinite(low) and math.isfinite(high) and low < high) or not all(bounds.holds(edge) for edge in (low, high)):
        raise RecipeError(f"{place}: cannot be searched from {searched[0]:g} to {searched[1]:g}; allowed: {bounds}")
    return low, high


def _with_unit(knob: Knob, start: str, given: tuple[float, float] | None) -> Knob:
    found = _LENGTH.match(start)
    if found is None:
        raise RecipeError(f"{knob.place}: {start!r} is not a length")
    number = float(found[1])
    low, high = given or (number / _AROUND, number * _AROUND)
    if not (math.isfinite(high) and 0 <= low < high):
        raise RecipeError(f"{knob.place}: cannot be searched from {low:g} to {high:g} {found[2].strip()}")
    return replace(knob, low=low, high=high, log=low > 0, unit=found[2].strip())


def _kinds(annotation: Any) -> set[Any]:
    """The plain types of an annotation."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kinds(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return {kind for part in get_args(annotation) for kind in _kinds(part)}
    return {origin or annotation}


def _choices(annotation: Any) -> tuple[Any, ...]:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _choices(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        parts = [_choices(part) for part in get_args(annotation) if part is not type(None)]
        none = (None,) if type(None) in get_args(annotation) else ()
        return (*parts[0], *none) if len(parts) == 1 and parts[0] else ()
    if origin is Literal:
        return tuple(get_args(annotation))
    return (False, True) if annotation is bool else ()


def start_of(knobs: Sequence[Knob]) -> dict[str, Any]:
    """The settings the recipe has."""
    return {knob.place: knob.start for knob in knobs}


def propose(trial: Trial, knobs: Sequence[Knob]) -> dict[str, Any]:
    """Ask the search for a value of each knob; numbers are rounded to three digits, so that a recipe can be read."""
    return {knob.place: _value(trial, knob) for knob in knobs}


def _value(trial: Trial, knob: Knob) -> Any:
    if knob.choices:
        return knob.choices[trial.suggest_categorical(knob.place, range(len(knob.choices)))]
    if knob.optional and not trial.suggest_categorical(f"{knob.place} is set", (False, True)):
        return None
    if knob.odd:
        return 2 * trial.suggest_int(knob.place, int(knob.low) // 2, int(knob.high) // 2) + 1
    if knob.whole:
        return trial.suggest_int(knob.place, int(knob.low), int(knob.high), log=knob.log)
    number = _short(trial.suggest_float(knob.place, knob.low, knob.high, log=knob.log), knob)
    return f"{number:g} {knob.unit}" if knob.unit else number


def as_parameters(knobs: Sequence[Knob], settings: Settings) -> dict[str, Any]:
    """Settings as the search itself writes them; one that lies outside of its range is left out."""
    parameters: dict[str, Any] = {}
    for knob in knobs:
        value = settings[knob.place]
        if knob.choices:
            parameters[knob.place] = knob.choices.index(value)
            continue
        if knob.optional:
            parameters[f"{knob.place} is set"] = value is not None
        if value is None:
            continue
        number = float(str(value).removesuffix(knob.unit)) if knob.unit else value
        if knob.low <= number <= knob.high:
            parameters[knob.place] = int(number) // 2 if knob.odd else number
    return parameters


def _short(number: float, knob: Knob) -> float:
    return min(max(float(f"{number:.3g}"), knob.low), knob.high)


def apply(recipe: Recipe, knobs: Sequence[Knob], settings: Settings) -> Recipe:
    """The recipe with these settings; those equal to a step's default are still written, since they were chosen.

    Raises
    ------
    RecipeError
        If the step refuses them together.
    """
    document = recipe.document()
    steps = [use.model_dump(by_alias=True) for use in recipe.steps]
    for knob in knobs:
        if settings[knob.place] != knob.start:
            steps[knob.step]["settings"][knob.setting] = settings[knob.place]
    document["steps"] = [
        {
            step["step"]: step["settings"],
            **({"from": step["from"]} if step["from"] else {}),
            **({"as": step["as"]} if step["as"] else {}),
            "over": step["over"],
        }
        for step in steps
    ]
    return Recipe.from_document(document)
