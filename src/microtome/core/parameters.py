"""What a step's setting may be: its range, its unit and where a tuner should look.

One annotation feeds validation, ``--help``, the recipe's schema, the tuner and the docs::

    def otsu(image: Image, *, classes: Annotated[int, Range(2, 5)] = 2) -> SemanticMap
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from microtome.core.errors import RecipeError
from microtome.core.units import length_in_pixels, parse_length

__all__ = ["Length", "Odd", "Range", "Setting"]


@dataclass(frozen=True)
class Range:
    """The closed range of a number (of each, where there is one an axis), its unit and the part of it worth searching.

    `above` excludes the lower end. `search` is where a tuner looks (the range itself where it is left out); `log`
    searches by orders of magnitude.
    """

    min: float | None = None
    max: float | None = None
    unit: str = ""
    search: tuple[float, float] | None = None
    log: bool = False
    above: float | None = None

    def holds(self, number: float) -> bool:
        """Whether a number lies inside."""
        low = self.above is None or number > self.above
        return low and (self.min is None or number >= self.min) and (self.max is None or number <= self.max)

    def __str__(self) -> str:
        low = f"above {self.above:g}" if self.above is not None else "" if self.min is None else f"from {self.min:g}"
        high = "" if self.max is None else f"to {self.max:g}"
        return " ".join(part for part in (low, high, self.unit) if part)


@dataclass(frozen=True)
class Length(Range):
    """A length: a number of pixels, or text with a unit (``"3 um"``) turned into pixels by the image's spacing.

    On an image whose spacing differs by axis a length with a unit becomes pixels of the finest axis, or, `per_axis`,
    one number an axis.
    """

    unit: str = "px"
    per_axis: bool = False


@dataclass(frozen=True)
class Odd:
    """A window's size: a whole, odd number of pixels, at least `min`, so that the window has a middle."""

    min: int = 1
    max: int | None = None
    search: tuple[int, int] | None = None

    def holds(self, number: float) -> bool:
        """Whether a number is odd and lies inside."""
        return number >= self.min and (self.max is None or number <= self.max) and number % 2 == 1

    def __str__(self) -> str:
        return f"odd, from {self.min}" + (f" to {self.max}" if self.max else "")


@dataclass(frozen=True)
class Setting:
    """One keyword-only setting of a step, read off its annotation."""

    name: str
    annotation: Any
    default: Any
    about: str = ""

    @property
    def required(self) -> bool:
        """Whether the step cannot run without it."""
        return self.default is inspect.Parameter.empty

    @property
    def bounds(self) -> Range | Odd | None:
        """The declared range, if any."""
        return next((m for m in _metadata(self.annotation) if isinstance(m, (Range, Odd))), None)

    @property
    def kind(self) -> str:
        """The type in words, as help and errors print it: ``whole number``, ``one of bright, dark``."""
        return _in_words(self.annotation)

    def check(self, value: Any, place: str) -> Any:
        """Return the value as the step wants it, or raise with its place.

        A length with a unit stays text: it becomes pixels when an image with its spacing is there.

        Raises
        ------
        RecipeError
            With `place`, what was found and what is allowed.
        """
        bounds = self.bounds
        if isinstance(bounds, Length) and isinstance(value, str):
            number, _ = parse_length(value)
            if number < 0 or (number == 0 and bounds.above == 0):
                raise RecipeError(f"{place}: {value!r} must be above zero")
            return value
        value = tuple(value) if isinstance(value, list) else value
        strict = isinstance(value, bool) or not isinstance(value, (int, tuple))
        try:
            checked = _adapter(self.annotation).validate_python(value, strict=strict)
        except ValueError as error:
            raise RecipeError(f"{place}: found {value!r}, expected {self._expected()}{_detail(error)}") from None
        numbers = checked if isinstance(checked, tuple) else (checked,)
        if bounds is not None and not all(bounds.holds(n) for n in numbers if isinstance(n, (int, float))):
            raise RecipeError(f"{place}: found {value!r}, expected {self._expected()}")
        return checked

    def in_pixels(self, value: Any, spacing: Sequence[float] | None, unit: str) -> Any:
        """Turn a length with a unit into pixels of this image; anything else is returned as it is."""
        bounds = self.bounds
        if not isinstance(bounds, Length) or not isinstance(value, str):
            return value
        pixels = length_in_pixels(value, spacing, unit)
        numbers: Any = pixels if bounds.per_axis and len(set(pixels)) > 1 else max(pixels)
        return self.check(numbers, self.name)

    def _expected(self) -> str:
        return f"{self.kind} ({self.bounds})" if self.bounds is not None and str(self.bounds) else self.kind


_ADAPTERS: dict[Any, Any] = {}


def _adapter(annotation: Any) -> Any:
    """Build pydantic's checker for an annotation once; pydantic is imported with the first setting that is checked."""
    key = repr(annotation)
    if key not in _ADAPTERS:
        from pydantic import ConfigDict, TypeAdapter

        _ADAPTERS[key] = TypeAdapter(annotation, config=ConfigDict(allow_inf_nan=False))
    return _ADAPTERS[key]


def _metadata(annotation: Any) -> tuple[Any, ...]:
    own = annotation.__metadata__ if get_origin(annotation) is Annotated else ()
    return (*own, *(m for part in get_args(annotation) if not isinstance(part, (str, int)) for m in _metadata(part)))


def _detail(error: ValueError) -> str:
    errors = getattr(error, "errors", None)
    kinds = {e["type"] for e in errors()} if errors else set()
    return "; NaN and infinity are refused" if "finite_number" in kinds else ""


_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text", type(None): "none"}


def _in_words(annotation: Any) -> str:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _in_words(get_args(annotation)[0])
    if origin is Literal:
        return "one of " + ", ".join(str(option) for option in get_args(annotation))
    if origin in (Union, types.UnionType):
        return " or ".join(_in_words(part) for part in get_args(annotation))
    if origin is tuple:
        parts = get_args(annotation)
        if parts[-1] is Ellipsis:
            return "several numbers" if parts[0] in (int, float) else f"several, each {_in_words(parts[0])}"
        return f"{len(parts)} numbers"
    return _WORDS.get(annotation, getattr(annotation, "__name__", str(annotation)))
