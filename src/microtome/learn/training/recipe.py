"""The training recipe: everything a run of training is told, as one document. What is left out is settled from the data.

microtome: 1
train:
  network: {unet: {depth: 4, root: 16}}
  target: {interior_border: {width: 1}}
  loss: [cross_entropy, dice]
  budget: {time: 20m}
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from microtome.core.errors import RecipeError, did_you_mean
from microtome.run import yaml_text

__all__ = ["Budget", "TrainingRecipe", "Validation", "one_of", "seconds_of"]

FORMAT = 1
Plain = dict[str, Any]

_UNITS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Budget(_Strict):
    """How long training goes on: one of the three."""

    time: str | None = None
    epochs: float | None = Field(default=None, gt=0)
    steps: int | None = Field(default=None, ge=1)


class Validation(_Strict):
    """Which images are held out, and what is asked of them."""

    share: float = Field(default=0.2, gt=0, lt=1)
    metric: str | None = None
    every: int | None = Field(default=None, ge=1)
    patience: int = Field(default=0, ge=0)
    pictures: int = Field(default=4, ge=0)


class TrainingRecipe(_Strict):
    """What training is told. Fields that are None are settled from the data, with a reason (`microtome.learn.training.defaults`)."""

    channel: str | int | None = None
    prepare: list[str | Plain] | None = None
    scale: float | list[float] | None = None
    target: Plain | None = None
    pixel_weights: Plain | None = None
    refine: list[str | Plain] | None = None
    network: Plain | None = None
    loss: Any = None
    augment: list[str | Plain] | None = None
    mix: list[str | Plain] = Field(default_factory=list)
    oriented: bool | Literal["grain"] | None = None
    sampling: Plain | None = None
    window: list[int] | None = None
    batch: int | None = Field(default=None, ge=1)
    accumulate: int = Field(default=1, ge=1)
    optimiser: Plain | None = None
    schedule: str | Plain | None = None
    clip: float = Field(default=1.0, ge=0)
    average: float = Field(default=0.995, ge=0, lt=1)
    budget: Budget = Field(default_factory=Budget)
    validation: Validation = Field(default_factory=Validation)
    precision: Literal["auto", "float32", "bf16"] = "auto"
    device: Literal["auto", "cpu"] = "auto"
    workers: int | None = Field(default=None, ge=0)
    memory: str | int | None = None
    seed: int = Field(default=0, ge=0)

    @field_validator("scale", mode="before")
    @classmethod
    def _scales_are_above_zero(cls, value: Any) -> Any:
        numbers = value if isinstance(value, list | tuple) and len(value) in (2, 3) else [value]
        if value is not None and not all(isinstance(one, int | float) and 0 < one < math.inf for one in numbers):
            raise ValueError("expected a number above zero, or a list of one for each axis")
        return value

    @classmethod
    def from_document(cls, document: Any, source: str = "recipe") -> Self:
        """Check plain data, ``{microtome: 1, train: {...}}``.

        Raises
        ------
        RecipeError
            Naming the place, near spellings and what is allowed.

        Examples
        --------
        >>> TrainingRecipe.from_document({"microtome": 1, "train": {"budget": {"epochs": 5}}}).budget.epochs
        5.0
        """
        if not isinstance(document, Mapping) or not isinstance(document.get("train"), Mapping):
            raise RecipeError(f"{source}: a training recipe is a mapping with 'microtome: {FORMAT}' and 'train: ...'")
        if document.get("microtome") != FORMAT:
            raise RecipeError(f"{source}: microtome: found {document.get('microtome')!r}, this version reads {FORMAT}")
        if strange := [key for key in document if key not in ("microtome", "about", "train")]:
            raise RecipeError(f"{source}: unknown key {strange[0]!r}{did_you_mean(str(strange[0]), ('microtome', 'about', 'train'))}")
        try:
            return cls.model_validate(dict(document["train"]))
        except ValidationError as error:
            raise RecipeError(f"{source}: {_first_problem(error)}") from None

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a training recipe from a file.

        Raises
        ------
        RecipeError
            If the file is missing, is not text or is no training recipe.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise RecipeError(f"{path}: cannot be read as text: {error}") from None
        return cls.from_document(yaml_text.load(text, str(path)), str(path))

    def document(self) -> Plain:
        """As plain data, everything written out but what is None."""
        return {"microtome": FORMAT, "train": self.model_dump(exclude_none=True)}

    def changed(self, assignments: Sequence[str]) -> Self:
        """With some values set, each ``PLACE=VALUE`` with its place in dots and its value in YAML.

        Raises
        ------
        RecipeError
            If a text is no assignment, or the result is no recipe.

        Examples
        --------
        >>> TrainingRecipe().changed(["network.unet.root=32", "batch=4"]).network
        {'unet': {'root': 32}}
        """
        train = self.model_dump(exclude_none=True)
        for text in assignments:
            place, equals, value = text.partition("=")
            if not equals or not place.strip():
                raise RecipeError(f"--set {text}: write PLACE=VALUE, such as network.unet.root=32")
            at = train
            *parents, last = place.strip().split(".")
            for name in parents:
                at = at.setdefault(name, {})
                if not isinstance(at, dict):
                    raise RecipeError(f"--set {text}: {name} has no settings of its own")
            at[last] = yaml_text.load(value, f"--set {text}")
        return self.from_document({"microtome": FORMAT, "train": train}, "--set")


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


def seconds_of(text: str | float, place: str = "time") -> float:
    """A time such as ``"20m"``, ``"1h30m"`` or ``90`` (seconds).

    Raises
    ------
    RecipeError
        If it is none.

    Examples
    --------
    >>> seconds_of("1h30m"), seconds_of("90")
    (5400.0, 90.0)
    """
    written = str(text).strip().lower()
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*(min|[smhd]?)", written)
    if not parts or re.sub(r"(\d+(?:\.\d+)?)\s*(min|[smhd]?)\s*", "", written):
        raise RecipeError(f"{place}: found {text!r}, expected a time such as 20m, 1h30m or 90s")
    total = sum(float(number) * _UNITS[unit or "s"] for number, unit in parts)
    if not total > 0:
        raise RecipeError(f"{place}: found {text!r}, expected a time above zero")
    return total


def _first_problem(error: ValidationError) -> str:
    problem = error.errors()[0]
    place = ".".join(str(part) for part in ("train", *problem["loc"]))
    if problem["type"] == "extra_forbidden":
        holders: dict[str, type[BaseModel]] = {"budget": Budget, "validation": Validation}
        holder = holders.get(str(problem["loc"][0]), TrainingRecipe)
        return f"{place}: unknown key{did_you_mean(str(problem['loc'][-1]), list(holder.model_fields))}"
    return f"{place}: {problem['msg']}, found {problem['input']!r}"
