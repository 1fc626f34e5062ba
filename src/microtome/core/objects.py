"""Objects that may overlap: what annotation files hold, and what detectors return."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.errors import InputError
from microtome.core.outlines import Polygon

__all__ = ["Box", "Object", "Objects", "Runs"]

Box = tuple[float, float, float, float]
"""y0, x0, y1, x1 in pixels, half-open: pixel (r, c) is the box (r, c, r + 1, c + 1)."""


@dataclass(frozen=True, eq=False)
class Runs:
    """A mask by the lengths of its runs, down the columns from the upper left: first zeros, then ones, in turn.

    Attributes
    ----------
    shape : tuple of int
        Height and width.
    counts : ndarray of int64
        They add up to height times width; the first may be 0.
    """

    shape: tuple[int, int]
    counts: NDArray[np.int64]

    @property
    def area(self) -> int:
        """The pixels of the mask."""
        return int(self.counts[1::2].sum())

    @property
    def box(self) -> Box:
        """The smallest box around the mask; all zeros where it is empty."""
        ends = np.cumsum(self.counts)
        start, past = ends[:-1:2], ends[1::2]
        start, past = start[past > start], past[past > start]
        if not len(start):
            return (0.0, 0.0, 0.0, 0.0)
        height = self.shape[0]
        left, right = int(start[0]) // height, (int(past[-1]) - 1) // height + 1
        wraps = start // height != (past - 1) // height  # such a run has the column's end and the next one's beginning
        top = 0 if wraps.any() else int((start % height).min())
        bottom = height if wraps.any() else int(((past - 1) % height).max()) + 1
        return (float(top), float(left), float(bottom), float(right))


@dataclass(frozen=True, eq=False)
class Object:
    """One object: its area as polygons or as runs, or a box and nothing more.

    Attributes
    ----------
    number : int
        From 1; its own within the image.
    polygons : tuple of Polygon
        One a part, each with its holes. Empty where the area is given by runs, or not known.
    runs : Runs or None
        The area as an exact mask of the image's shape.
    given_box : tuple of float or None
        y0, x0, y1, x1, where the file gives one; the only geometry of an object that is just a box.
    class_name : str
        Empty where it has none.
    score : float or None
    crowd : bool
        The area holds many objects that nobody told apart (COCO's iscrowd): no object for counting or matching.
    """

    number: int
    polygons: tuple[Polygon, ...] = ()
    runs: Runs | None = None
    given_box: Box | None = None
    class_name: str = ""
    score: float | None = None
    crowd: bool = False

    @property
    def form(self) -> Literal["polygons", "runs", "box"]:
        """How its area is known."""
        return "runs" if self.runs is not None else "polygons" if self.polygons else "box"

    @property
    def box(self) -> Box:
        """The box given with it, else the smallest one around its area."""
        if self.given_box is not None:
            return self.given_box
        if self.runs is not None:
            return self.runs.box
        corners = np.concatenate([polygon.outer for polygon in self.polygons]) if self.polygons else np.zeros((1, 2))
        (top, left), (bottom, right) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
        return (top, left, bottom, right)


@dataclass(frozen=True, eq=False)
class Objects:
    """The objects of one image. They may overlap; the later one lies on top.

    Attributes
    ----------
    shape : tuple of int
        Height and width of the image.
    items : tuple of Object
        Numbers are their own.
    image : str
        The image's file name as the annotations give it, with forward slashes; empty where they do not.
    classes : ClassTable
        Every class that `items` name, and others of the same file. Left out: the names in order, valued from 1.

    Raises
    ------
    InputError
        If two objects have one number, a run-length mask has another shape, or a class is not in the table.
    """

    shape: tuple[int, int]
    items: tuple[Object, ...] = ()
    image: str = ""
    classes: ClassTable = field(default_factory=lambda: ClassTable(()))

    def __post_init__(self) -> None:
        place = f"{self.image}: " if self.image else ""
        if len({item.number for item in self.items}) < len(self.items):
            raise InputError(f"{place}two objects have the same number; give each its own")
        for item in self.items:
            if item.runs is not None and item.runs.shape != self.shape:
                raise InputError(f"{place}object {item.number}: its mask is {item.runs.shape}, the image {self.shape}")
        if not len(self.classes):
            object.__setattr__(self, "classes", class_table([item.class_name for item in self.items]))
        known = {entry.name for entry in self.classes}
        if strange := sorted({item.class_name for item in self.items if item.class_name} - known):
            raise InputError(f"{place}class {', '.join(strange)} is not in the class table ({', '.join(sorted(known))})")

    def __len__(self) -> int:
        return len(self.items)


def class_table(names: Sequence[str]) -> ClassTable:
    """A table of the different names in alphabetical order, valued from 1; the empty name is none.

    >>> [(entry.value, entry.name) for entry in class_table(["wbc", "", "rbc", "wbc"])]
    [(1, 'rbc'), (2, 'wbc')]
    """
    return ClassTable(tuple(ClassEntry(k, name) for k, name in enumerate(sorted({*names} - {""}), 1)))
