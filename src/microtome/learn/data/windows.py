"""Which windows of which images an epoch shows: drawn up front, so that it can be repeated, shared out and resumed at any step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Annotated, Any, Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from microtome.core.errors import InputError, RecipeError
from microtome.core.parameters import Range, Setting
from microtome.learn.augment.example import Example
from microtome.learn.augment.randomness import generator, seeds

__all__ = ["Balance", "Sampling", "Survey", "Window", "plan", "repeat_factors", "survey_of"]

Balance = Literal["images", "size", "classes"]

_KEPT = 2048  # places kept of each class and image


@dataclass(frozen=True)
class Window:
    """One sample of an epoch.

    Attributes
    ----------
    entry : int
        The number of the image.
    centre : tuple of int
        The pixel in the window's middle (at ``n // 2``).
    seed : int
        Of its augmentation.
    """

    entry: int
    centre: tuple[int, ...]
    seed: int


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How windows are chosen.

    Attributes
    ----------
    rare : float
        The share of windows in whose middle there is a random pixel of a class drawn evenly from those that the image holds, but for the
        background and the ignored; of an image without any, a random window. Objects without classes are one class.
    edges : float
        The share in whose middle there is a pixel at which the label changes.
    balance : {"images", "size", "classes"}
        Every image is as frequent as the others; or in proportion to its pixels; or more frequent where it holds classes that few images
        hold (`repeat_factors`).
    windows : int or None
        The windows of an epoch. None: as many as cover every image about once.

    Raises
    ------
    RecipeError
        If a setting is out of range.
    """

    rare: Annotated[float, Range(0, 1)] = 1 / 3
    edges: Annotated[float, Range(0, 1)] = 0.0
    balance: Balance = "images"
    windows: Annotated[int, Range(1)] | None = None

    def __post_init__(self) -> None:
        for name, annotation in (("rare", Annotated[float, Range(0, 1)]), ("edges", Annotated[float, Range(0, 1)]), ("balance", Balance),
                                 ("windows", Annotated[int, Range(1)] | None)):  # fmt: skip
            Setting(name, annotation, None).check(getattr(self, name), f"sampling.{name}")
        if self.rare + self.edges > 1:
            raise RecipeError(f"sampling: rare {self.rare:g} and edges {self.edges:g} are shares of one whole; together at most 1")


@dataclass(frozen=True, eq=False)
class Survey:
    """What must be known of an image to choose windows of it.

    Attributes
    ----------
    name : str
    shape : tuple of int
    channels : int
    dtype : str
    labels : str
        ``"classes"``, ``"objects"`` or both.
    counts : mapping of int to int
        The pixels of each class; of objects, of their classes, or of 1 where they have none, and of 0 for the background.
    places : mapping of int to ndarray of int32, shape (K, D)
        Pixels of each class: all, or 2048 drawn at random.
    edges : ndarray of int32, shape (K, D)
        Pixels at which the label changes, as many at most.
    """

    name: str
    shape: tuple[int, ...]
    channels: int
    dtype: str
    labels: str
    counts: Mapping[int, int] = field(default_factory=dict)
    places: Mapping[int, NDArray[np.int32]] = field(default_factory=dict)
    edges: NDArray[np.int32] = field(default_factory=lambda: np.zeros((0, 2), np.int32))


def survey_of(example: Example, seed: int = 0) -> Survey:
    """Look at a whole example.

    Examples
    --------
    >>> labels = np.array([[0, 0, 2], [0, 0, 2]], np.uint8)
    >>> seen = survey_of(Example(np.zeros((2, 3, 1), np.uint8), classes=labels))
    >>> seen.counts, seen.places[2].tolist()
    ({0: 4, 2: 2}, [[0, 2], [1, 2]])
    """
    rng = generator(seed, *example.name.encode())
    by_class = _class_map(example)
    kinds = [name for name, there in (("classes", example.classes), ("objects", example.objects)) if there is not None]
    values, counts = np.unique(by_class, return_counts=True)
    labels = example.objects if example.objects is not None else by_class
    return Survey(
        example.name,
        example.shape,
        example.image.shape[-1],
        str(example.image.dtype),
        " and ".join(kinds),
        dict(zip(values.tolist(), counts.tolist(), strict=True)) if kinds else {},
        {int(value): _some(by_class == value, rng) for value in values} if kinds else {},
        _some(_changes(labels), rng),
    )


def _class_map(example: Example) -> NDArray[Any]:
    if example.classes is not None:
        return example.classes
    if example.objects is None:
        return np.zeros(example.shape, np.uint8)
    if not example.object_class:
        return (example.objects > 0).astype(np.uint8)
    ids, number = np.unique(example.objects, return_inverse=True)
    values = np.array([example.object_class.get(int(one), 1) if one else 0 for one in ids], np.int32)
    return values[number].reshape(example.shape)


