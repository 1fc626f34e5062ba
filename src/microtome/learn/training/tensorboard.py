"""The curves of a training for TensorBoard, where somebody asks for them; the training's own page needs nothing of it."""

from __future__ import annotations

import math
import os
from collections.abc import Generator, Iterator
from typing import Any

from microtome.core.errors import MissingExtra
from microtome.learn.training.events import Event, Finished, Stepped, Validated

__all__ = ["log_to_tensorboard"]


def log_to_tensorboard(folder: str | os.PathLike[str], events: Iterator[Event]) -> Iterator[Event]:
    """Pass the events of a training through, and write their numbers as TensorBoard reads them.

    Parameters
    ----------
    folder : path
        Of the log, such as ``RUN/tensorboard``. What was written there before stays; TensorBoard shows the later value of a step.
    events : iterator of Event
        Closed when the result is closed.

    Returns
    -------
    iterator of Event
        Each of `events`, as it is.

    Raises
    ------
    MissingExtra
        At once, before anything is trained, if ``tensorboard`` is not installed.

    Notes
    -----
    Losses are ``train/loss`` and ``train/NAME``, the rate ``train/rate``; held-out ones ``held_out/loss`` and ``held_out/METRIC``; the
    model's own score is ``model/METRIC``. Values that are not finite are left out.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise MissingExtra("curves for TensorBoard need tensorboard: pip install tensorboard") from None
    return _logged(SummaryWriter(os.fspath(folder)), events)  # type: ignore[no-untyped-call, unused-ignore]


def _logged(writer: Any, events: Iterator[Event]) -> Iterator[Event]:
    metric = "score"
    try:
        for event in events:
            metric = event.metric if isinstance(event, Validated) else metric
            for name, value, step in _numbers(event, metric):
                if math.isfinite(value):
                    writer.add_scalar(name, value, step)
            if isinstance(event, Validated):
                writer.flush()
            yield event
    finally:
        if isinstance(events, Generator):
            events.close()
        writer.close()


def _numbers(event: Event, metric: str) -> Iterator[tuple[str, float, int]]:
    if isinstance(event, Stepped):
        yield "train/loss", event.loss, event.step
        yield "train/rate", event.rate, event.step
        yield from ((f"train/{name}", value, event.step) for name, value in event.parts.items())
    elif isinstance(event, Validated):
        yield "held_out/loss", event.loss, event.step
        yield from ((f"held_out/{name}", value, event.step) for name, value in ({event.metric: event.score} | dict(event.scores)).items())
    elif isinstance(event, Finished):
        yield f"model/{metric}", event.score, event.step
