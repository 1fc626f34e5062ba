"""What is done for one image, in whatever process: read, execute, write, and tell."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from microtome.core.errors import RunError
from microtome.core.events import Done, Failed, collect_warnings
from microtome.core.raster import Image
from microtome.core.result import Result
from microtome.run.count_interval import CountInterval, count_columns, count_remarks

if TYPE_CHECKING:
    from microtome.run.trained_size import TrainedSize

__all__ = ["Job", "Order", "could_not", "file_hash", "process", "read_image"]


@dataclass(frozen=True, eq=False)
class Job:
    """One image to do: its name within the run, where it is (a path, or the image itself), and its group."""

    name: str
    source: Path | Image
    group: str = ""


@dataclass(frozen=True, eq=False)
class Order:
    """What holds for every image of a run; sent to each worker.

    Attributes
    ----------
    document : mapping
        The recipe as plain data.
    out : Path or None
        Where results go; None keeps masks in the `Result`.
    extras : tuple of str
        What else to write (`outputs.SAVES`, `outputs.EXPORTS`).
    explain : bool
    summaries : mapping of str to mapping of int to summary
        By group, what steps with `over:` decide by.
    trained : TrainedSize or None
        The size a bundle's networks know objects at; an image off it is remarked on.
    counts : CountInterval or None
        About every count, where a bundle has one.
    """

    document: Mapping[str, Any]
    out: Path | None = None
    extras: tuple[str, ...] = ()
    explain: bool = False
    summaries: Mapping[str, Mapping[int, Any]] = field(default_factory=dict)
    trained: TrainedSize | None = None
    counts: CountInterval | None = None


def process(order: Order, job: Job) -> Done | Failed:
    """Do one image; whatever goes wrong becomes a `Failed` event with its own traceback."""
    try:
        return Done(job.name, _result(order, job))
    except MemoryError as error:
        way = "cut it into pieces, take fewer --workers, or choose a machine with more"
        return Failed.because(job.name, RunError(f"{job.name}: does not fit in memory ({error or 'no more is left'}): {way}"))
    except Exception as error:  # noqa: BLE001 - one image's failure, of any kind, never ends the others
        return Failed.because(job.name, error)


def could_not(job: Job, error: RunError) -> Failed:
    """The event for an image whose worker was killed."""
    return Failed(job.name, str(error), type(error).__name__)


def _result(order: Order, job: Job) -> Result:
    from microtome.run import outputs
    from microtome.run.execute import execute

    start = time.perf_counter()
    recipe, plan = _prepared(_Document(order.document))
    with collect_warnings() as said:
        image, sha256 = read_image(job, recipe.input), file_hash(job.source)
    read_seconds = time.perf_counter() - start
    result = execute(
        plan,
        image,
        name=job.name,
        summaries=order.summaries.get(job.group),
        explain=order.explain,
        scores=order.out is not None and "scores" in order.extras,
    )
    said += _remarks(order, result)
    others: list[str] = []
    written = time.perf_counter()
    if order.out is not None:
        with collect_warnings() as said_writing:
            files, others = outputs.save(order.out, result, extras=order.extras)
        said += said_writing
        result = replace(result, files=files)
    end = time.perf_counter()
    row, record = outputs.describe(result, source=_source(job), group=job.group, sha256=sha256, seconds=end - start)
    if order.counts is not None:
        row = count_columns(order.counts, row)
    warnings = tuple(dict.fromkeys([*said, *result.warnings]))
    timings = {"read": read_seconds, **result.timings, "write": end - written}
    explained = next((file for file in others if file.startswith("explain/")), None)
    record |= {"warnings": list(warnings), "timings": timings, "error": None, "details": "", "extras": others, "explain": explained}
    result = replace(result, summary=row, record=record, warnings=warnings, timings=timings)
    return result if order.out is None else replace(result, masks={}, image=None, explained=(), scores={})


def _remarks(order: Order, result: Result) -> list[str]:
    """What a bundle's card gives reason to say of this image."""
    said = count_remarks(order.counts, result) if order.counts is not None else []
    if order.trained is None:
        return said
    from microtome.run.trained_size import remarks

    return [*remarks(order.trained, result), *said]


def read_image(job: Job, options: Any) -> Image:
    """Read a job's image by the recipe's `input`: its axes, spacing and channel."""
    from microtome.core.units import parse_spacing
    from microtome.io.images import read

    if isinstance(job.source, Image):
        image = job.source
    else:
        image = read(job.source, axes=options.axes, page=options.page)
    if options.spacing is not None:
        spacing, unit = parse_spacing(options.spacing)
        image = replace(image, spacing=spacing, unit=unit)
    return image if options.channel is None else image.channel(options.channel)


def file_hash(source: Path | Image) -> str:
    """SHA-256 of a file's bytes, or of an image's pixels."""
    if isinstance(source, Image):
        return hashlib.sha256(source.pixels.tobytes()).hexdigest()
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _source(job: Job) -> str:
    return job.source.source if isinstance(job.source, Image) else str(job.source.resolve())


class _Document(dict[str, Any]):
    """A recipe's document that can be a cache's key, so that a worker plans each recipe once."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(repr(self))


@lru_cache(maxsize=8)
def _prepared(document: _Document) -> Any:
    from microtome.run.graph import plan
    from microtome.run.recipe import Recipe

    recipe = Recipe.from_document(dict(document))
    return recipe, plan(recipe)
