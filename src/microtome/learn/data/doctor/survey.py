"""The facts of all pairs of a data set, and what the faults ask of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from microtome.core.classes import ClassTable
from microtome.learn.data.dataset import Dataset, Kind
from microtome.learn.data.doctor.facts import LabelFacts, MaskFacts, PairFacts
from microtome.learn.data.kind import TWO_LEVELS

__all__ = ["Survey"]


@dataclass(frozen=True, eq=False)
class Survey:
    """What was seen.

    Attributes
    ----------
    dataset : Dataset
    pairs : tuple of PairFacts
        One an entry, in the data set's order.
    passed_over : frozenset of str
        Mask files whose values are no ids: what they say of objects and classes means nothing.
    """

    dataset: Dataset
    pairs: tuple[PairFacts, ...]
    passed_over: frozenset[str] = frozenset()

    @property
    def kind(self) -> Kind:
        """Classes or objects."""
        return self.dataset.kind

    @property
    def classes(self) -> ClassTable:
        """Empty where the data does not say; that masks are black and white pictures says nothing of classes."""
        return ClassTable(()) if self.dataset.classes == TWO_LEVELS else self.dataset.classes

    def but(self, files: frozenset[str]) -> Survey:
        """The same survey, passing over the labels of these mask files."""
        return replace(self, passed_over=self.passed_over | files)

    def with_pair(self, pair: PairFacts) -> Survey:
        """The same survey with one entry's facts exchanged."""
        return replace(self, pairs=tuple(pair if old.name == pair.name else old for old in self.pairs))

    def masks(self) -> Iterator[tuple[PairFacts, MaskFacts]]:
        """Every mask file that could be read, with the entry it belongs to."""
        for pair in self.pairs:
            for mask in pair.masks:
                if not mask.error and mask.values is not None and mask.file not in self.passed_over:
                    yield pair, mask

    def id_files(self) -> Iterator[tuple[PairFacts, MaskFacts]]:
        """Every file that holds all ids of its image and whose pixels are whole numbers, with its entry."""
        for pair in self.pairs:
            mask = pair.mask
            if mask is not None and mask.values is not None and mask.mode != "colour" and mask.file not in self.passed_over:
                yield pair, mask

    def labelled(self) -> Iterator[tuple[PairFacts, LabelFacts]]:
        """Every entry whose labels are ids, with what they say."""
        for pair in self.pairs:
            if pair.labels is not None and not self.passed_over.intersection(mask.file for mask in pair.masks):
                yield pair, pair.labels

    @cached_property
    def files_by_value(self) -> Counter[int]:
        """In how many entries each label value occurs."""
        return Counter(value for _, labels in self.labelled() for value in labels.counts)

    @cached_property
    def pixels_by_value(self) -> Counter[int]:
        """How many pixels each label value has."""
        total: Counter[int] = Counter()
        for _, labels in self.labelled():
            total.update(labels.counts)
        return total

    @cached_property
    def in_place(self) -> bool:
        """Whether the masks of this set lie on the edges of their images as a rule, so that an exception means something."""
        known = [labels.alignment for _, labels in self.labelled() if labels.alignment is not None]
        fitting = sum(alignment.in_place for alignment in known)
        return fitting >= 3 and fitting >= 0.6 * len(known)
