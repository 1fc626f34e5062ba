"""The nouns of labelled data: which files belong together, before anything is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from microtome.core.classes import ClassTable
from microtome.core.errors import InputError, did_you_mean
from microtome.core.objects import Objects
from microtome.learn.data.problem import Problem

__all__ = ["Annotated", "Dataset", "Entry", "Kind", "LabelFile", "ObjectFiles", "Truth"]

Kind = Literal["semantic", "instance"]


@dataclass(frozen=True)
class LabelFile:
    """The truth is one file of ids: classes, or objects."""

    path: Path


@dataclass(frozen=True)
class ObjectFiles:
    """The truth is one mask file an object."""

    paths: tuple[Path, ...]


@dataclass(frozen=True, eq=False)
class Annotated:
    """The truth is part of an annotation file, which was read already."""

    path: Path
    objects: Objects


Truth = LabelFile | ObjectFiles | Annotated


@dataclass(frozen=True, eq=False)
class Entry:
    """One labelled image.

    Attributes
    ----------
    name : str
        Its own within the data set: the image's path below the data folder without suffix, with forward slashes.
    images : tuple of Path
        One file; several are stacked as channels, in this order.
    truth : LabelFile, ObjectFiles, Annotated or None
        None: an image without labels.
    split : str
        ``"train"``, ``"val"``, ``"test"`` or empty.
    group : str
        Images of one group must not be split between training and testing; empty: the image stands for itself.
    """

    name: str
    images: tuple[Path, ...]
    truth: Truth | None = None
    split: str = ""
    group: str = ""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled images, and what finding them brought to light.

    Attributes
    ----------
    root : Path
        The data folder.
    layout : str
        How it is laid out, for people: ``"images/ and labels/ by name"``.
    entries : tuple of Entry
        In natural order of their names.
    kind : {"semantic", "instance"}
        What the labels are: classes or objects.
    classes : ClassTable
        What class values mean; empty where nothing says.
    problems : tuple of Problem
        What does not fit together: masks without image, and the like.
    colours : mapping of tuple of int to int
        The class of each colour (red, green, blue), where a class list gives colours: for masks that are saved in them.
    """

    root: Path
    layout: str
    entries: tuple[Entry, ...]
    kind: Kind
    classes: ClassTable = field(default_factory=lambda: ClassTable(()))
    problems: tuple[Problem, ...] = ()
    colours: Mapping[tuple[int, int, int], int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits there are, in the order train, val, test, others; empty where the data has none."""
        there = {entry.split for entry in self.entries} - {""}
        usual = ("train", "val", "test")
        return (*(split for split in usual if split in there), *sorted(there.difference(usual)))

    def part(self, split: str) -> Dataset:
        """The entries of one split.

        Raises
        ------
        InputError
            With the splits there are.
        """
        if split not in self.splits:
            raise InputError(f"{self.root}: no split {split!r}{did_you_mean(split, self.splits) or '; the data has no splits'}")
        return self.only([entry for entry in self.entries if entry.split == split])

    def only(self, entries: Sequence[Entry]) -> Dataset:
        """The same data set with these entries."""
        return replace(self, entries=tuple(entries))

    def groups(self) -> tuple[str, ...]:
        """The group of each entry; one without is a group of its own, by its name."""
        return tuple(entry.group or entry.name for entry in self.entries)
