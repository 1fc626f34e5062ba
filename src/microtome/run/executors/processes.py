"""Several worker processes, an image each. A worker that is killed takes no other image with it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, TypeVar

from microtome.core.errors import RunError
from microtome.core.kernels.bands import set_threads, threads

__all__ = ["Pool", "processes"]

Job = TypeVar("Job")
Made = TypeVar("Made")


def processes(
    work: Callable[[Job], Made], jobs: Iterable[Job], *, workers: int, failed: Callable[[Job, RunError], Made]
) -> Iterator[tuple[Job, Made]]:
    """Give each job with what `work` makes of it, as they are finished.

    When a worker dies (out of memory, killed), the jobs that were under way are done again one at a time, each in a
    process of its own; one that kills its worker a second time becomes `failed`, with the reason as far as it is known.
    """
    waiting = iter(jobs)
    suspects: list[Job] = []
    with Pool(workers) as pool:
        running: dict[Future[Made], Job] = {}
        for job in waiting:
            running[pool.submit(work, job)] = job
            if len(running) >= 2 * workers:  # keep few in flight: what is in flight is done again after a crash
                yield from _finished(running, suspects)
            if suspects:
                suspects += running.values()
                running.clear()
                pool.renew()
                yield from _one_by_one(work, suspects, failed)
                suspects.clear()
        while running:
            yield from _finished(running, suspects)
        yield from _one_by_one(work, suspects, failed)


class Pool:
    """A process pool that can be replaced after a crash, and lets running work end when the user interrupts.

    Each process calls ``begin(*given)`` when it starts: what holds for all jobs need not travel with each.
    """

    def __init__(self, workers: int, begin: Callable[..., object] | None = None, given: tuple[Any, ...] = ()) -> None:
        self.workers, self.begin, self.given = workers, begin, given
        self.executor = self._new()

    def _new(self) -> ProcessPoolExecutor:
        share = max(1, threads() // self.workers)
        start = (share, os.getpid(), self.begin, self.given)
        return ProcessPoolExecutor(self.workers, mp_context=_context(), initializer=_begin, initargs=start)

    def submit(self, work: Callable[[Job], Made], job: Job) -> Future[Made]:
        try:
            with _unnamed_main():
                return self.executor.submit(work, job)
        except BrokenProcessPool as broken:
            future: Future[Made] = Future()
            future.set_exception(broken)
            return future

    def renew(self) -> None:
        self.executor.shutdown(wait=False, cancel_futures=True)
        self.executor = self._new()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.executor.shutdown(wait=True, cancel_futures=True)


def _finished(running: dict[Future[Made], Job], suspects: list[Job]) -> Iterator[tuple[Job, Made]]:
    """Wait for at least one job; what was under way in a crash joins `suspects`."""
    for future in wait(running, return_when=FIRST_COMPLETED).done:
        job = running.pop(future)
        try:
            yield job, future.result()
        except BrokenProcessPool:
            suspects.append(job)


def _one_by_one(work: Callable[[Job], Made], jobs: list[Job], failed: Callable[[Job, RunError], Made]) -> Iterator[tuple[Job, Made]]:
    for job in list(jobs):
        with Pool(1) as alone:
            future = alone.submit(work, job)
            try:
                made = future.result()
            except BrokenProcessPool:
                made = failed(job, RunError(_why()))
        yield job, made


def _why() -> str:
    return (
        "the worker process was killed twice while it worked on this image, most likely by the system for want of memory; "
        "run this image alone (--executor serial), with fewer workers, or on a machine with more memory"
    )


def _context() -> multiprocessing.context.BaseContext:
    """Workers come from a server process that has imported nothing that holds threads: safe, and quick to start."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["microtome.run.worker"])
    return context


@contextmanager
def _unnamed_main() -> Iterator[None]:
    """Keep workers from importing the caller's script again: one without a main guard would start its run anew in each."""
    main = sys.modules["__main__"]
    spec, file = getattr(main, "__spec__", None), main.__dict__.pop("__file__", None)
    main.__spec__ = None
    try:
        yield
    finally:
        main.__spec__ = spec
        if file is not None:
            main.__file__ = file


def _begin(share: int, coordinator: int, begin: Callable[..., object] | None, given: tuple[Any, ...]) -> None:
    """Ctrl-C is the coordinator's to handle; the cores are shared among the workers; none outlives the coordinator."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(coordinator,), daemon=True).start()
    set_threads(share)
    import cv2

    cv2.setNumThreads(share)
    if begin is not None:
        begin(*given)


def _end_with(coordinator: int) -> None:
    """Leave when the coordinator is gone, killed for instance: nobody would take the results."""
    while True:
        time.sleep(2)
        try:
            os.kill(coordinator, 0)
        except ProcessLookupError:
            os._exit(1)
