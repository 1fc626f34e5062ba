"""What a worker does, thread or process: one job after another; whatever goes wrong comes back as text."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from microtome.core.events import collect_warnings
from microtome.learn.augment.example import Example
from microtome.learn.data.batch import Batch, arrays_of, with_arrays
from microtome.learn.data.kept import Kept, keep, opened
from microtome.learn.data.memory import Memory, Source, naming
from microtome.learn.data.options import Options
from microtome.learn.data.shared import Placed, attached, lay, layable, space
from microtome.learn.data.windows import Survey, survey_of

__all__ = ["Answer", "Seen", "Task", "Work", "attempt", "begin", "do", "see"]

Work = Callable[[Memory, Any], Any]


@dataclass(frozen=True, eq=False)
class Answer:
    """What came of a job.

    Attributes
    ----------
    made : object
    error : str
        Why nothing came of it, with the worker's traceback; else empty.
    said : tuple of str
        The warnings meanwhile.
    placed : mapping of str to Placed
        The large arrays of a batch, in the task's slot.
    """

    made: Any = None
    error: str = ""
    said: tuple[str, ...] = ()
    placed: Mapping[str, Placed] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Seen:
    """A survey, and the example that was looked at: itself, where it lies in shared memory, or nothing."""

    survey: Survey
    example: Example | Kept | None


def see(memory: Memory, entry: int) -> Seen:
    """Read an image and look at it."""
    with naming(memory, entry):
        example = memory.example(entry)
        return Seen(survey_of(example), example)


def attempt(memory: Memory, work: Work, job: Any) -> Answer:
    """Do a job."""
    with collect_warnings() as said:
        try:
            return Answer(work(memory, job), said=tuple(said))
        except Exception as error:  # noqa: BLE001 - told in the coordinator as this job's, whatever it is
            place = getattr(error, "microtome_place", "")
            reason = f"{place}: {type(error).__name__}: {error}" if place else f"{type(error).__name__}: {error}"
            return Answer(error=f"{reason}\n\nIn the worker:\n{''.join(traceback.format_exception(error))}", said=tuple(said))


# What follows runs in worker processes only.


@dataclass(frozen=True, eq=False)
class Task:
    """A job for a worker process.

    Attributes
    ----------
    work : callable
        Of the memory and the job.
    job : object
    slot : str
        The name of shared memory for the large arrays of a batch; empty: none.
    kept : mapping of int to Kept
        The images of the job that lie in shared memory.
    limit : int, in bytes
        An image that is read for a survey is put into shared memory if it takes no more.
    """

    work: Work
    job: Any
    slot: str = ""
    kept: Mapping[int, Kept] = field(default_factory=dict)
    limit: int = 0


_own: list[Memory] = []


def begin(source: Source, options: Options, memory: int) -> None:
    """When a worker process starts: what holds for all its tasks."""
    _own[:] = [Memory(source, options, memory)]


def do(task: Task) -> Answer:
    """A task in a worker process."""
    memory = _own[0]
    for entry, kept in task.kept.items():
        if entry not in memory:
            memory.lay(entry, opened(kept))
    answer = attempt(memory, task.work, task.job)
    if isinstance(answer.made, Seen):
        return replace(answer, made=_lent(answer.made, task.limit))
    if isinstance(answer.made, Batch) and task.slot:
        return _placed(answer, answer.made, task.slot)
    return answer


def _lent(seen: Seen, limit: int) -> Seen:
    return replace(seen, example=keep(seen.example, limit) if isinstance(seen.example, Example) else None)


def _placed(answer: Answer, batch: Batch, slot: str) -> Answer:
    arrays, block = arrays_of(batch), attached(slot)
    if not layable(arrays) or space(arrays) > block.size:
        return answer
    return replace(answer, made=with_arrays(batch, {}), placed=lay(arrays, block))
