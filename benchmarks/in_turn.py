"""Sides of a comparison that must not share a process (an allocator's settings, a thread pool), each in its own, timed in turn."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from typing import Any

__all__ = ["in_turn"]


def in_turn(sides: dict[str, tuple[Callable[..., Callable[[], Any]], tuple[Any, ...]]], rounds: int) -> dict[str, dict[str, float]]:
    """The best seconds of each side, and the processor's seconds in its best round; two rounds are not counted.

    A side is a function of its module that returns the call to be timed, and that function's arguments.
    """
    context = multiprocessing.get_context("spawn")
    workers = {}
    for name, (make, arguments) in sides.items():
        mine, its = context.Pipe()
        process = context.Process(target=_serve, args=(its, make, arguments), daemon=True)
        process.start()
        workers[name] = (mine, process)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for number in range(rounds + 2):
        for name, (pipe, _) in workers.items():
            pipe.send(True)
            took = pipe.recv()
            if number >= 2:
                times[name].append(took)
    for pipe, process in workers.values():
        pipe.send(False)
        process.join()
    return {name: {"seconds": min(t[0] for t in took), "processor_seconds": min(t[1] for t in took)} for name, took in times.items()}


def _serve(pipe: Any, make: Callable[..., Callable[[], Any]], arguments: tuple[Any, ...]) -> None:
    call = make(*arguments)
    while pipe.recv():
        start, used = time.perf_counter(), time.process_time()
        call()
        pipe.send((time.perf_counter() - start, time.process_time() - used))
