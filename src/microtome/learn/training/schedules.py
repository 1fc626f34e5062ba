"""Schedules: the learning rate of each step, as a share of the optimiser's own. They follow from the step alone, also after a resume."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from math import cos, pi
from typing import Annotated, Any

from microtome.core.errors import RecipeError, did_you_mean
from microtome.core.keywords import check_settings
from microtome.core.parameters import Range

__all__ = ["SCHEDULES", "Schedule", "constant", "cosine", "one_cycle", "poly", "schedule_of"]

Schedule = Callable[[int, int], float]
Share = Annotated[float, Range(0, 1)]


def constant(step: int, steps: int, *, warm_up: Share = 0.0) -> float:
    """Always 1, after a linear rise over the share `warm_up` of all steps.

    >>> [constant(step, 10, warm_up=0.2) for step in (0, 1, 2, 9)]
    [0.5, 1.0, 1.0, 1.0]
    """
    rise = round(warm_up * steps)
    return (step + 1) / rise if step < rise else 1.0


def cosine(step: int, steps: int, *, warm_up: Share = 0.03, end: Share = 0.01) -> float:
    """From 1 down to `end` along half a cosine.

    References
    ----------
    I. Loshchilov, F. Hutter, arXiv:1608.03983, without restarts.

    >>> [round(cosine(step, 101, warm_up=0, end=0), 3) for step in (0, 50, 100)]
    [1.0, 0.5, 0.0]
    """
    return constant(step, steps, warm_up=warm_up) * (end + (1 - end) * (1 + cos(pi * _past(step, steps, warm_up))) / 2)


def poly(step: int, steps: int, *, power: Annotated[float, Range(above=0)] = 0.9, warm_up: Share = 0.0) -> float:
    """(1 - step / steps) ^ power.

    References
    ----------
    L.-C. Chen et al., arXiv:1606.00915, section 4.1.2.

    >>> round(poly(50, 100), 4)
    0.5359
    """
    return constant(step, steps, warm_up=warm_up) * float((1 - step / steps) ** power)


def one_cycle(step: int, steps: int, *, warm_up: Share = 0.3, start: Share = 0.04, end: Share = 4e-6) -> float:
    """Up from `start` to 1 and down to `end`, both along half a cosine.

    References
    ----------
    L. N. Smith, N. Topin, arXiv:1708.07120; the shares of fast.ai.

    >>> [round(one_cycle(step, 101, start=0.1, end=0), 3) for step in (0, 30, 100)]
    [0.1, 1.0, 0.0]
    """
    peak = round(warm_up * (steps - 1))
    if step < peak:
        return start + (1 - start) * (1 - cos(pi * step / peak)) / 2
    return end + (1 - end) * (1 + cos(pi * (step - peak) / max(1, steps - 1 - peak))) / 2


SCHEDULES: Mapping[str, Callable[..., float]] = {"constant": constant, "cosine": cosine, "poly": poly, "one_cycle": one_cycle}


def schedule_of(document: Mapping[str, Any] | str, place: str = "schedule") -> Schedule:
    """The schedule that a recipe names, ``cosine`` or ``{poly: {power: 0.9}}``: a function of the step and of all steps.

    Raises
    ------
    RecipeError
        With the place, near spellings and what is allowed.

    Examples
    --------
    >>> schedule_of("constant")(3, 10)
    1.0
    """
    entry = {document: {}} if isinstance(document, str) else document
    if not isinstance(entry, Mapping) or len(entry) != 1:
        raise RecipeError(f"{place}: found {document!r}, expected one of {', '.join(SCHEDULES)}")
    name, given = next(iter(entry.items()))
    if name not in SCHEDULES:
        raise RecipeError(f"{place}: unknown schedule {name!r}{did_you_mean(str(name), SCHEDULES)}")
    return partial(SCHEDULES[name], **check_settings(SCHEDULES[name], given or {}, f"{place}.{name}"))


def _past(step: int, steps: int, warm_up: float) -> float:
    """How far the part after the warm-up is gone, 0 to 1."""
    rise = round(warm_up * steps)
    return min(1.0, max(0, step - rise) / max(1, steps - 1 - rise))
