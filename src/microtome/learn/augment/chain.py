"""A chain of augmentation steps: plain data, checked, drawn from a seed, and applied as one remap and one pass over the values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from numpy.random import Generator

from microtome.core.errors import InputError, RecipeError, did_you_mean
from microtome.learn.augment import catalogue
from microtome.learn.augment.border import Border
from microtome.learn.augment.example import Example, Frame
from microtome.learn.augment.place import place
from microtome.learn.augment.pointwise import apply_point_steps
from microtome.learn.augment.warp import Interpolation, warp

__all__ = ["Chain", "apply", "chain_of"]

Plain = Sequence[str | Mapping[str, Any]]
Drawn = tuple[tuple[str, dict[str, Any]], ...]


@dataclass(frozen=True)
class Chain:
    """Steps with all their settings, in order.

    Attributes
    ----------
    steps : tuple of (str, mapping)
    """

    steps: tuple[tuple[str, Mapping[str, Any]], ...] = ()

    def draw(self, rng: Generator, frame: Frame) -> Drawn:
        """What is done to one sample: the steps that fall to it, with their parameters as plain data."""
        drawn = []
        for name, settings in self.steps:
            given = dict(settings)
            if rng.random() < given.pop("probability"):
                drawn.append((name, catalogue.load(name).draw(rng, frame, **given)))
        return tuple(drawn)

    def draw_batch(self, rng: Generator, frame: Frame, count: int) -> Drawn:
        """What a chain of batch steps does to `count` samples; each step's probability is that of the whole batch."""
        drawn = []
        for name, settings in self.steps:
            given = dict(settings)
            if rng.random() < given.pop("probability"):
                drawn.append((name, catalogue.load(name).draw(rng, frame, count, **given)))
        return tuple(drawn)

    def document(self) -> list[dict[str, Any]]:
        """The chain as plain data, every setting written out."""
        return [
            {name: {key: list(value) if isinstance(value, tuple) else value for key, value in settings.items()}}
            for name, settings in self.steps
        ]


def chain_of(steps: Plain, *, place: str = "augment", folders: Sequence[str] = ("geometry", "intensity")) -> Chain:
    """Check a chain written as plain data.

    Parameters
    ----------
    steps : sequence
        Each a name, or ``{name: {setting: value}}``. Every step takes ``probability`` besides its own settings.
    place : str
        Where it stands, for messages.
    folders : sequence of str
        Which kinds of steps may stand there; ``("batch",)`` for steps of several samples.

    Raises
    ------
    RecipeError
        With the place, near spellings and what is allowed.

    Examples
    --------
    >>> chain = chain_of(["flips", {"affine": {"scale": [0.8, 1.2]}}, {"gaussian_noise": {"probability": 0.5}}])
    >>> chain.document()[0]
    {'flips': {'probability': 1.0, 'turns': True, 'upright': False}}
    """
    if isinstance(steps, (str, Mapping)) or not isinstance(steps, Sequence):
        raise RecipeError(f"{place}: a chain is a list of steps, found {steps!r}")
    return Chain(tuple(_checked(step, f"{place}[{number}]", catalogue.names(*folders)) for number, step in enumerate(steps)))


def _checked(step: Any, place: str, names: Sequence[str]) -> tuple[str, dict[str, Any]]:
    entry = {step: None} if isinstance(step, str) else step
    if not isinstance(entry, Mapping) or len(entry) != 1:
        raise RecipeError(f"{place}: a step is a name, or a name with its settings, found {step!r}")
    name, given = next(iter(entry.items()))
    if name not in names:
        raise RecipeError(f"{place}: unknown augmentation {name!r}{did_you_mean(str(name), names)}")
    if given is not None and not isinstance(given, Mapping):
        raise RecipeError(f"{place}.{name}: settings are written {{name: value}}, found {given!r}")
    known = catalogue.settings_of(name)
    for key in given or {}:
        if key not in known:
            raise RecipeError(f"{place}.{key}: {name} has no such setting{did_you_mean(str(key), known)}")
    values = {key: one.check(given[key], f"{place}.{key}") if given and key in given else one.default for key, one in known.items()}
    for key, value in values.items():
        if isinstance(value, tuple) and len(value) == 2 and value[0] > value[1]:
            raise RecipeError(f"{place}.{key}: found {list(value)}, expected the lower end first")
    return name, values


def apply(
    drawn: Sequence[tuple[str, dict[str, Any]]],
    example: Example,
    *,
    shape: Sequence[int] | None = None,
    centre: Sequence[int] | None = None,
    border: Border = "reflect",
    interpolation: Interpolation = "linear",
) -> Example:
    """Do to an example what was drawn.

    Geometric steps come first, composed into one map of the window; only the window is computed. The others follow in their order;
    neighbouring point steps, and the Gaussian noise behind them, are computed in 32-bit floats and rounded once.

    Parameters
    ----------
    drawn : sequence of (name, parameters)
        As `Chain.draw` gives them; the same ones give the same bytes.
    example : Example
        Not changed.
    shape, centre : sequence of int, optional
        The window's size, and the pixel of the image in its middle (at ``n // 2``). Left out: the whole image.
    border : {"reflect", "constant"}
        What lies beyond the frame, see `warp`.
    interpolation : {"linear", "cubic"}
        Of the image.

    Returns
    -------
    Example
        In the dtypes of the input; integers are clipped to the range of their type, floats are not clipped.

    Raises
    ------
    InputError
        If a step does not fit the image, such as stains on one channel.
    """
    if (shape is None) != (centre is None):
        raise InputError("a window needs both its shape and its centre")
    if shape is not None and centre is not None and not len(shape) == len(centre) == example.ndim:
        raise InputError(f"{example.name or 'the image'}: a window of {len(shape)} axes on an image of {example.ndim}")
    frame = example.frame if shape is None else Frame(tuple(shape), example.image.shape[-1], example.aspect)
    geometric = [step for step in drawn if _is_geometric(step[0])]
    if geometric or shape is not None:
        example = warp(example, place(geometric, frame, centre=centre), border=border, interpolation=interpolation)
    for point, group in groupby((step for step in drawn if not _is_geometric(step[0])), lambda step: _is_point_step(step[0])):
        if point:
            example = apply_point_steps(list(group), example)
            continue
        for name, parameters in group:
            example = catalogue.load(name).apply(parameters, example)
    return example


def _is_geometric(name: str) -> bool:
    step = catalogue.load(name)
    return hasattr(step, "matrix") or hasattr(step, "field")


def _is_point_step(name: str) -> bool:
    return hasattr(catalogue.load(name), "curve") or name == "gaussian_noise"
