"""The labelled images of one part of a run: held in memory where there is room, else read from their files whenever they are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod

from microtome.core.errors import InputError, RunError
from microtome.core.raster import InstanceMap, SemanticMap
from microtome.core.result import Sample
from microtome.learn.data.dataset import Dataset, Entry
from microtome.learn.data.load import load_truth
from microtome.learn.training.memory import Room, prepared_size

__all__ = ["Reads", "Samples"]

Mask = SemanticMap | InstanceMap
Reads = Callable[[Dataset, Entry], Sample]


class Samples:
    """Labelled images in their order. A run reads all of them once (`first_reading`) before it asks for any.

    Parameters
    ----------
    dataset : Dataset
        Their files; of samples that are in memory anyway, their names and groups.
    read : function
        From an entry to its sample.
    room : Room
        What may be held.
    in_memory : bool
        They are in memory anyway, so holding them takes nothing.

    Attributes
    ----------
    dataset : Dataset
        Without what could not be read, after the first reading.
    held : tuple of Sample or None
        All samples, where there was room for them.
    dropped : tuple of str
        What could not be read, and why.
    pixels : tuple of int
        Of each image.
    prepared : int, in bytes
        What all images take as windows are cut from them, at their own scale.
    reserved : int, in bytes
        What of `room` was taken for that.
    """

    def __init__(self, dataset: Dataset, read: Reads, room: Room, *, in_memory: bool = False) -> None:
        self.dataset, self._read, self._room, self._in_memory = dataset, read, room, in_memory
        self.held: tuple[Sample, ...] | None = None
        self.dropped: tuple[str, ...] = ()
        self.pixels: tuple[int, ...] = ()
        self.prepared = self.reserved = 0

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, number: int) -> Sample:
        """One sample.

        Raises
        ------
        RunError
            If its files can no longer be read.
        """
        return self.held[number] if self.held is not None else self._again(self.dataset.entries[number])

    def __iter__(self) -> Iterator[Sample]:
        return (self[number] for number in range(len(self)))

    @property
    def names(self) -> tuple[str, ...]:
        """Of the images."""
        return tuple(entry.name for entry in self.dataset)

    @property
    def source(self) -> Dataset | tuple[Sample, ...]:
        """What a loader reads from: the samples, or their files."""
        return self.dataset if self.held is None else self.held

    def first_reading(self) -> Iterator[Sample]:
        """Read all, one after the other.

        Yields
        ------
        Sample
            What cannot be read is left out, and noted in `dropped`.
        """
        there: list[Entry] = []
        held: list[Sample] | None = []
        taken = 0
        for entry in self.dataset:
            try:
                sample = self._read(self.dataset, entry)
            except InputError as error:
                self.dropped += (f"{entry.name} cannot be read: {error}",)
                continue
            there.append(entry)
            self.pixels += (prod(sample.image.shape),)
            self.prepared += prepared_size(sample.image)
            size = self._size(sample)
            if held is not None and (self._in_memory or self._room.take(size)):
                held.append(sample)
                taken += size
            elif held is not None:
                self._room.give_back(taken)
                held = None
            yield sample
        self.dataset = self.dataset.only(there)
        self.held = None if held is None else tuple(held)
        self.reserved = 0 if held is None or self._in_memory else self.prepared

    def labels(self) -> Iterator[tuple[str, Mask]]:
        """Each image's name and its labels; of files, only those with labels are read."""
        if self.held is not None:
            yield from ((sample.name, sample.truth) for sample in self.held)
            return
        for entry in self.dataset:
            try:
                yield entry.name, load_truth(self.dataset, entry)
            except InputError as error:
                raise RunError(_no_more(entry, error)) from None

    def _size(self, sample: Sample) -> int:
        """What holding a sample takes: as it was read, and as windows are cut from it."""
        return sample.image.pixels.nbytes + sample.truth.pixels.nbytes + prepared_size(sample.image)

    def _again(self, entry: Entry) -> Sample:
        try:
            return self._read(self.dataset, entry)
        except InputError as error:
            raise RunError(_no_more(entry, error)) from None


def _no_more(entry: Entry, error: InputError) -> str:
    return (f"{entry.name} ({', '.join(map(str, entry.images))}) could be read when training began, and no more: {error}; "
            "put the file back, then go on with --resume")  # fmt: skip
