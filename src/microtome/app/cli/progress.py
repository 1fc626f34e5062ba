"""What a run looks like in the terminal: lines for a few images, a bar with rate and time left for many."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from microtome.core.events import Event

__all__ = ["Follower"]

FEW = 12


class Follower:
    """Shows events on standard error, so that standard output holds results only.

    With `quiet` it shows failures only.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self.total = 0
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def see(self, event: Event) -> None:
        """Show one event."""
        from microtome.core.events import Done, Failed, Progress, Started, Warned

        if isinstance(event, Started):
            self.total = event.total
            self._begin()
        elif isinstance(event, Failed):
            self._say(f"failed  {event.image}: {event.error}")
        elif self.quiet:
            return
        elif isinstance(event, Warned) and self.total <= FEW:
            self._say(f"note    {event.image}: {event.message}" if event.image else f"note    {event.message}")
        elif isinstance(event, Done) and self.total <= FEW:
            self._say(_line(event))
        elif isinstance(event, Progress) and self._bar is not None:
            rate = event.done / max(event.seconds, 1e-9)
            self._bar.update(self._task, completed=event.done, rate=f"{rate:.1f} images/s" if rate >= 1 else f"{1 / rate:.1f} s an image")

    def _begin(self) -> None:
        if self.quiet or self.total <= FEW or not sys.stderr.isatty():
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"), TimeRemainingColumn(), TextColumn("left"))
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task("segment", total=self.total, rate="")
        self._bar.start()

    def _say(self, line: str) -> None:
        if self._bar is not None:
            self._bar.console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            print(line, file=sys.stderr)


def _line(done: Any) -> str:
    counts = [
        f"{output['count']} objects" if output["count"] is not None else f"{len(output['classes'])} classes"
        for output in done.result.record["outputs"].values()
    ]
    seconds = "kept from before" if done.resumed else f"{done.result.record['seconds']:.2f} s"
    return f"done    {done.image}: {', '.join(counts)}, {seconds}"
