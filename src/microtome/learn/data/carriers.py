"""How jobs come to workers and back, in the order of the jobs: one after another, in threads, or in processes."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from itertools import islice
from pickle import PicklingError  # the pool's own transport raises it; nothing is pickled here
from typing import Any, Protocol

from microtome.core.errors import RecipeError, RunError
from microtome.learn.data.batch import Batch, BatchJob, arrays_of, with_arrays
from microtome.learn.data.dataset import Dataset
from microtome.learn.data.kept import Kept
from microtome.learn.data.memory import Memory, place_of
from microtome.learn.data.options import Options, check_importable
from microtome.learn.data.shared import Blocks, layable, room, space
from microtome.learn.data.worker import Answer, Seen, Task, Work, attempt, begin, do
from microtome.run.executors.processes import Pool

__all__ = ["Carrier", "Here", "Processes", "Threads"]


class Carrier(Protocol):
    """Does jobs, and gives the answers in the order of the jobs."""

    def answers(self, work: Work, jobs: Iterable[Any]) -> Generator[Answer, None, None]:
        """One a job. What is under way when the iterator is closed is forgotten."""
        ...

    def close(self) -> None:
        """End the workers."""
        ...


class Here:
    """Each job when its turn comes."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    def answers(self, work: Work, jobs: Iterable[Any]) -> Generator[Answer, None, None]:
        """See `Carrier`."""
        return (attempt(self.memory, work, job) for job in jobs)

    def close(self) -> None:
        """See `Carrier`."""


class Threads:
    """Threads of this process, with one memory."""

    def __init__(self, memory: Memory, threads: int, ahead: int) -> None:
        self.memory, self.ahead = memory, ahead
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="microtome-loader")

    def answers(self, work: Work, jobs: Iterable[Any]) -> Generator[Answer, None, None]:
        """See `Carrier`."""
        waiting, running = iter(jobs), deque[Future[Answer]]()
        try:
            while True:
                new = islice(waiting, self.ahead + 1 - len(running))
                running.extend(self._pool.submit(attempt, self.memory, work, job) for job in new)
                if not running:
                    return
                yield running.popleft().result()
        finally:
            for future in running:
                future.cancel()

    def close(self) -> None:
        """See `Carrier`."""
        self._pool.shutdown(cancel_futures=True)


@dataclass(frozen=True, eq=False)
class _Sent:
    """A task that is under way."""

    task: Task
    future: Future[Answer]


