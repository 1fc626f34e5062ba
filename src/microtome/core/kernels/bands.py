"""Share an image's rows among the processor's cores.

Bands have the same height whatever the number of cores, and results come back in order from the top: the same input
gives the same bytes on one core or many. Kernels release the GIL (numba ``nogil=True``, numpy, OpenCV), so threads
are enough, and no parallel code has to be compiled.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from math import prod
from typing import TypeVar

__all__ = ["band_height", "bands", "in_bands", "set_threads", "threads"]

T = TypeVar("T")
_limit: list[int] = []


def threads() -> int:
    """How many threads a kernel may use: what the process was granted, or what `set_threads` says."""
    return _limit[-1] if _limit else len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def set_threads(count: int) -> None:
    """Limit the threads of this process; worker processes of a run use one each."""
    _limit[:] = [count]


def bands(rows: int, height: int = 256) -> list[tuple[int, int]]:
    """Cut `rows` into (first, past the last) bands of `height`; the last one may be lower.

    >>> bands(600)
    [(0, 256), (256, 512), (512, 600)]
    """
    return [(top, min(top + height, rows)) for top in range(0, rows, height)]


def band_height(shape: tuple[int, ...], values: int = 1 << 20) -> int:
    """The height of a band of about this many values, at least one row.

    >>> band_height((8192, 8192), 1 << 20)
    128
    """
    return max(1, values // max(1, prod(shape[1:])))


def in_bands(work: Callable[[int, int], T], rows: int, height: int = 256) -> list[T]:
    """Call ``work(first, past)`` for every band, on as many threads as there are; results from the top down."""
    spans = bands(rows, height)
    if len(spans) == 1 or threads() == 1:
        return [work(first, past) for first, past in spans]
    return list(_pool(threads()).map(lambda span: work(*span), spans))


@cache
def _pool(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, thread_name_prefix="microtome")
