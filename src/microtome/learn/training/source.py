"""Which images train and which are held out: of a data set or of samples that are in memory; kept in the run folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from microtome.core.classes import ClassTable
from microtome.core.errors import InputError
from microtome.core.events import warn
from microtome.core.raster import InstanceMap
from microtome.core.result import Sample
from microtome.learn.data.dataset import Dataset, Entry
from microtome.learn.data.load import load
from microtome.learn.data.split import read_split, save_split, split

__all__ = ["Source", "source_of"]

_NO_FILE = Path("samples")


@dataclass(frozen=True, eq=False)
class Source:
    """The samples of a run.

    Attributes
    ----------
    train, held : tuple of Sample
    classes : ClassTable
        Of the data set; empty where it has none.
    dropped : tuple of str
        What of the data cannot be used, in words.
    """

    train: tuple[Sample, ...]
    held: tuple[Sample, ...]
    classes: ClassTable
    dropped: tuple[str, ...]


def source_of(
    data: Dataset | Iterable[Sample],
    folder: Path,
    *,
    held: Dataset | Iterable[Sample] | None = None,
    share: float,
    seed: int,
    channel: str | int | None = None,
) -> Source:
    """Read all images with their labels, and divide them by group.

    Parameters
    ----------
    data : Dataset or iterable of Sample
        Its own splits are kept: ``train`` trains, ``val`` is held out, anything else is left alone. Without ``val`` a share of the
        groups is held out.
    folder : Path
        Of the run: ``split.csv`` in it is used if it is there, and written if not.
    held : Dataset or iterable of Sample, optional
        All that is held out, where it is given; all of `data` but its own val and test then trains.
    share : float
        Of the images, to hold out.
    seed : int
    channel : name or number, optional
        The only channel to use.

    Raises
    ------
    InputError
        If there is too little to divide.
    """
    own, dataset = _read(data, channel)
    if held is None:
        divided, dropped = _divided(dataset, folder / "split.csv", share, seed)
        train, held_out = divided, divided
    else:
        others, held_set = _read(held, channel)
        train = dataset.only([replace(entry, split="train") for entry in _labelled(dataset) if entry.split in ("", "train")])
        held_out = held_set.only([replace(entry, split="val") for entry in _labelled(held_set)])
        dropped = [*_without_labels(dataset), *_without_labels(held_set)]
        save_split(dataset.only([*train, *held_out]), folder / "split.csv", how="held-out images as given")
        return Source(_samples(own, train, "train", dropped), _samples(others, held_out, "val", dropped), dataset.classes, tuple(dropped))
    return Source(_samples(own, train, "train", dropped), _samples(own, held_out, "val", dropped), dataset.classes, tuple(dropped))


Loads = Callable[[Dataset, Entry], Sample]


def _read(data: Dataset | Iterable[Sample], channel: str | int | None) -> tuple[Loads, Dataset]:
    """How an entry is read, and the entries there are."""

    def chosen(sample: Sample, entry: Entry) -> Sample:
        image = sample.image if channel is None else sample.image.channel(channel)
        return replace(sample, image=image, name=entry.name, group=entry.group or entry.name)

    if isinstance(data, Dataset):
        return lambda dataset, entry: chosen(load(dataset, entry), entry), data
    given = {sample.name or f"sample {number}": sample for number, sample in enumerate(data, 1)}
    return lambda _, entry: chosen(given[entry.name], entry), _dataset_of(given)


def _samples(read: Loads, dataset: Dataset, part: str, dropped: list[str]) -> tuple[Sample, ...]:
    """All samples of a part; what cannot be read is noted."""
    found = []
    for entry in dataset:
        if entry.split == part:
            try:
                found.append(read(dataset, entry))
            except InputError as error:
                dropped.append(f"{entry.name} cannot be read: {error}")
    return tuple(found)


def _dataset_of(samples: dict[str, Sample]) -> Dataset:
    """Names and groups, to be divided as files are."""
    if not samples:
        raise InputError("there is no labelled image to learn from")
    entries = tuple(Entry(name, (), None, "", sample.group) for name, sample in samples.items())
    first = next(iter(samples.values()))
    kind = "instance" if isinstance(first.truth, InstanceMap) else "semantic"
    classes = ClassTable(()) if kind == "instance" else first.truth.classes
    return Dataset(_NO_FILE, "samples in memory", entries, "instance" if kind == "instance" else "semantic", classes)


def _divided(dataset: Dataset, path: Path, share: float, seed: int) -> tuple[Dataset, list[str]]:
    left = _without_labels(dataset)
    dataset = dataset.only(_labelled(dataset))
    if path.exists():
        return read_split(dataset, path), left
    if "val" in dataset.splits and "train" in dataset.splits:
        divided = dataset
        others = [name for name in dataset.splits if name not in ("train", "val")]
        if others:
            warn(f"{', '.join(others)} is not looked at: the data's train is learned from, its val decides which weights are kept")
        save_split(divided, path, how="as given")
        return divided, left
    own = dataset.part("train") if "train" in dataset.splits else dataset
    bare = own.only([replace(entry, split="") for entry in own])
    shares = {"train": 1 - share, "val": share}
    divided = split(bare, shares, seed=seed)
    save_split(divided, path, seed=seed, shares=shares)
    return divided, left


def _labelled(dataset: Dataset) -> list[Entry]:
    return [entry for entry in dataset if dataset.root == _NO_FILE or entry.truth is not None]


def _without_labels(dataset: Dataset) -> list[str]:
    without = len(dataset) - len(_labelled(dataset))
    return [f"{without} of {len(dataset)} images have no labels"] if without else []
