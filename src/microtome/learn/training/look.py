"""A look at the labelled images before training: all that defaults are settled from, and every file read once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite, pi, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.errors import InputError
from microtome.core.events import warn
from microtome.core.raster import InstanceMap
from microtome.core.result import Sample
from microtome.core.units import METRES
from microtome.learn.augment.grain import grain_of
from microtome.learn.training.pieces import Pieces, pieces_of, summed_up
from microtome.methods.refine.fill_holes import fill_holes
from microtome.run.trained_size import OFF

__all__ = ["Look", "look_at"]


@dataclass(frozen=True, eq=False)
class Look:
    """What there is.

    Attributes
    ----------
    images : int
    groups : int
    ndim : 2 or 3
    channels : dict of int to int
        How many images have so many channels.
    dtypes : dict of str to int
    shapes : ndarray, shape (N, D)
    kind : "semantic" or "instance"
    classes : ClassTable
    diameters : ndarray
        The equivalent diameters of all objects, in pixels.
    shares : dict of int to float
        Of all labelled pixels, by class value (objects and background for objects).
    spacing : tuple of float or None
        The median of the images that have one.
    unit : str
    pixels : int
        Of all images together, without channels.
    holed : float
        The share of objects that enclose background.
    sparse : float
        The share of images nearly all of whose pixels have one value: their 1st and 99.8th percentile are the same.
    grains : tuple of float
        Of each group, the median of its images (`microtome.learn.augment.grain.grain_of`).
    pieces : dict of int to Pieces
        By the value of the class; of classes in flat images only, and not of what is background or ignored.
    """

    images: int
    groups: int
    ndim: int
    channels: dict[int, int]
    dtypes: dict[str, int]
    shapes: NDArray[np.int64]
    kind: str
    classes: ClassTable
    diameters: NDArray[np.float64]
    shares: dict[int, float]
    spacing: tuple[float, ...] | None
    unit: str
    pixels: int
    holed: float = 0.0
    sparse: float = 0.0
    grains: tuple[float, ...] = ()
    pieces: dict[int, Pieces] = field(default_factory=dict)

    def diameter(self, percent: float) -> float:
        """A percentile of the objects' diameters; NaN without objects."""
        return float(np.percentile(self.diameters, percent)) if len(self.diameters) else float("nan")


def look_at(samples: Iterable[Sample], classes: ClassTable | None = None, *, held: bool = False) -> Look:
    """Look at all samples, each once and one after the other.

    Parameters
    ----------
    samples : iterable of Sample
    classes : ClassTable, optional
        Of the data set, if it has one.
    held : bool
        Whether they are held out, for messages.

    Raises
    ------
    InputError
        If there are none, they do not go together, an image has values that are not finite, a label is of a class that the data set's
        table does not name, or all labels are of one class.

    Examples
    --------
    >>> from microtome.core.raster import Image
    >>> truth = InstanceMap(np.kron([[1, 0], [0, 2]], np.ones((10, 10), int)))
    >>> round(look_at([Sample(Image(np.zeros((20, 20), np.uint8)), truth)]).diameter(50), 2)
    11.28
    """
    seen = _Seen()
    for sample in samples:
        seen.add(sample)
    _check(seen, held=held)
    instance = seen.kinds == {True}
    table = ClassTable.binary("object") if instance else _table(classes or ClassTable(()), seen)
    ignored, behind = set(table.values("ignore")), set(table.values("ignore", "background"))
    counts = {value: count for value, count in sorted(seen.counts.items()) if value not in ignored}
    _check_counts(counts, instance=instance, held=held)
    spacing, unit = _spacing(seen.spacings)
    return Look(
        images=len(seen.shapes), groups=len(seen.groups), ndim=len(seen.shapes[0]), channels=dict(seen.channels), dtypes=dict(seen.dtypes),
        shapes=np.array(seen.shapes), kind="instance" if instance else "semantic", classes=table,
        diameters=np.concatenate(seen.diameters) if seen.diameters else np.zeros(0),
        shares={value: count / sum(counts.values()) for value, count in counts.items()},
        spacing=spacing, unit=unit, pixels=sum(map(prod, seen.shapes)),
        holed=seen.holed / max(1, sum(map(len, seen.diameters))), sparse=seen.sparse / len(seen.shapes),
        grains=tuple(float(np.median(of)) for of in seen.grains.values()),
        pieces={value: summed_up(found) for value, found in sorted(seen.pieces.items()) if value not in behind},
    )  # fmt: skip


