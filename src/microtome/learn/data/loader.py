"""Batches of windows for a network: read, cut, changed and encoded, in one order whatever the number of workers."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from functools import cached_property
from types import TracebackType
from typing import Any, Self

from microtome.core.errors import InputError, RecipeError, RunError
from microtome.core.events import warn
from microtome.core.result import Sample
from microtome.learn.augment.border import Border
from microtome.learn.augment.chain import Chain, Plain, chain_of
from microtome.learn.augment.example import Example
from microtome.learn.augment.warp import Interpolation
from microtome.learn.data.batch import Batch, BatchJob, make
from microtome.learn.data.carriers import Carrier, Here, Processes, Threads
from microtome.learn.data.dataset import Dataset
from microtome.learn.data.memory import Memory
from microtome.learn.data.options import Encode, Options, Prepare
from microtome.learn.data.windows import Sampling, Survey, Window, plan
from microtome.learn.data.worker import Work, see

__all__ = ["Batch", "Loader", "Options"]

_ALONE = (0, 1)


class Loader:
    """Batches of windows of labelled images.

    Parameters
    ----------
    data : Dataset, or iterable of Sample
        A data set's files are read in worker processes; samples that are in memory are shared by worker threads.
    shape : sequence of int
        Of a window, without channels: (y, x) or (z, y, x).
    batch : int
        Windows a batch; an epoch's last batch may be smaller.
    augment, mix : list, Chain
        Steps as plain data (see `chain_of`); those of `mix` are done to whole batches.
    sampling : Sampling
        How windows are chosen.
    seed : int
        Everything random follows from it, the epoch and the number of the window.
    workers : int
        0: everything in this process. Right for a network that trains on the processor: reading is over after the survey, and a batch
        takes little of a step's time. Workers are for accelerators, and for `encode` written in plain Python.
    ahead : int
        Batches that are made before their turn. With ``workers=0`` one thread beside this one makes them; 0: each is made when its
        turn comes, which is what a debugger wants. Workers make two each, at least.
    memory : int, in bytes
        Up to so much of prepared images is kept as they are read, by all workers together, so that no image is read twice where
        all have room. Worker processes keep them in shared memory.
    margin, border, interpolation, prepare, encode
        See `Options`. For worker processes `prepare` and `encode` must be functions that lie in a module (also with arguments by
        `functools.partial`), or objects of a class that does.

    Raises
    ------
    InputError
        If there is no labelled image, or images do not go together: their number of axes, of channels, or their kind of labels.
    RecipeError
        If an option is wrong.
    RunError
        If a file cannot be read or a step fails, with the file, the reason and the worker's own traceback; or if a worker was killed.

    Examples
    --------
    >>> from microtome.core.raster import Image, SemanticMap
    >>> picture, truth = Image(np.zeros((40, 50), np.uint8)), SemanticMap(np.ones((40, 50), np.uint8))
    >>> with Loader([Sample(picture, truth, name="a")], shape=(16, 16), batch=4, augment=["flips"]) as loader:
    ...     [batch.image.shape for batch in loader.epoch(0)]
    [(4, 16, 16, 1), (4, 16, 16, 1)]
    """

    def __init__(
        self,
        data: Dataset | Iterable[Sample],
        *,
        shape: Sequence[int],
        batch: int = 4,
        augment: Plain | Chain = (),
        mix: Plain | Chain = (),
        sampling: Sampling | None = None,
        seed: int = 0,
        workers: int = 0,
        ahead: int = 2,
        memory: int = 2 << 30,
        margin: int | Sequence[int] = 0,
        border: Border = "reflect",
        interpolation: Interpolation = "linear",
        prepare: Prepare | None = None,
        encode: Encode | None = None,
    ) -> None:
        for name, number, least in (("batch", batch, 1), ("workers", workers, 0), ("ahead", ahead, 0), ("memory", memory, 0),
                                    ("seed", seed, 0)):  # fmt: skip
            if number < least:
                raise RecipeError(f"{name}: found {number}, expected a whole number from {least}")
        if len(shape) not in (2, 3) or min(shape) < 1:
            raise RecipeError(f"shape: found {tuple(shape)}, expected 2 or 3 sizes from 1")
        self.source: Dataset | tuple[Sample, ...] = _labelled(data) if isinstance(data, Dataset) else tuple(data)
        sides = (margin,) * len(shape) if isinstance(margin, int) else tuple(margin)
        chain = augment if isinstance(augment, Chain) else chain_of(augment)
        mixed = mix if isinstance(mix, Chain) else chain_of(mix, place="mix", folders=("batch",))
        self.options = Options(tuple(shape), sides, chain, mixed, border, interpolation, prepare, encode)
        self.batch, self.sampling, self.seed, self.memory = batch, sampling or Sampling(), seed, memory
        self.workers, self.ahead = workers, max(ahead, 2 * workers)
        self._said: set[str] = set()

    def __len__(self) -> int:
        """The images."""
        return len(self.source)

    def steps(self, epoch: int = 0, *, share: tuple[int, int] = _ALONE) -> int:
        """The batches of an epoch; see `epoch` for `share`."""
        return len(self._jobs(self.plan(epoch), share))

    @cached_property
    def surveys(self) -> tuple[Survey, ...]:
        """What was seen of each prepared image. The first look reads every image and its labels, so a broken one is known at once."""
        found = tuple(seen.survey for seen in self._made(see, range(len(self.source))))
        _go_together(found, len(self.options.shape))
        return found

    @cached_property
    def classes(self) -> tuple[int, ...]:
        """The classes that windows are centred on: all that occur but the background and the ignored."""
        there = {value for survey in self.surveys for value in survey.counts}
        return tuple(sorted(there - self._left_out))

    @cached_property
    def _left_out(self) -> set[int]:
        if isinstance(self.source, Dataset):
            tables = [self.source.classes]
        else:
            tables = [sample.truth.classes for sample in self.source]
        listed = {entry.value: entry.role for table in tables for entry in table}
        return {value for value, role in listed.items() if role in ("background", "ignore")} | ({0} - set(listed))

    def plan(self, epoch: int) -> list[Window]:
        """Every window of an epoch, in order; made without reading an image again."""
        return plan(self.surveys, self.options.shape, classes=self.classes, sampling=self.sampling, seed=self.seed, epoch=epoch)

    def epoch(self, number: int, *, first: int = 0, share: tuple[int, int] = _ALONE) -> Generator[Batch, None, None]:
        """The batches of an epoch.

        Parameters
        ----------
        number : int
            Of the epoch.
        first : int
            The batch to begin with: what follows is the same as if those before had been taken.
        share : (int, int)
            The rank of this process and the count of processes that train together. Each gets its own part of every batch's windows;
            put together in the order of the ranks they are the batch that one process gets. Of an epoch's last, smaller batch the
            windows that do not divide by `count` are left out, so that all processes see as many batches of the same size. With
            `mix` every process makes the whole batch and takes its part.

        Raises
        ------
        RecipeError
            If `batch` does not divide by the count, or there is no such rank.
        RunError
            If a window could not be made.
        """
        return self._made(make, self._jobs(self.plan(number), share)[first:])

    def _jobs(self, windows: Sequence[Window], share: tuple[int, int]) -> list[BatchJob]:
        rank, count = share
        if not 0 <= rank < count:
            raise RecipeError(f"share: found rank {rank} of {count}, expected a rank from 0 and below the count")
        if self.batch % count:
            raise RecipeError(f"batch: found {self.batch}, expected a multiple of {count}, the processes that share it")
        jobs = [_part(windows[at : at + self.batch], rank, count, whole=bool(self.options.mix.steps))
                for at in range(0, len(windows), self.batch)]  # fmt: skip
        return [job for job in jobs if job.past > job.first]

    def example(self, entry: int) -> Example:
        """A whole image with its labels, prepared and not changed."""
        return self._memory.example(entry)

    def close(self) -> None:
        """End the workers."""
        if "_carrier" in self.__dict__:
            self.__dict__.pop("_carrier").close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _made(self, work: Work, jobs: Iterable[Any]) -> Generator[Any, None, None]:
        """What comes of each job, in order; what workers said is said here, once; their errors are raised."""
        answers = self._carrier.answers(work, jobs)
        try:
            for answer in answers:
                for message in answer.said:
                    if message not in self._said:
                        self._said.add(message)
                        warn(message)
                if answer.error:
                    raise RunError(answer.error)
                yield answer.made
        finally:
            answers.close()

    @cached_property
    def _carrier(self) -> Carrier:
        if self.workers and isinstance(self.source, Dataset):
            return Processes(self.source, self.options, memory=self.memory, workers=self.workers, ahead=self.ahead)
        if self.workers or self.ahead:
            return Threads(self._memory, max(1, self.workers), self.ahead)
        return Here(self._memory)

    @cached_property
    def _memory(self) -> Memory:
        """This process's own; where worker processes keep the images, nothing stays here."""
        elsewhere = self.workers and isinstance(self.source, Dataset)
        return Memory(self.source, self.options, 0 if elsewhere else self.memory)


