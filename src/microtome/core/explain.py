"""Pictures for learners: a step hands over what it saw on the way. It costs nothing when nobody listens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Explanation", "explain", "listen", "listening"]


@dataclass(frozen=True)
class Explanation:
    """One thing worth showing.

    Attributes
    ----------
    kind : str
        ``"histogram"`` (counts, centres, thresholds), ``"map"`` (a 2-D or 3-D array), ``"markers"`` (labels, over the
        image) or ``"clusters"`` (centres, sizes).
    about : str
        One sentence for the reader.
    data : dict
        The arrays and numbers the picture is drawn from.
    step : str
        The step that said it, filled in by the run.
    """

    kind: str
    about: str
    data: dict[str, Any] = field(default_factory=dict)
    step: str = ""


_listener: ContextVar[list[Explanation] | None] = ContextVar("microtome_explain", default=None)


def listening() -> bool:
    """Whether anybody wants explanations: ask before computing something only for them."""
    return _listener.get() is not None


def explain(kind: str, about: str, **data: Any) -> None:
    """Hand a picture's data to whoever listens."""
    listener = _listener.get()
    if listener is not None:
        listener.append(Explanation(kind, about, data))


@contextmanager
def listen() -> Iterator[list[Explanation]]:
    """Gather what the steps in this block explain.

    >>> with listen() as heard:
    ...     explain("histogram", "two humps", thresholds=[107])
    >>> heard[0].about
    'two humps'
    """
    heard: list[Explanation] = []
    token = _listener.set(heard)
    try:
        yield heard
    finally:
        _listener.reset(token)
