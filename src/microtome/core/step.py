"""The step: a function in a file of its own name, read once for its inputs, settings, result and tiling.

Parameters annotated with a noun are inputs; keyword-only parameters are settings; a keyword `summary` is what a
`Reducible` step decides by.
"""

from __future__ import annotations

import functools
import inspect
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np

from microtome.core.errors import InputError, RecipeError, did_you_mean
from microtome.core.parameters import Setting
from microtome.core.raster import Image, InstanceMap, Raster, ScoreMap, SemanticMap
from microtome.core.tiling import Reducible, Tiling

__all__ = ["Input", "Step", "parameter_docs", "step"]

NOUNS: dict[str, type[Raster]] = {"Image": Image, "SemanticMap": SemanticMap, "InstanceMap": InstanceMap, "ScoreMap": ScoreMap}


@dataclass(frozen=True)
class Input:
    """One input of a step: which nouns it takes, most fitting first, and whether it may be left out."""

    name: str
    nouns: tuple[type[Raster], ...]
    optional: bool = False
    about: str = ""


class Step:
    """A function with everything a face needs to know of it. Call it as the function it wraps.

    Attributes
    ----------
    name : str
    inputs : dict of str to Input
    settings : dict of str to Setting
    returns : dict of str to tuple of noun types
        One entry named after the step, or one a field of its NamedTuple.
    tiling : Local, Reducible, Mergeable, Whole or Windowed
    channels : "refused", "each" or "joint"
        What the step does with a channel axis: refuses it, treats each channel alone, or takes them together.
    accepts_nan : bool
        Whether NaN and infinity may stand in its inputs.
    """

    def __init__(
        self, function: Callable[..., Any], *, tiling: Tiling, channels: Literal["refused", "each", "joint"], accepts_nan: bool
    ) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.name = function.__name__
        self.tiling = tiling
        self.channels = channels
        self.accepts_nan = accepts_nan
        self.doc = inspect.getdoc(function) or ""
        self.summary_line = self.doc.split("\n", 1)[0]

    # The signature is read when it is first asked for: importing a step stays cheap.

    @functools.cached_property
    def _hints(self) -> dict[str, Any]:
        return get_type_hints(self.function, include_extras=True)

    @functools.cached_property
    def inputs(self) -> dict[str, Input]:
        """The parameters that take nouns."""
        about = parameter_docs(self.doc)
        found = {}
        for name, parameter in inspect.signature(self.function).parameters.items():
            nouns = _nouns(self._hints[name])
            if nouns:
                found[name] = Input(name, nouns, parameter.default is not inspect.Parameter.empty, about.get(name, ""))
        return found

    @functools.cached_property
    def settings(self) -> dict[str, Setting]:
        """The keyword-only parameters a recipe may set."""
        about = parameter_docs(self.doc)
        return {
            name: Setting(name, self._hints[name], parameter.default, about.get(name, ""))
            for name, parameter in inspect.signature(self.function).parameters.items()
            if name not in self.inputs and name != "summary"
        }

    @functools.cached_property
    def returns(self) -> dict[str, tuple[type[Raster], ...]]:
        """What it gives, by name."""
        result = self._hints["return"]
        if hasattr(result, "_fields"):
            return {name: _nouns(hint) for name, hint in get_type_hints(result).items()}
        return {self.name: _nouns(result)}

    def __call__(self, *inputs: Any, **settings: Any) -> Any:
        """Run the step: check the inputs, check the settings, turn lengths into pixels, call the function."""
        summary = settings.pop("summary", None)
        given = self._bind(inputs, settings)
        nouns = {name: self._parse_input(self.inputs[name], value) for name, value in given.items()}
        checked = self.in_pixels(self.check(settings), nouns)
        if isinstance(self.tiling, Reducible):
            if summary is None:
                summary = self.summarise([next(iter(nouns.values()))], **checked)
            return self.function(**nouns, **checked, summary=summary)
        return self.function(**nouns, **checked)

    def check(self, settings: Mapping[str, Any], place: str = "") -> dict[str, Any]:
        """Return all settings, defaults filled in, each checked against its annotation.

        Raises
        ------
        RecipeError
            Naming the setting's place, near spellings and what is allowed.
        """
        prefix = f"{place}." if place else f"{self.name}: "
        for name in settings:
            if name not in self.settings:
                raise RecipeError(f"{prefix}{name}: {self.name} has no such setting{did_you_mean(name, self.settings)}")
        values = {}
        for name, setting in self.settings.items():
            if name in settings:
                values[name] = setting.check(settings[name], f"{prefix}{name}")
            elif setting.required:
                raise RecipeError(f"{prefix}{name}: {self.name} needs this setting ({setting.kind})")
            else:
                values[name] = setting.default
        return values

    def in_pixels(self, settings: Mapping[str, Any], nouns: Mapping[str, Raster]) -> dict[str, Any]:
        """Turn every length with a unit into pixels of the first input."""
        if not any(isinstance(value, str) for value in settings.values()):
            return dict(settings)
        first = next(iter(nouns.values()))
        return {name: self.settings[name].in_pixels(value, first.spacing, first.unit) for name, value in settings.items()}

    def summarise(self, images: Iterable[Any], **settings: Any) -> Any:
        """One summary over many images or tiles, by the step's passes.

        Parameters
        ----------
        images : iterable of the step's first input
            Gone through once a pass, so not an iterator; one image is held at a time.
        **settings
            As for the step itself.

        Raises
        ------
        RecipeError
            If the step makes no summary.
        """
        if not isinstance(self.tiling, Reducible):
            raise RecipeError(f"{self.name} decides nothing over several images: leave `over` out")
        summary = None
        values = self.check(settings)
        for look in self.tiling.passes:
            before, summary = summary, None
            for image in images:
                noun = self.first_input(image)
                part = look(noun, SimpleNamespace(**self.in_pixels(values, {"": noun})), before)
                summary = part if summary is None else summary.merge(part)
        return summary

    def first_input(self, value: Any) -> Raster:
        """Check a value as the step's first input, and return it as a noun."""
        return self._parse_input(next(iter(self.inputs.values())), value)

    def _bind(self, inputs: tuple[Any, ...], settings: dict[str, Any]) -> dict[str, Any]:
        names = list(self.inputs)
        if len(inputs) > len(names):
            raise InputError(f"{self.name} takes {len(names)} input(s) ({', '.join(names)}), got {len(inputs)}; settings are given by name")
        given = dict(zip(names, inputs, strict=False))
        given |= {name: settings.pop(name) for name in names if name in settings}
        missing = [name for name, need in self.inputs.items() if not need.optional and name not in given]
        if missing:
            raise InputError(f"{self.name} needs {', '.join(missing)}")
        given = {name: value for name, value in given.items() if value is not None}
        if not given:
            raise InputError(f"{self.name} needs {' or '.join(names)}")
        return given

    def _parse_input(self, need: Input, value: Any) -> Raster:
        noun = value if isinstance(value, Raster) else _from_plain_array(need, value, self.name)
        if not isinstance(noun, need.nouns):
            wanted = " or ".join(kind.__name__ for kind in need.nouns)
            raise InputError(f"{self.name}: {need.name} must be {wanted}, got {type(noun).__name__}")
        _check_pixels(self, need, noun)
        return noun

    def __repr__(self) -> str:
        return f"<step {self.name}: {self.summary_line}>"


