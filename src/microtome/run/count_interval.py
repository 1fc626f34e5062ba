"""How sure a number of objects is: the interval about it that a bundle's card gives, from images its training held out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from microtome.core.errors import InputError
from microtome.core.raster import InstanceMap
from microtome.core.result import Result

__all__ = ["FAR", "CountInterval", "count_columns", "count_interval", "count_remarks"]

FAR = 2.0
"""An image with so many times more objects than any held-out image had is remarked on."""

_KEY = "count_interval"
_SLACK = 1e-9  # an error that is the quantile itself lies inside, whatever rounding does


@dataclass(frozen=True)
class CountInterval:
    """An interval about a number of objects: ``count ± quantile * sqrt(count + 1)``.

    Attributes
    ----------
    level : float
        Of images like those held out, at least so large a share has a true number inside.
    quantile : float
        Of the held-out images' errors, each divided by the root of the number found and one.
    images, groups : int
        That were held out.
    coverage : float or None
        The share of held-out images whose true number lies inside the interval that the other groups give; None where these were
        too few to give one.
    most : int
        The greatest number found in a held-out image.
    """

    level: float
    quantile: float
    images: int
    groups: int
    coverage: float | None
    most: int

    def around(self, count: int) -> tuple[int, int]:
        """The least and the greatest number inside.

        >>> CountInterval(0.9, 0.5, 12, 12, 0.92, 40).around(24)
        (22, 26)
        """
        reach = self.quantile * math.sqrt(count + 1) + _SLACK
        return max(0, math.ceil(count - reach)), math.floor(count + reach)

    def facts(self) -> dict[str, Any]:
        """For the head of a card; `count_interval` reads it."""
        return {_KEY: asdict(self)}


def count_interval(facts: Mapping[str, Any], place: str = "card.md") -> CountInterval | None:
    """Read the facts of a bundle's card; None where it says nothing of counts.

    Raises
    ------
    InputError
        If what it says is damaged.

    Examples
    --------
    >>> count_interval({"count_interval": {"level": 0.9, "quantile": 0.5, "images": 12, "groups": 12, "coverage": None, "most": 40}}).level
    0.9
    """
    told = facts.get(_KEY)
    if told is None:
        return None
    try:
        coverage = told["coverage"]
        found = CountInterval(float(told["level"]), float(told["quantile"]), int(told["images"]), int(told["groups"]),
                              None if coverage is None else float(coverage), int(told["most"]))  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{place}: {_KEY} needs the numbers level, quantile, images, groups, coverage and most; found {told!r}") from error
    if not (0 < found.level < 1 and 0 <= found.quantile < math.inf):
        raise InputError(f"{place}: {_KEY}: level lies between 0 and 1 and quantile is not below 0, found {told!r}")
    return found


def count_columns(interval: CountInterval, row: Mapping[str, Any]) -> dict[str, Any]:
    """An image's row of ``images.csv`` with ``count_low`` and ``count_high`` after each count.

    >>> list(count_columns(CountInterval(0.9, 0.5, 12, 12, None, 40), {"image": "a", "count": 24, "seconds": 1.0}).items())
    [('image', 'a'), ('count', 24), ('count_low', 22), ('count_high', 26), ('seconds', 1.0)]
    """
    wider: dict[str, Any] = {}
    for name, value in row.items():
        wider[name] = value
        if name == "count" or name.endswith("_count"):
            wider[f"{name}_low"], wider[f"{name}_high"] = interval.around(value)
    return wider


def count_remarks(interval: CountInterval, result: Result) -> list[str]:
    """What is to be said of counts that are far from those the interval was made of."""
    counts = [len(mask) for mask in result.masks.values() if isinstance(mask, InstanceMap)]
    return [
        f"{count} objects, and at most {interval.most} in the images the model's interval was made of: count_low and count_high are "
        "not backed by images like this one"
        for count in counts if count > FAR * interval.most
    ]  # fmt: skip
