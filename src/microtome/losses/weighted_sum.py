"""A weighted sum of losses, as a training recipe writes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

from microtome.core.errors import RecipeError, did_you_mean
from microtome.losses import catalogue

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Part", "Summed", "WeightedSum", "weighted_sum"]


class Part(NamedTuple):
    """One loss of a sum: what it is called there, the loss's name, its factor and its checked settings."""

    key: str
    loss: str
    factor: float
    settings: dict[str, Any]


class Summed(NamedTuple):
    """A batch's loss: the total to go downhill on, and each part by its key, without factor and without gradient."""

    total: Tensor
    parts: dict[str, Tensor]


@dataclass(frozen=True)
class WeightedSum:
    """Several losses of the same outputs, added up. Call it as a loss; it gives a `Summed`."""

    parts: tuple[Part, ...]

    def __call__(self, outputs: Tensor, target: Tensor, *, weight: Tensor | None = None, ignore: int | None = None) -> Summed:
        """The sum of factor times loss."""
        values = [(part, catalogue.load(part.loss)(outputs, target, weight=weight, ignore=ignore, **part.settings)) for part in self.parts]
        terms = [part.factor * value for part, value in values]
        total = terms[0]
        for term in terms[1:]:
            total = total + term
        return Summed(total, {part.key: value.detach() for part, value in values})

    def document(self) -> list[Any]:
        """As plain data: a list of ``[name, factor, settings]``."""
        plain = [{key: list(v) if isinstance(v, tuple) else v for key, v in part.settings.items()} for part in self.parts]
        return [[part.loss, part.factor, settings] for part, settings in zip(self.parts, plain, strict=True)]


def weighted_sum(parts: Sequence[Any] | str, place: str = "loss") -> WeightedSum:
    """Build a sum of losses from the plain data of a training recipe.

    Parameters
    ----------
    parts : sequence, or one name
        Each a name, ``[name, factor]``, ``[name, factor, {setting: value}]``, or ``{name: {setting: value}}``, among whose settings
        ``factor`` may stand. A factor is 1 where it is not given.
    place : str
        Where this stands in the recipe, for errors.

    Raises
    ------
    RecipeError
        Naming the place: an unknown loss or setting with near spellings, a value out of range, a factor that is no number from 0.

    Examples
    --------
    >>> import torch
    >>> loss = weighted_sum([("bce", 1.0), ("dice", 0.5, {"squared": True})])
    >>> found = loss(torch.zeros(1, 1, 4), torch.tensor([[0, 0, 1, 1]]))
    >>> {name: round(value.item(), 4) for name, value in found.parts.items()}, round(found.total.item(), 4)
    ({'bce': 0.6931, 'dice': 0.3333}, 0.8598)
    """
    entries = [parts] if isinstance(parts, str) else parts
    if not isinstance(entries, Sequence) or not entries:
        raise RecipeError(f"{place}: needs a list of at least one loss, found {parts!r}")
    found: list[Part] = []
    for number, entry in enumerate(entries):
        here = f"{place}[{number}]"
        name, factor, settings = _taken_apart(entry, here)
        loss = _known(name, here)
        alike = sum(part.loss == loss for part in found)
        checked = catalogue.check(loss, settings, here)
        found.append(Part(f"{loss}_{alike + 1}" if alike else loss, loss, _factor(factor, here), checked))
    return WeightedSum(tuple(found))


def _taken_apart(entry: Any, place: str) -> tuple[Any, Any, Mapping[str, Any]]:
    """The name, the factor and the settings of an entry, whichever way it is written."""
    if isinstance(entry, str):
        return entry, 1.0, {}
    if isinstance(entry, Mapping) and len(entry) == 1:
        name, settings = next(iter(entry.items()))
        rest = dict(_mapping(settings, f"{place}.{name}"))
        return name, rest.pop("factor", 1.0), rest
    if isinstance(entry, Sequence) and 1 <= len(entry) <= 3:
        name, factor, given = entry[0], entry[1] if len(entry) > 1 else 1.0, entry[2] if len(entry) > 2 else None
        return name, factor, _mapping(given, f"{place}.{name}")
    raise RecipeError(
        f"{place}: found {entry!r}, expected a loss: name, [name, factor, {{setting: value}}] or {{name: {{setting: value}}}}"
    )


def _mapping(settings: Any, place: str) -> Mapping[str, Any]:
    if settings is not None and not isinstance(settings, Mapping):
        raise RecipeError(f"{place}: settings are written {{name: value}}, found {settings!r}")
    return settings or {}


def _known(name: Any, place: str) -> str:
    if not isinstance(name, str):
        raise RecipeError(f"{place}: found {name!r}, expected the name of a loss: {', '.join(catalogue.names())}")
    if name not in catalogue.places():
        raise RecipeError(f"{place}: unknown loss {name!r}{did_you_mean(name, catalogue.names())}")
    return name


def _factor(factor: Any, place: str) -> float:
    if isinstance(factor, bool) or not isinstance(factor, (int, float)) or not isfinite(factor) or factor < 0:
        raise RecipeError(f"{place}.factor: found {factor!r}, expected a number from 0")
    return float(factor)
