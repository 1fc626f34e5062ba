"""The settings of a plain function: its keyword-only parameters, checked as a step's are."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import Any, get_type_hints

from microtome.core.errors import RecipeError, did_you_mean
from microtome.core.parameters import Setting

__all__ = ["check_settings", "settings_of"]


@cache
def settings_of(function: Callable[..., Any], leave_out: tuple[str, ...] = ()) -> dict[str, Setting]:
    """The keyword-only parameters of a function that a recipe may set.

    >>> from typing import Annotated
    >>> from microtome.core.parameters import Range
    >>> def blur(image: object, *, sigma: Annotated[float, Range(min=0)] = 1.0) -> object: ...
    >>> settings_of(blur)["sigma"].default
    1.0
    """
    hints = get_type_hints(function, include_extras=True)
    return {
        name: Setting(name, hints[name], parameter.default)
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and name not in leave_out
    }


def check_settings(
    function: Callable[..., Any], given: Mapping[str, Any], place: str = "", *, name: str = "", leave_out: Collection[str] = ()
) -> dict[str, Any]:
    """Return the given settings, each checked against its annotation; defaults stay with the function.

    Parameters
    ----------
    function : function
    given : mapping of str to plain values
    place : str
        Where they stand in a recipe, for errors.
    name : str
        What the function is called there; by default its own name.
    leave_out : names
        Keyword-only parameters that are no settings.

    Raises
    ------
    RecipeError
        Naming the setting's place, near spellings and what is allowed.
    """
    known = settings_of(function, tuple(leave_out))
    called = name or function.__name__
    prefix = f"{place}." if place else f"{called}: "
    for key in given:
        if key not in known:
            raise RecipeError(f"{prefix}{key}: {called} has no such setting{did_you_mean(str(key), known)}")
    return {key: known[key].check(value, f"{prefix}{key}") for key, value in given.items()}