def _changes(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """True on both sides of every change along an axis."""
    changes = np.zeros(labels.shape, bool)
    for axis in range(labels.ndim):
        ahead, behind = [slice(None)] * labels.ndim, [slice(None)] * labels.ndim
        ahead[axis], behind[axis] = slice(1, None), slice(None, -1)
        differ = labels[tuple(ahead)] != labels[tuple(behind)]
        changes[tuple(ahead)] |= differ
        changes[tuple(behind)] |= differ
    return changes


def _some(where: NDArray[np.bool_], rng: Generator) -> NDArray[np.int32]:
    flat = np.flatnonzero(where)
    if len(flat) > _KEPT:
        flat = np.sort(rng.choice(flat, _KEPT, replace=False))
    return np.stack(np.unravel_index(flat, where.shape), -1).astype(np.int32)


def repeat_factors(surveys: Sequence[Survey], classes: Sequence[int], threshold: float = 0.5) -> NDArray[np.float64]:
    """How often each image should be shown for its rarest class: sqrt(threshold / share of the images that hold it), at least once.

    References
    ----------
    A. Gupta, P. Dollar, R. Girshick, LVIS, CVPR 2019, arXiv 1908.03195 (repeat factor sampling; there with a threshold of 0.001).

    Examples
    --------
    >>> few = Survey("a", (8, 8), 1, "uint8", "classes", {0: 60, 2: 4})
    >>> many = [Survey(str(n), (8, 8), 1, "uint8", "classes", {0: 64}) for n in range(7)]
    >>> repeat_factors([few, *many], [2]).round(3).tolist()
    [2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    """
    share = {value: sum(value in one.counts for one in surveys) / len(surveys) for value in classes}
    return np.array([max([1.0, *(np.sqrt(threshold / share[value]) for value in classes if value in one.counts)]) for one in surveys])


def plan(
    surveys: Sequence[Survey],
    shape: Sequence[int],
    *,
    classes: Sequence[int],
    sampling: Sampling | None = None,
    seed: int = 0,
    epoch: int = 0,
) -> list[Window]:
    """The windows of an epoch, in their order.

    Parameters
    ----------
    surveys : sequence of Survey
        One an image.
    shape : sequence of int
        Of a window.
    classes : sequence of int
        Those that windows are centred on.
    sampling : Sampling, optional
    seed, epoch : int
        Any other epoch has other windows.

    Returns
    -------
    list of Window
        A window lies within its image; it is pushed back at the frame, and so may have its pixel beside its middle. Along an axis on
        which the image is smaller than the window, the image lies in the window's middle.

    Raises
    ------
    InputError
        If there is no image.

    Examples
    --------
    >>> seen = [Survey("a", (64, 64), 1, "uint8", "classes"), Survey("b", (8, 8), 1, "uint8", "classes")]
    >>> [window.centre for window in plan(seen, (16, 16), classes=[]) if window.entry == 1][0]
    (4, 4)
    """
    if not surveys:
        raise InputError("there is no labelled image to take windows from")
    sampling = sampling or Sampling()
    weights = _weights(surveys, classes, sampling.balance)
    count = sampling.windows or sum(max(1, round(prod(one.shape) / prod(shape))) for one in surveys)
    rng = generator(seed, epoch)
    entries = rng.permutation(_shared(weights, count, float(rng.random())))
    return [
        Window(int(entry), _centre(surveys[entry], shape, classes, sampling, rng), own)
        for entry, own in zip(entries, seeds(seed, epoch, count), strict=True)
    ]


def _weights(surveys: Sequence[Survey], classes: Sequence[int], balance: Balance) -> NDArray[np.float64]:
    if balance == "classes":
        return repeat_factors(surveys, classes)
    return np.array([float(prod(one.shape)) if balance == "size" else 1.0 for one in surveys])


def _shared(weights: NDArray[np.float64], count: int, start: float) -> NDArray[np.int64]:
    """`count` numbers of entries in proportion to their weights, to less than one: systematic sampling."""
    ends = np.cumsum(weights) / weights.sum() * count
    return np.searchsorted(ends[:-1], np.arange(count) + start, side="right")


def _centre(survey: Survey, shape: Sequence[int], classes: Sequence[int], sampling: Sampling, rng: Generator) -> tuple[int, ...]:
    kind, which, along = rng.random(), rng.random(), rng.random(len(shape))  # as many numbers whatever happens
    places = survey.edges
    if kind < sampling.rare:
        held = [value for value in classes if value in survey.places]
        places = survey.places[held[int(which * len(held))]] if held else survey.edges[:0]
    if kind < sampling.rare + sampling.edges and len(places):
        middle = [int(at) for at in places[int(along[0] * len(places))]]
    else:
        middle = [int(share * (n - size + 1)) + size // 2 for share, n, size in zip(along, survey.shape, shape, strict=True)]
    return tuple(_within(at, n, size) for at, n, size in zip(middle, survey.shape, shape, strict=True))


def _within(at: int, n: int, size: int) -> int:
    if n <= size:
        return (n - size) // 2 + size // 2
    return min(max(at, size // 2), n - size + size // 2)
