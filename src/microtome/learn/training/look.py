"""A look at the labelled images before training: all that defaults are settled from, and every file read once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import pi

import numpy as np
from numpy.typing import NDArray

from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.errors import InputError
from microtome.core.raster import InstanceMap
from microtome.core.result import Sample

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

    def diameter(self, percent: float) -> float:
        """A percentile of the objects' diameters; NaN without objects."""
        return float(np.percentile(self.diameters, percent)) if len(self.diameters) else float("nan")


def look_at(samples: Sequence[Sample], classes: ClassTable | None = None) -> Look:
    """Look at all samples; `classes` is the table of the data set, if it has one.

    Raises
    ------
    InputError
        If there are none, they do not go together, or all labels are of one class.

    Examples
    --------
    >>> from microtome.core.raster import Image
    >>> truth = InstanceMap(np.kron([[1, 0], [0, 2]], np.ones((10, 10), int)))
    >>> round(look_at([Sample(Image(np.zeros((20, 20), np.uint8)), truth)]).diameter(50), 2)
    11.28
    """
    if not samples:
        raise InputError("there is no labelled image to learn from")
    dims = Counter(sample.image.ndim for sample in samples)
    if len(dims) > 1:
        flat = next(sample.name for sample in samples if sample.image.ndim == 2)
        deep = next(sample.name for sample in samples if sample.image.ndim == 3)
        raise InputError(f"some images are flat and some are volumes ({flat}, {deep}): train on one kind at a time")
    kinds = {isinstance(sample.truth, InstanceMap) for sample in samples}
    if len(kinds) > 1:
        raise InputError("some labels are classes and some are objects: say which with --task")
    instance = kinds.pop()
    counts: Counter[int] = Counter()
    diameters = []
    for sample in samples:
        values, number = np.unique(sample.truth.pixels, return_counts=True)
        if instance:
            diameters.append(_diameters(number[values > 0], sample.image.ndim))
            counts[1] += int(number[values > 0].sum())
            counts[0] += int(number[values == 0].sum())
        else:
            counts.update(dict(zip(values.tolist(), number.tolist(), strict=True)))
    table = _table(classes, counts, samples, instance=instance)
    ignored = set(table.values("ignore"))
    total = sum(count for value, count in counts.items() if value not in ignored)
    _check_counts(counts, ignored, instance=instance)
    spacing, unit = _spacing(samples)
    return Look(
        images=len(samples), groups=len({sample.group or sample.name for sample in samples}), ndim=dims.most_common()[0][0],
        channels=dict(Counter(sample.image.channel_count for sample in samples)),
        dtypes=dict(Counter(str(sample.image.pixels.dtype) for sample in samples)),
        shapes=np.array([sample.image.shape for sample in samples]), kind="instance" if instance else "semantic", classes=table,
        diameters=np.concatenate(diameters) if diameters else np.zeros(0),
        shares={value: count / total for value, count in sorted(counts.items()) if value not in ignored},
        spacing=spacing, unit=unit, pixels=int(sum(np.prod(sample.image.shape) for sample in samples)),
    )  # fmt: skip


def _diameters(sizes: NDArray[np.int64], ndim: int) -> NDArray[np.float64]:
    """Of the discs, or balls, of as many pixels."""
    return np.sqrt(4 * sizes / pi) if ndim == 2 else np.cbrt(6 * sizes / pi)


def _table(classes: ClassTable | None, counts: Counter[int], samples: Sequence[Sample], *, instance: bool) -> ClassTable:
    """The data set's table; where it has none, the classes that occur, by number."""
    if instance:
        return ClassTable.binary("object")
    if classes is not None and len(classes):
        return classes
    own = {entry.value: entry for sample in samples for entry in sample.truth.classes}
    return ClassTable(tuple(own.get(value) or _entry(value) for value in sorted(set(counts) | set(own))))


def _entry(value: int) -> ClassEntry:
    return ClassEntry(0, "background", "background") if value == 0 else ClassEntry(value, f"class {value}", "stuff")


def _check_counts(counts: Counter[int], ignored: set[int], *, instance: bool) -> None:
    there = [value for value, count in counts.items() if count and value not in ignored]
    if instance and not counts[1]:
        raise InputError(
            "no label image holds an object: all of them are background, and there is nothing to learn; look with microtome check"
        )
    if not instance and len(there) < 2:
        found = f"class {there[0]}" if there else "nothing but what is ignored"
        raise InputError(f"all labels are {found}: a network needs at least two classes to learn; look with microtome check")


def _spacing(samples: Sequence[Sample]) -> tuple[tuple[float, ...] | None, str]:
    known = [(sample.image.spacing, sample.image.unit) for sample in samples if sample.image.spacing is not None]
    if not known:
        return None, "px"
    unit = Counter(unit for _, unit in known).most_common(1)[0][0]
    middle = np.median([spacing for spacing, own in known if own == unit], axis=0)
    return tuple(float(s) for s in middle), unit