@dataclass
class _Seen:
    """What is kept of samples that were looked at: numbers, no pixels."""

    shapes: list[tuple[int, ...]] = field(default_factory=list)
    groups: set[str] = field(default_factory=set)
    first_of: dict[int, str] = field(default_factory=dict)  # the first image with so many axes
    channels: Counter[int] = field(default_factory=Counter)
    dtypes: Counter[str] = field(default_factory=Counter)
    broken: dict[str, int] = field(default_factory=dict)
    kinds: set[bool] = field(default_factory=set)  # whether labels are objects
    counts: Counter[int] = field(default_factory=Counter)
    diameters: list[NDArray[np.float64]] = field(default_factory=list)
    classes: dict[int, ClassEntry] = field(default_factory=dict)
    first_with: dict[int, str] = field(default_factory=dict)  # the first image with a class
    spacings: list[tuple[tuple[float, ...], str, str]] = field(default_factory=list)  # with its unit, and the image
    holed: int = 0
    sparse: int = 0
    grains: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))  # by group
    pieces: defaultdict[int, list[NDArray[np.float64]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, sample: Sample) -> None:
        """Look at one."""
        image, truth = sample.image, sample.truth
        self.shapes.append(image.shape)
        self.groups.add(sample.group or sample.name)
        self.first_of.setdefault(image.ndim, sample.name)
        self.channels[image.channel_count] += 1
        self.dtypes[str(image.pixels.dtype)] += 1
        if image.not_finite:
            self.broken[sample.name] = image.not_finite
        self.sparse += _is_sparse(image.pixels, "c" in image.axes)
        if isfinite(grain := grain_of(image)):
            self.grains[sample.group or sample.name].append(grain)
        if image.spacing is not None:
            self.spacings.append((image.spacing, image.unit, sample.name))
        self.kinds.add(isinstance(truth, InstanceMap))
        values, number = np.unique(truth.pixels, return_counts=True)
        if isinstance(truth, InstanceMap):
            self.diameters.append(_diameters(number[values > 0], image.ndim))
            filled = fill_holes(truth).pixels
            self.holed += len(np.unique(filled[filled != truth.pixels]))
            self.counts.update({1: int(number[values > 0].sum()), 0: int(number[values == 0].sum())})
        else:
            self.counts.update(dict(zip(values.tolist(), number.tolist(), strict=True)))
            self.first_with = {**dict.fromkeys(values.tolist(), sample.name), **self.first_with}
            self.classes |= {entry.value: entry for entry in truth.classes}
            if image.ndim == 2:
                for value, found in pieces_of(truth).items():
                    self.pieces[value].append(found)


def _check(seen: _Seen, *, held: bool) -> None:
    if not seen.shapes:
        raise InputError(f"there is no labelled image to {'hold out' if held else 'learn from'}")
    if len(seen.first_of) > 1:
        named = ", ".join(name for _, name in sorted(seen.first_of.items()))
        raise InputError(f"some images are flat and some are volumes ({named}): train on one kind at a time")
    if seen.broken:  # one such value makes every weight of a network NaN, some steps later
        listed = ", ".join(f"{name} ({count} of them)" for name, count in list(seen.broken.items())[:5])
        raise InputError(f"{len(seen.broken)} of {len(seen.shapes)} images have values that are not finite (NaN or infinite): {listed}; "
                         "replace these pixels, or leave the images out")  # fmt: skip
    if len(seen.kinds) > 1:
        raise InputError("some labels are classes and some are objects: say which with --task")


def _is_sparse(pixels: NDArray[Any], channels: bool) -> bool:
    axes = tuple(range(pixels.ndim - channels))
    low, high = np.percentile(pixels, (1, 99.8), axis=axes)
    return bool(((low == high) & (pixels.min(axes) < pixels.max(axes))).any())


def _diameters(sizes: NDArray[np.int64], ndim: int) -> NDArray[np.float64]:
    """Of the discs, or balls, of as many pixels."""
    return np.sqrt(4 * sizes / pi) if ndim == 2 else np.cbrt(6 * sizes / pi)


def _table(listed: ClassTable, seen: _Seen) -> ClassTable:
    """The data set's table; where nobody named a class but what to ignore, those that occur or have a name."""
    unnamed = (*(_entry(entry.value) for entry in listed), *ClassTable.binary())
    if any(entry.role != "ignore" and entry not in unnamed for entry in listed):
        known = {entry.value for entry in listed}
        if strange := sorted(set(seen.counts) - known):
            raise InputError(f"{seen.first_with[strange[0]]}: its labels have the value {strange[0]}, which is none of the data's classes "
                             f"({', '.join(map(str, sorted(known)))}); correct it, name it among the classes, or --ignore it")  # fmt: skip
        return listed
    there = {value: _entry(value) for value, count in seen.counts.items() if count}
    there |= {value: entry for value, entry in seen.classes.items() if value in there or entry != _entry(value)}
    there |= {entry.value: entry for entry in listed}
    return ClassTable(tuple(there[value] for value in sorted(there)))


def _entry(value: int) -> ClassEntry:
    return ClassEntry(0, "background", "background") if value == 0 else ClassEntry(value, f"class {value}", "stuff")


_OTHERS = "let others be held out: another --seed, --set validation.share=0.4, or --validate"


def _check_counts(counts: Mapping[int, int], *, instance: bool, held: bool) -> None:
    there = [value for value, count in counts.items() if count]
    if instance and not counts[1]:
        if held:
            raise InputError(f"none of the held-out images holds an object, so they cannot tell a good network from a bad one; {_OTHERS}")
        raise InputError(
            "no label image holds an object: all of them are background, and there is nothing to learn; look with microtome check"
        )
    if not instance and len(there) < 2:
        found = f"class {there[0]}" if there else "nothing but what is ignored"
        if held:
            raise InputError(f"all labels of the held-out images are {found}, so they cannot tell a good network from a bad one; {_OTHERS}")
        raise InputError(f"all labels are {found}: a network needs at least two classes to learn; look with microtome check")


def _spacing(known: Sequence[tuple[tuple[float, ...], str, str]]) -> tuple[tuple[float, ...] | None, str]:
    """The median, in the most frequent unit; lengths in units that cannot be told in it are left out."""
    if not known:
        return None, "px"
    unit = Counter(unit for _, unit, _ in known).most_common(1)[0][0]
    alike = [(name, [one * _in(own, unit) for one in spacing]) for spacing, own, name in known if own == unit or {own, unit} <= set(METRES)]
    numbers = np.array([spacing for _, spacing in alike])
    least, most = numbers.argmin(0), numbers.argmax(0)
    axis = int(np.argmax(numbers.max(0) / numbers.min(0)))
    if numbers[most[axis], axis] > OFF * numbers[least[axis], axis]:
        (fine, own), (coarse, other) = alike[least[axis]], alike[most[axis]]
        warn(f"images differ in their spacing: {fine} has {_words(own, unit)}, {coarse} {_words(other, unit)}; each is learned from in its "
             "own pixels, so alike objects are of different sizes; where that is not meant, bring the images to one spacing")  # fmt: skip
    return tuple(float(s) for s in np.median(numbers, axis=0)), unit


def _in(own: str, unit: str) -> float:
    return 1.0 if own == unit else METRES[own] / METRES[unit]


def _words(spacing: Sequence[float], unit: str) -> str:
    return " x ".join(f"{one:.3g}" for one in spacing) + f" {unit}"
