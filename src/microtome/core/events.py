"""What a run says while it goes on. Faces (command line, report, studio) read these and nothing else."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from microtome.core.result import Result

__all__ = ["Done", "Event", "Failed", "MicrotomeWarning", "Progress", "Started", "Warned", "collect_warnings", "warn"]


class MicrotomeWarning(UserWarning):
    """What a step assumed or gave up, when it is called outside a run."""


@dataclass(frozen=True)
class Started:
    """The run begins: how many images it will look at."""

    total: int


@dataclass(frozen=True)
class Progress:
    """`done` of `total` images are behind us, `seconds` since the start."""

    done: int
    total: int
    seconds: float


@dataclass(frozen=True)
class Warned:
    """Something was assumed, skipped or lost. `image` is the input's name, empty for the run as a whole."""

    message: str
    image: str = ""


@dataclass(frozen=True)
class Done:
    """One image is finished. `resumed`: it was finished by an earlier run and was left as it is."""

    image: str
    result: Result
    resumed: bool = False


@dataclass(frozen=True)
class Failed:
    """One image could not be read or segmented; the others go on."""

    image: str
    error: str
    kind: str = ""
    details: str = ""

    @classmethod
    def because(cls, image: str, error: BaseException) -> Failed:
        """Keep the worker's own message and traceback as text, so that they survive the way between processes."""
        text = str(error) or type(error).__name__
        return cls(image, text, type(error).__name__, "".join(traceback.format_exception(error)))


Event = Started | Progress | Warned | Done | Failed

_sink: ContextVar[list[str] | None] = ContextVar("microtome_warnings", default=None)


def warn(message: str) -> None:
    """Tell the user what was assumed: an event inside a run, a Python warning outside."""
    sink = _sink.get()
    if sink is None:
        warnings.warn(message, MicrotomeWarning, stacklevel=3)
    else:
        sink.append(message)


@contextmanager
def collect_warnings() -> Iterator[list[str]]:
    """Gather what `warn` says in this block instead of showing it."""
    messages: list[str] = []
    token = _sink.set(messages)
    try:
        yield messages
    finally:
        _sink.reset(token)
