"""Which images train and which are held out: of a data set or of samples that are in memory; kept in the run folder."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from microtome.core.classes import ClassTable
from microtome.core.errors import InputError
from microtome.core.events import warn
from microtome.core.raster import InstanceMap
from microtome.core.result import Sample
from microtome.learn.data.dataset import Dataset, Entry
from microtome.learn.data.load import load
from microtome.learn.data.split import groups_in_two_splits, read_split, save_split, split
from microtome.learn.training.memory import Room
from microtome.learn.training.samples import Reads, Samples

__all__ = ["Source", "entries_of", "source_of"]

_GIVEN = "held-out images as given"
_NO_FILE = Path("samples")
_ENDLESS = 1 << 62  # bytes


@dataclass(frozen=True, eq=False)
class Source:
    """The samples of a run.

    Attributes
    ----------
    train, held : Samples
    classes : ClassTable
        Of the data set; empty where it has none.
    without_labels : tuple of str
        How many images have none, in words.
    room : Room
        The memory that images may take.
    """

    train: Samples
    held: Samples
    classes: ClassTable
    without_labels: tuple[str, ...]
    room: Room

    @property
    def dropped(self) -> tuple[str, ...]:
        """What of the data cannot be used, in words: known after the first reading."""
        return (*self.without_labels, *self.train.dropped, *self.held.dropped)


def source_of(
    data: Dataset | Iterable[Sample],
    folder: Path,
    *,
    held: Dataset | Iterable[Sample] | None = None,
    share: float,
    seed: int,
    channel: str | int | None = None,
    keep: bool = True,
    room: Room | None = None,
    resume: bool = False,
) -> Source:
    """Divide labelled images by group; nothing is read yet.

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
    keep : bool
        Whether to write ``split.csv`` where it is not there: of several processes, the first does.
    room : Room, optional
        The memory that images may take; without, they take what they need.
    resume : bool
        Whether a run goes on, so that ``split.csv`` is its own.

    Raises
    ------
    InputError
        If there is too little to divide, an image is both learned from and held out, or a run goes on without the images that were given
        to be held out.
    """
    room = room or Room(_ENDLESS)
    own, dataset = entries_of(data, channel)
    if held is None:
        divided, without = _divided(dataset, folder / "split.csv", share, seed, keep=keep, resume=resume)
        train, held_out = (_part(own, divided, part, room) for part in ("train", "val"))
        return Source(train, held_out, dataset.classes, tuple(without), room)
    others, held_set = entries_of(held, channel)
    learned = dataset.only([replace(entry, split="train") for entry in _labelled(dataset) if entry.split in ("", "train")])
    judged = held_set.only([replace(entry, split="val") for entry in _labelled(held_set)])
    _check_apart(own, learned, others, judged)
    if keep:
        save_split(dataset.only([*learned, *judged]), folder / "split.csv", how=_GIVEN)
    without = [*_without_labels(dataset), *_without_labels(held_set)]
    return Source(_part(own, learned, "train", room), _part(others, judged, "val", room), dataset.classes, tuple(without), room)


def entries_of(data: Dataset | Iterable[Sample], channel: str | int | None) -> tuple[Reads, Dataset]:
    """How an entry is read, and the entries there are: of samples in memory, by their names."""

    def chosen(sample: Sample, entry: Entry) -> Sample:
        image = sample.image if channel is None else sample.image.channel(channel)
        return replace(sample, image=image, name=entry.name, group=entry.group or entry.name)

    if isinstance(data, Dataset):
        return lambda dataset, entry: chosen(load(dataset, entry), entry), data
    named = [(sample.name or f"sample {number}", sample) for number, sample in enumerate(data, 1)]
    given = dict(named)
    if len(given) < len(named):
        twice = [name for name, count in Counter(name for name, _ in named).items() if count > 1]
        raise InputError(f"{len(twice)} names are those of several samples ({', '.join(twice[:3])}): give each sample a name of its own")
    return lambda _, entry: chosen(given[entry.name], entry), _dataset_of(given)


def _check_apart(own: Reads, learned: Dataset, others: Reads, judged: Dataset) -> None:
    """An image of both would be judged by a network that has seen it; one of the same group nearly so."""
    seen = {sign for entry in learned for sign in _signs(own, learned, entry)}
    if both := [entry.name for entry in judged if not seen.isdisjoint(_signs(others, judged, entry))]:
        raise InputError(f"{len(both)} images are both learned from and held out ({', '.join(both[:3])}): their score would be that of a "
                         "network that has seen them; leave --validate away to hold out a share, or give other images")  # fmt: skip
    _tell_torn(learned.only([*learned, *judged]))


def _signs(read: Reads, dataset: Dataset, entry: Entry) -> set[Path | str]:
    """What an image is known by: its files; its pixels where it is in memory, unless it is blank."""
    if dataset.root != _NO_FILE:
        return {path.resolve() for path in entry.images}
    pixels = read(dataset, entry).image.pixels
    if pixels.min() == pixels.max():
        return set()
    return {f"{pixels.shape} {hashlib.sha256(pixels.tobytes()).hexdigest()}"}


def _tell_torn(dataset: Dataset) -> None:
    if torn := [str(problem.values[0]) for problem in groups_in_two_splits(dataset)]:
        warn(f"{len(torn)} groups have images both to learn from and held out ({', '.join(torn[:3])}): the score is that of a network that "
             "has seen some of each, and flatters it")  # fmt: skip


def _part(read: Reads, dataset: Dataset, part: str, room: Room) -> Samples:
    entries = [entry for entry in dataset if entry.split == part]
    return Samples(dataset.only(entries), read, room, in_memory=dataset.root == _NO_FILE)


def _dataset_of(samples: dict[str, Sample]) -> Dataset:
    """Names and groups, to be divided as files are."""
    if not samples:
        raise InputError("there is no labelled image to learn from")
    entries = tuple(Entry(name, (), None, "", sample.group) for name, sample in samples.items())
    first = next(iter(samples.values()))
    kind = "instance" if isinstance(first.truth, InstanceMap) else "semantic"
    named = {entry.value: entry for sample in reversed(samples.values()) for entry in sample.truth.classes}
    classes = ClassTable(() if kind == "instance" else tuple(named[value] for value in sorted(named)))
    return Dataset(_NO_FILE, "samples in memory", entries, "instance" if kind == "instance" else "semantic", classes)


def _divided(dataset: Dataset, path: Path, share: float, seed: int, *, keep: bool, resume: bool) -> tuple[Dataset, list[str]]:
    left = _without_labels(dataset)
    dataset = _usable(dataset.only(_labelled(dataset)))
    if path.exists():
        if _GIVEN in path.read_text(encoding="utf-8", errors="replace"):
            raise InputError(f"{path}: the held-out images of this run were given; give them again (--validate)"
                             + ("" if resume else ", or remove this file to hold out a share"))  # fmt: skip
        if not resume and keep:
            warn(f"{path} was there already and says which images are held out; remove it to divide them anew")
        return read_split(dataset, path), left
    if {"train", "val"} <= set(dataset.splits):
        _tell_torn(dataset)
        if keep:
            save_split(dataset, path, how="as given")
        return dataset, left
    bare = dataset.only([replace(entry, split="") for entry in dataset])
    if len(set(bare.groups())) == 1:
        raise InputError(f"{dataset.root}: all labelled images ({len(bare)}) are of one group, so none can be held out to judge the "
                         "network; label images of another group, or give some with --validate")  # fmt: skip
    shares = {"train": 1 - share, "val": share}
    divided = split(bare, shares, seed=seed)
    if keep:
        save_split(divided, path, seed=seed, shares=shares)
    return divided, left


def _usable(dataset: Dataset) -> Dataset:
    """What is learned from or held out: `train` and `val`. Where nothing is called `train`, it is what has no name."""
    learned = "train" if "train" in dataset.splits else ""
    parts = {learned: "train", "val": "val"}
    own = [replace(entry, split=parts[entry.split]) for entry in dataset if entry.split in parts]
    others = sorted({entry.split or "what is in neither train nor val" for entry in dataset if entry.split not in parts})
    if len(dataset) and not own:
        raise InputError(f"{dataset.root}: the labelled images are all of {' and '.join(others)}, and none of train or val; name the "
                         "part to learn from `train`")  # fmt: skip
    if others:
        warn(f"{', '.join(others)} is not looked at: train is learned from, val or a share of train is held out")
    return dataset.only(own)


def _labelled(dataset: Dataset) -> list[Entry]:
    return [entry for entry in dataset if dataset.root == _NO_FILE or entry.truth is not None]


def _without_labels(dataset: Dataset) -> list[str]:
    without = len(dataset) - len(_labelled(dataset))
    return [f"{without} of {len(dataset)} images have no labels"] if without else []
