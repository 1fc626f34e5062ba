"""One image after the other, in this process; each image's kernels use all cores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

__all__ = ["serial"]

Job = TypeVar("Job")
Made = TypeVar("Made")


def serial(work: Callable[[Job], Made], jobs: Iterable[Job]) -> Iterator[tuple[Job, Made]]:
    """Give each job with what `work` makes of it, in order."""
    for job in jobs:
        yield job, work(job)
