"""Batches of windows for a network: read, cut, changed and encoded, in one order whatever the number of workers."""

from __future__ import annotations

import os
import pickle
import tempfile
import threading
import traceback
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from itertools import islice
from math import ceil
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError, RecipeError, RunError
from microtome.core.events import collect_warnings, warn
from microtome.core.result import Sample
from microtome.learn.augment import catalogue
from microtome.learn.augment.border import Border
from microtome.learn.augment.chain import Chain, Drawn, Plain, apply, chain_of
from microtome.learn.augment.example import Example, example_of
from microtome.learn.augment.placement import Placement
from microtome.learn.augment.randomness import generator
from microtome.learn.augment.warp import Interpolation, warp
from microtome.learn.data.dataset import Annotated, Dataset, LabelFile
from microtome.learn.data.shared import Parcel, discard, pack, unpack
from microtome.learn.data.windows import Sampling, Survey, Window, plan, survey_of

__all__ = ["Batch", "Loader", "Options"]

_ORDER = "order"

Prepare = Callable[[Sample], Sample]
Encode = Callable[[Example], Mapping[str, NDArray[Any]]]
Made = TypeVar("Made")
Rows = tuple[NDArray[np.float64], NDArray[np.int64]]


@dataclass(frozen=True, eq=False)
class Batch:
    """N windows, stacked.

    Attributes
    ----------
    image : ndarray, shape (N, *window, C)
        In the dtype of the images; float32 with the values as they are where dtypes differ.
    classes, objects : ndarray, shape (N, *window), or None
        Of the window without its margin.
    targets : mapping of str to ndarray, shape (N, ...)
        What `encode` made of each window.
    names : tuple of str
        Of the images.
    boxes, points : tuple of (ndarray, ndarray)
        Of each window without its margin, with their ids; empty where the data has none.
    object_class : tuple of mapping of int to int
        The classes of each window's objects, where known.
    windows : tuple of Window
    drawn : tuple
        What was done to each: ``apply(drawn, example, shape=..., centre=...)`` does it again.
    """

    image: NDArray[Any]
    classes: NDArray[Any] | None
    objects: NDArray[np.int32] | None
    targets: Mapping[str, NDArray[Any]]
    names: tuple[str, ...]
    boxes: tuple[Rows, ...]
    points: tuple[Rows, ...]
    object_class: tuple[Mapping[int, int], ...]
    windows: tuple[Window, ...]
    drawn: tuple[Drawn, ...]

    def __len__(self) -> int:
        return len(self.windows)