def _part(windows: Sequence[Window], rank: int, count: int, *, whole: bool) -> BatchJob:
    """One process's part of a batch's windows; `whole`: with the others beside it."""
    size = len(windows) // count
    first, past = rank * size, (rank + 1) * size
    return BatchJob(tuple(windows), first, past) if whole else BatchJob(tuple(windows[first:past]), 0, size)


def _labelled(dataset: Dataset) -> Dataset:
    there = [entry for entry in dataset if entry.truth is not None]
    if len(there) < len(dataset):
        warn(f"{dataset.root}: {len(dataset) - len(there)} of {len(dataset)} images have no labels and are left out")
    return dataset.only(there)


def _go_together(surveys: Sequence[Survey], ndim: int) -> None:
    if not surveys:
        raise InputError("there is no labelled image to take windows from")
    first = surveys[0]
    for one in surveys:
        if len(one.shape) != ndim:
            raise InputError(f"{one.name}: the image is {one.shape}, windows have {ndim} axes")
        for what in ("channels", "labels"):
            if getattr(one, what) != getattr(first, what):
                raise InputError(f"{one.name}: {what} {getattr(one, what)}, but {first.name} has {getattr(first, what)}; "
                                 "images that are learned together must agree in these")  # fmt: skip
    dtypes = sorted({one.dtype for one in surveys})
    if len(dtypes) > 1:
        warn(
            f"images are {' and '.join(dtypes)}; a batch of both is float32 with the values as they are, so normalise each image (prepare)"
        )
