"""What each setting was worth: what the chosen recipe loses when that one setting goes back to where it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from microtome.core.errors import RecipeError
from microtome.learn.tune.space import Knob, Settings, apply
from microtome.run.recipe import Recipe

__all__ = ["worth"]


def worth(
    recipe: Recipe, knobs: Sequence[Knob], chosen: Settings, score: Callable[[Recipe, Sequence[int]], list[float]], places: Sequence[int]
) -> dict[str, float | None]:
    """The mean score that is lost when one setting is set back, by place; 0 for a setting that was not moved.

    Settings work together: the losses need not add up to the whole gain, and one below zero means that the setting alone would be
    better back where it was. None: the recipe cannot run with that one set back.
    """
    mean = _mean(score(apply(recipe, knobs, chosen), places))
    lost: dict[str, float | None] = {}
    for knob in knobs:
        if chosen[knob.place] == knob.start:
            lost[knob.place] = 0.0
            continue
        try:
            back = apply(recipe, knobs, {**chosen, knob.place: knob.start})
        except RecipeError:
            lost[knob.place] = None
            continue
        lost[knob.place] = mean - _mean(score(back, places))
    return lost


def _mean(scores: Sequence[float]) -> float:
    return sum(scores) / len(scores)