@dataclass(frozen=True, eq=False)
class Options:
    """What becomes of a window.

    Attributes
    ----------
    shape : tuple of int
        Of a window: what the network's output covers.
    margin : tuple of int
        What the image has more on each side, for networks whose output is smaller than their input; empty: none.
    chain : Chain
        Done to each window.
    mix : Chain
        Done to a batch: steps of several samples.
    border, interpolation : str
        See `microtome.learn.augment.warp.warp`.
    prepare : callable, optional
        From a sample as it was read to the one that windows are cut from: normalised, rescaled. Kept in memory with what it made.
    encode : callable, optional
        From a window after all changes, without its margin, to named arrays: a network's targets.
    """

    shape: tuple[int, ...]
    margin: tuple[int, ...] = ()
    chain: Chain = field(default_factory=Chain)
    mix: Chain = field(default_factory=Chain)
    border: Border = "reflect"
    interpolation: Interpolation = "linear"
    prepare: Prepare | None = None
    encode: Encode | None = None

    @property
    def margins(self) -> tuple[int, ...]:
        """One an axis."""
        return self.margin or (0,) * len(self.shape)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Of the image."""
        return tuple(n + 2 * side for n, side in zip(self.shape, self.margins, strict=True))


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
        0: everything in this process, when its turn comes.
    memory : int, in bytes
        Up to so much of decoded images is kept, by all workers together.
    margin, border, interpolation, prepare, encode
        See `Options`. For worker processes `prepare` and `encode` must be functions that lie in a module.

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
        memory: int = 2 << 30,
        margin: int | Sequence[int] = 0,
        border: Border = "reflect",
        interpolation: Interpolation = "linear",
        prepare: Prepare | None = None,
        encode: Encode | None = None,
    ) -> None:
        for name, number, least in (("batch", batch, 1), ("workers", workers, 0), ("memory", memory, 0), ("seed", seed, 0)):
            if number < least:
                raise RecipeError(f"{name}: found {number}, expected a whole number from {least}")
        if len(shape) not in (2, 3) or min(shape) < 1:
            raise RecipeError(f"shape: found {tuple(shape)}, expected 2 or 3 sizes from 1")
        self.source: Dataset | tuple[Sample, ...] = _labelled(data) if isinstance(data, Dataset) else tuple(data)
        sides = (margin,) * len(shape) if isinstance(margin, int) else tuple(margin)
        chain = augment if isinstance(augment, Chain) else chain_of(augment)
        mixed = mix if isinstance(mix, Chain) else chain_of(mix, place="mix", folders=("batch",))
        self.options = Options(tuple(shape), sides, chain, mixed, border, interpolation, prepare, encode)
        self.batch, self.sampling, self.seed, self.workers, self.memory = batch, sampling or Sampling(), seed, workers, memory
        self._said: set[str] = set()

    def __len__(self) -> int:
        """The images."""
        return len(self.source)

    def steps(self, epoch: int = 0) -> int:
        """The batches of an epoch."""
        return ceil(len(self.plan(epoch)) / self.batch)

    @cached_property
    def surveys(self) -> tuple[Survey, ...]:
        """What was seen of each image. The first look reads every image and its labels, so that a broken one is known at once."""
        found = tuple(self._in_order(_survey, range(len(self.source))))
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

    def epoch(self, number: int, *, first: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, from the `first` on: what follows is the same as if those before had been taken.

        Raises
        ------
        RunError
            If a window could not be made.
        """
        windows = self.plan(number)
        jobs = [tuple(windows[at : at + self.batch]) for at in range(first * self.batch, len(windows), self.batch)]
        return self._in_order(_make, jobs)

    def example(self, entry: int) -> Example:
        """A whole image with its labels, prepared and not changed."""
        return self._memory.example(entry)

    def close(self) -> None:
        """End the workers."""
        for part in ("_pool", "_order"):
            if part in self.__dict__:
                self.__dict__.pop(part).__exit__(None, None, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    # What follows is how jobs come to workers and back.

    def _in_order(self, work: Callable[[_Memory, Any], Made], jobs: Iterable[Any]) -> Iterator[Made]:
        """Each job's result in the order of the jobs; a few are under way ahead of their turn."""
        waiting = iter(jobs)
        if not self.workers:
            for job in waiting:
                yield self._told(_attempt(self._memory, work, job))
            return
        running: deque[tuple[Any, Future[Any]]] = deque()
        try:
            while True:
                running.extend((job, self._submit(work, job)) for job in islice(waiting, 2 * self.workers + 1 - len(running)))
                if not running:
                    return
                job, future = running.popleft()
                try:
                    answer = future.result()
                except BrokenProcessPool:
                    answers = self._after_a_crash(work, [(job, future), *running])
                    running.clear()
                    yield from map(self._told, answers)
                    continue
                yield self._told(answer)
        finally:
            for _, future in running:
                if not future.cancel():
                    future.add_done_callback(_dropped)

    def _after_a_crash(self, work: Callable[[_Memory, Any], Made], jobs: Sequence[tuple[Any, Future[Any]]]) -> Iterator[Any]:
        """A worker was killed: what was under way is done again by one worker, so that it shows whose fault it is, if any's."""
        from microtome.run.executors.processes import Pool

        self.__dict__.pop("_pool").__exit__(None, None, None)
        with Pool(1) as alone:
            for job, future in jobs:
                try:
                    if not future.cancelled() and future.exception() is None:
                        yield future.result()
                    else:
                        yield alone.submit(_in_a_process, (self._order.name, work, job)).result()
                except BrokenProcessPool:
                    raise RunError(self._killed(job)) from None

    def _submit(self, work: Callable[[_Memory, Any], Made], job: Any) -> Future[Any]:
        if isinstance(self.source, Dataset):
            future: Future[Any] = self._pool.submit(_in_a_process, (self._order.name, work, job))
            return future
        return self._pool.submit(_attempt, self._memory, work, job)

    def _told(self, answer: _Answer | Parcel) -> Any:
        """The result; or the worker's error, with the file it was at."""
        answer = unpack(answer) if isinstance(answer, Parcel) else answer
        for message in answer.said:
            if message not in self._said:
                self._said.add(message)
                warn(message)
        if answer.error:
            raise RunError(answer.error)
        return answer.made

    def _killed(self, job: Any) -> str:
        entries = [job] if isinstance(job, int) else dict.fromkeys(window.entry for window in job)
        places = ", ".join(_place(self.source, entry) for entry in entries)
        return (f"{places}: the worker process was killed twice while it worked on this, most likely by the system for want of memory; "
                "use a smaller window or batch, less memory for decoded images, or workers=0 to see more")  # fmt: skip

    @cached_property
    def _memory(self) -> _Memory:
        return _Memory(self.source, self.options, self.memory)

    @cached_property
    def _pool(self) -> Any:
        if not isinstance(self.source, Dataset):
            return ThreadPoolExecutor(self.workers, thread_name_prefix="microtome-loader")
        from microtome.run.executors.processes import Pool

        return Pool(self.workers)

    @cached_property
    def _order(self) -> tempfile.TemporaryDirectory[str]:
        """What every worker needs, in a file: a job is then a name and a few numbers."""
        for name, function in (("prepare", self.options.prepare), ("encode", self.options.encode)):
            if getattr(function, "__module__", "") == "__main__":
                raise RecipeError(f"{name}: {function!r} lies in the script that is run, which worker processes do not import; "
                                  "put it into a module beside it, or use workers=0")  # fmt: skip
        try:
            text = pickle.dumps((self.source, self.options, self.memory // self.workers))
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise RecipeError(f"prepare or encode cannot be sent to worker processes ({error}); make it a function of a module, "
                              "or use workers=0") from None  # fmt: skip
        folder = tempfile.TemporaryDirectory(prefix="microtome-")
        (Path(folder.name) / _ORDER).write_bytes(text)
        return folder


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


class _Memory:
    """Examples that were read, the latest up to a limit of bytes."""

    def __init__(self, source: Dataset | tuple[Sample, ...], options: Options, limit: int) -> None:
        self.source, self.options, self.limit = source, options, limit
        self._held: OrderedDict[int, Example] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def example(self, entry: int) -> Example:
        with self._lock:
            if entry in self._held:
                self._held.move_to_end(entry)
                return self._held[entry]
        example = self._read(entry)
        with self._lock:
            self._keep(entry, example)
        return example

    def _keep(self, entry: int, example: Example) -> None:
        size = _bytes(example)
        if entry in self._held or size > self.limit:
            return
        self._held[entry] = example
        self._bytes += size
        while self._bytes > self.limit:
            self._bytes -= _bytes(self._held.popitem(last=False)[1])

    def _read(self, entry: int) -> Example:
        from microtome.learn.data.load import load

        if isinstance(self.source, Dataset):
            sample = load(self.source, self.source.entries[entry])
        else:
            sample = self.source[entry]
        sample = self.options.prepare(sample) if self.options.prepare else sample
        return example_of(sample if sample.name else replace(sample, name=_name(self.source, entry)))


def _bytes(example: Example) -> int:
    arrays = (example.image, example.classes, example.objects, example.boxes, example.points)
    return sum(array.nbytes for array in arrays if array is not None)


def _name(source: Dataset | tuple[Sample, ...], entry: int) -> str:
    if isinstance(source, Dataset):
        return source.entries[entry].name
    return source[entry].name or source[entry].image.source or f"sample {entry}"


def _place(source: Dataset | tuple[Sample, ...], entry: int) -> str:
    """An image's name and its files."""
    if not isinstance(source, Dataset):
        return _name(source, entry)
    one = source.entries[entry]
    truth = one.truth
    files: list[Path] = list(one.images)
    if isinstance(truth, (LabelFile, Annotated)):
        files.append(truth.path)
    elif truth is not None:
        files += truth.paths[:1]
    return f"{one.name} ({', '.join(os.fspath(path) for path in files)})"


@dataclass(frozen=True, eq=False)
class _Answer:
    """What came of a job: the result, or the error as text; and what was said meanwhile."""

    made: Any = None
    error: str = ""
    said: tuple[str, ...] = ()


@lru_cache(maxsize=2)
def _opened(order: str) -> _Memory:
    """In a worker: what the loader wrote for it. The path is new for every loader."""
    return _Memory(*pickle.loads((Path(order) / _ORDER).read_bytes()))


def _in_a_process(task: tuple[str, Callable[[_Memory, Any], Any], Any]) -> Parcel:
    order, work, job = task
    return pack(_attempt(None, lambda _, one: work(_opened(order), one), job))


def _dropped(future: Future[Any]) -> None:
    """A result that came after the epoch was left."""
    if not future.cancelled() and future.exception() is None and isinstance(future.result(), Parcel):
        discard(future.result())


def _attempt(memory: _Memory | None, work: Callable[[Any, Any], Any], job: Any) -> _Answer:
    with collect_warnings() as said:
        try:
            return _Answer(work(memory, job), said=tuple(said))
        except Exception as error:  # noqa: BLE001 - told in the coordinator as this job's, whatever it is
            place = getattr(error, "microtome_place", "")
            reason = f"{place}: {type(error).__name__}: {error}" if place else f"{type(error).__name__}: {error}"
            return _Answer(error=f"{reason}\n\nIn the worker:\n{''.join(traceback.format_exception(error))}", said=tuple(said))


def _survey(memory: _Memory, entry: int) -> Survey:
    with _naming(memory, entry):
        return survey_of(memory.example(entry))


def _make(memory: _Memory, windows: tuple[Window, ...]) -> Batch:
    """A batch: each window cut and changed, then those of the batch together, then encoded."""
    options = memory.options
    made = [_window(memory, window) for window in windows]
    examples = _mixed([example for example, _ in made], options.mix, windows[0].seed)
    inner = [_without_margin(example, options.margins) for example in examples]
    encoded = [_encoded(memory, window.entry, example) for window, example in zip(windows, inner, strict=True)]
    return Batch(
        _stacked([example.image for example in examples]),
        None if inner[0].classes is None else np.stack([np.asarray(one.classes) for one in inner]),
        None if inner[0].objects is None else np.stack([np.asarray(one.objects) for one in inner]),
        {name: np.stack([targets[name] for targets in encoded]) for name in encoded[0]},
        tuple(one.name for one in inner),
        tuple((one.boxes, one.box_ids) for one in inner if one.boxes is not None),
        tuple((one.points, one.point_ids) for one in inner if one.points is not None),
        tuple(one.object_class for one in inner),
        windows,
        tuple(drawn for _, drawn in made),
    )


@contextmanager
def _naming(memory: _Memory, entry: int) -> Iterator[None]:
    """An error that comes up in this block remembers its image."""
    try:
        yield
    except Exception as error:
        error.microtome_place = _place(memory.source, entry)  # type: ignore[attr-defined]
        raise


def _window(memory: _Memory, window: Window) -> tuple[Example, Drawn]:
    options = memory.options
    with _naming(memory, window.entry):
        example = memory.example(window.entry)
        drawn = options.chain.draw(generator(window.seed), replace(example.frame, shape=options.input_shape))
        # With a margin m the middle (n + 2 m) // 2 lies m pixels behind n // 2, so the centre is the same.
        cut = apply(drawn, example, shape=options.input_shape, centre=window.centre, border=options.border,
                    interpolation=options.interpolation)  # fmt: skip
    return cut, drawn


def _mixed(examples: Sequence[Example], mix: Chain, seed: int) -> Sequence[Example]:
    for name, parameters in mix.draw_batch(generator(seed, 1), examples[0].frame, len(examples)):
        examples = catalogue.load(name).apply(parameters, examples)
    return examples


def _encoded(memory: _Memory, entry: int, example: Example) -> dict[str, NDArray[Any]]:
    if memory.options.encode is None:
        return {}
    with _naming(memory, entry):
        return dict(memory.options.encode(example))


def _without_margin(example: Example, margin: tuple[int, ...]) -> Example:
    if not any(margin):
        return example
    inside = Placement(tuple(n - 2 * side for n, side in zip(example.shape, margin, strict=True)), margin, np.eye(example.ndim))
    return warp(example, inside)


def _stacked(images: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return np.stack(images if len({image.dtype for image in images}) == 1 else [image.astype(np.float32) for image in images])