def step(
    *, tiling: Tiling, channels: Literal["refused", "each", "joint"] = "refused", accepts_nan: bool = False
) -> Callable[[Callable[..., Any]], Step]:
    """Make a step of a function.

    Parameters
    ----------
    tiling : Local, Reducible, Mergeable, Whole or Windowed
        How it may be cut; the contract tests check it.
    channels : "refused" (default), "each" or "joint"
        What happens to an image with a channel axis.
    accepts_nan : bool
        NaN and infinity are refused before the function is called, unless this is set.
    """

    def decorate(function: Callable[..., Any]) -> Step:
        return Step(function, tiling=tiling, channels=channels, accepts_nan=accepts_nan)

    return decorate


def _nouns(hint: Any) -> tuple[type[Raster], ...]:
    if isinstance(hint, type) and issubclass(hint, Raster):
        return (hint,)
    if get_origin(hint) in (typing.Union, types.UnionType):
        return tuple(noun for part in get_args(hint) for noun in _nouns(part))
    return ()


def _from_plain_array(need: Input, value: Any, name: str) -> Raster:
    array = np.asarray(value)
    if array.dtype.kind not in "buif":
        raise InputError(f"{name}: {need.name} has dtype {array.dtype}; pixels must be real numbers")
    if array.ndim != 2:
        guess = "yxc" if array.ndim == 3 and array.shape[-1] <= 4 else "zyx" if array.ndim == 3 else "zyxc"
        raise InputError(f"{name}: {need.name} has shape {array.shape}; say what its axes are: {need.nouns[0].__name__}(a, axes={guess!r})")
    if Image in need.nouns:
        return Image(array)
    if array.dtype == bool and SemanticMap in need.nouns:
        return SemanticMap(array)
    if array.dtype.kind in "ui" and InstanceMap in need.nouns:
        return InstanceMap(array)
    return need.nouns[0](array)


def _check_pixels(step: Step, need: Input, noun: Raster) -> None:
    place = f"{step.name}: {noun.source or need.name}"
    if 0 in noun.pixels.shape:
        raise InputError(f"{place}: is empty, its shape is {noun.pixels.shape}")
    if noun.pixels.dtype.kind not in "buif":
        raise InputError(f"{place}: dtype {noun.pixels.dtype}; pixels must be real numbers")
    if noun.has_channels and step.channels == "refused":
        raise InputError(
            f"{place}: has {noun.pixels.shape[-1]} channels and {step.name} works on one: choose it with --channel"
            " (or image.NAME in the recipe), or turn colours to grey with to_grey"
        )
    if isinstance(noun, Image) and not step.accepts_nan and noun.not_finite:
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(noun.pixels))[0])
        raise InputError(
            f"{place}: {noun.not_finite} of {noun.pixels.size} values are NaN or infinite, the first at {where}; fill them before"
        )


_ENTRY = re.compile(r"^(\w+(?:, \w+)*) ?:.*$")


def parameter_docs(doc: str) -> dict[str, str]:
    """Read each parameter's text off a numpydoc ``Parameters`` section."""
    lines = doc.splitlines()
    if "Parameters" not in lines:
        return {}
    about: dict[str, str] = {}
    names: list[str] = []
    start = lines.index("Parameters") + 2
    for number, line in enumerate(lines[start:], start):
        if number + 1 < len(lines) and set(lines[number + 1]) == {"-"}:
            break
        match = _ENTRY.match(line)
        if match:
            names = match[1].split(", ")
        elif line.strip():
            about |= {name: f"{about.get(name, '')} {line.strip()}".strip() for name in names}
    return about
