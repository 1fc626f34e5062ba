"""The images of a loader as they are read and prepared: kept until there is no more room, and named in whatever goes wrong."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from microtome.core.result import Sample
from microtome.learn.augment.example import Example, example_of
from microtome.learn.data.dataset import Annotated, Dataset, LabelFile
from microtome.learn.data.load import load
from microtome.learn.data.options import Options

__all__ = ["Memory", "Source", "naming", "place_of", "size_of"]

Source = Dataset | tuple[Sample, ...]


class Memory:
    """Examples that were read, as many as `limit` bytes hold.

    Windows come in random order, so what is kept may be whatever came first: giving way to later images would find no more of them.
    """

    def __init__(self, source: Source, options: Options, limit: int) -> None:
        self.source, self.options, self.limit = source, options, limit
        self.bytes = 0
        self._held: dict[int, Example] = {}
        self._lock = threading.Lock()

    def __contains__(self, entry: int) -> bool:
        return entry in self._held

    def example(self, entry: int) -> Example:
        """A whole image with its labels, prepared."""
        if entry in self._held:
            return self._held[entry]
        example = self._read(entry)
        size = size_of(example)
        with self._lock:
            if entry not in self._held and self.bytes + size <= self.limit:
                self._held[entry] = example
                self.bytes += size
        return example

    def lay(self, entry: int, example: Example) -> None:
        """Have an example that somebody else keeps; it does not count."""
        self._held[entry] = example

    def _read(self, entry: int) -> Example:
        sample = load(self.source, self.source.entries[entry]) if isinstance(self.source, Dataset) else self.source[entry]
        sample = self.options.prepare(sample) if self.options.prepare else sample
        return example_of(sample if sample.name else replace(sample, name=_name(self.source, entry)))


def size_of(example: Example) -> int:
    """The bytes of its arrays."""
    arrays = (example.image, example.classes, example.objects, example.boxes, example.points)
    return sum(array.nbytes for array in arrays if array is not None)


def _name(source: Source, entry: int) -> str:
    if isinstance(source, Dataset):
        return source.entries[entry].name
    return source[entry].name or source[entry].image.source or f"sample {entry}"


def place_of(source: Source, entry: int) -> str:
    """An image's name and its files."""
    if not isinstance(source, Dataset):
        return _name(source, entry)
    one = source.entries[entry]
    files: list[Path] = list(one.images)
    if isinstance(one.truth, (LabelFile, Annotated)):
        files.append(one.truth.path)
    elif one.truth is not None:
        files += one.truth.paths[:1]
    return f"{one.name} ({', '.join(os.fspath(path) for path in files)})"


@contextmanager
def naming(memory: Memory, entry: int) -> Iterator[None]:
    """An error that comes up in this block remembers its image."""
    try:
        yield
    except Exception as error:
        error.microtome_place = place_of(memory.source, entry)  # type: ignore[attr-defined]
        raise