class Processes:
    """Worker processes. Images that were read for the surveys lie in shared memory, batches come back through it."""

    def __init__(self, data: Dataset, options: Options, *, memory: int, workers: int, ahead: int) -> None:
        check_importable(options)
        self.data, self.ahead = data, ahead
        self._room = min(memory, room() // 2)  # of shared memory; the rest is each worker's own
        self._start = (data, options, (memory - self._room) // workers)
        self._pool = Pool(workers, begin, self._start)
        self._blocks = Blocks()
        self._kept: dict[int, Kept] = {}
        self._slots: list[str] = []  # those that no task has
        self._slot_size = 0  # of a batch; not known before the first one

    def answers(self, work: Work, jobs: Iterable[Any]) -> Generator[Answer, None, None]:
        """See `Carrier`.

        Raises
        ------
        RunError
            If a worker was killed over a job, and the next one over the same job.
        RecipeError
            If the options cannot be sent to workers.
        """
        waiting, running = iter(jobs), deque[_Sent]()
        try:
            while True:
                running.extend(self._send(self._task(work, job)) for job in islice(waiting, self.ahead + 1 - len(running)))
                if not running:
                    return
                sent = running.popleft()
                try:
                    answer = sent.future.result()
                except BrokenProcessPool:
                    crashed = [sent, *running]
                    running.clear()
                    yield from self._one_by_one(crashed)
                    continue
                yield self._received(sent.task, answer)
        finally:
            for sent in running:
                self._forget(sent)

    def close(self) -> None:
        """See `Carrier`."""
        self._pool.executor.shutdown(wait=True, cancel_futures=True)
        self._room = 0  # an image that is found in the answers of an epoch that outlives its loader is given back at once
        self._blocks.close()

    def _task(self, work: Work, job: Any) -> Task:
        if isinstance(job, BatchJob):
            return Task(work, job, self._slot(), {entry: self._kept[entry] for entry in _entries(job) if entry in self._kept})
        return Task(work, job, limit=self._room)

    def _send(self, task: Task) -> _Sent:
        try:
            return _Sent(task, self._pool.submit(do, task))
        except (PicklingError, AttributeError, TypeError) as error:  # a worker starts when it is needed
            raise RecipeError(f"prepare or encode cannot be sent to worker processes ({error}); make it a function of a module, "
                              "or use workers=0") from None  # fmt: skip

    def _received(self, task: Task, answer: Answer) -> Answer:
        """The answer with everything in this process's own memory; what lies in shared memory to stay is noted."""
        made = answer.made
        if isinstance(made, Seen):
            if isinstance(made.example, Kept):
                self._note(task.job, made.example)
            answer = replace(answer, made=replace(made, example=None))
        elif isinstance(made, Batch) and answer.placed:
            answer = replace(answer, made=with_arrays(made, self._blocks.copies(task.slot, answer.placed)), placed={})
        elif isinstance(made, Batch) and layable(arrays_of(made)):
            self._slot_size = max(self._slot_size, space(arrays_of(made)))
        self._free(task.slot)
        return answer

    def _note(self, entry: int, kept: Kept) -> None:
        self._blocks.adopt(kept.block)
        if entry in self._kept or kept.size > self._room:
            self._blocks.drop(kept.block)
            return
        self._kept[entry] = kept
        self._room -= kept.size

    def _slot(self) -> str:
        """Shared memory for a batch: one that came back, or a new one."""
        name = self._slots.pop() if self._slots else ""
        if name and self._blocks.size(name) < self._slot_size:
            self._blocks.drop(name)
            name = ""
        return name or (self._blocks.new(self._slot_size) if self._slot_size else "")

    def _free(self, slot: str) -> None:
        if slot:
            self._slots.append(slot)

    def _forget(self, sent: _Sent) -> None:
        """A task whose result nobody wants any more: its slot must not be used again before the worker is done with it."""

        def ended(future: Future[Answer]) -> None:
            made = None if future.cancelled() or future.exception() else future.result().made
            if isinstance(made, Seen) and isinstance(made.example, Kept):
                self._note(sent.task.job, made.example)
            self._free(sent.task.slot)

        sent.future.cancel()
        sent.future.add_done_callback(ended)

    def _one_by_one(self, crashed: list[_Sent]) -> Generator[Answer, None, None]:
        """A worker was killed: what was under way is done again by one worker, so that it shows whose fault it is, if any's."""
        self._pool.executor.shutdown(wait=True, cancel_futures=True)
        self._pool.renew()
        left = deque(crashed)
        try:
            with Pool(1, begin, self._start) as alone:
                while left:
                    sent = left.popleft()
                    lost = sent.future.cancelled() or sent.future.exception() is not None
                    answer = (alone.submit(do, sent.task) if lost else sent.future).result()
                    yield self._received(sent.task, answer)
        except BrokenProcessPool:
            raise RunError(self._killed(sent.task.job)) from None
        finally:
            for sent in left:
                self._forget(sent)

    def _killed(self, job: Any) -> str:
        places = ", ".join(place_of(self.data, entry) for entry in _entries(job))
        return (f"{places}: the worker process was killed twice while it worked on this, most likely by the system for want of memory; "
                "use a smaller window or batch, less memory for decoded images, or workers=0 to see more")  # fmt: skip


def _entries(job: Any) -> list[int]:
    """The images of a job."""
    return list(dict.fromkeys(window.entry for window in job.windows)) if isinstance(job, BatchJob) else [job]
