"""What training looks like in the terminal: what was chosen and why, a bar with the time left, a line for each validation."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from microtome.learn.training.events import Chosen, Event, Stepped, Validated

__all__ = ["Screen", "show", "time_words"]

_LONGEST_VALUE = 44


def show(events: Iterator[Event], quiet: bool = False, as_json: bool = False, saved: bool = False) -> Event | None:
    """Follow a training to its end; progress on standard error, the result on standard output.

    Parameters
    ----------
    events : iterator of Event
        Closed at the end, however it comes.
    quiet : bool
        Show the result only.
    as_json : bool
        Print one JSON object at the end, nothing else.
    saved : bool
        Whether there is a checkpoint already: the run goes on.

    Returns
    -------
    Event or None
        The last event: `Finished`, or `Stopped`, or what came before Ctrl-C broke it off; None where there was none.
    """
    from microtome.learn.training.events import Saved

    told: dict[str, Any] = {"state": "broken off", "notes": []}
    last: Event | None = None
    with Screen(quiet=quiet or as_json) as screen:
        try:
            for last in events:
                screen.see(last)
                _tell(told, last)
                saved = saved or isinstance(last, Saved)
        except KeyboardInterrupt:
            told["state"] = "broken off"
        finally:
            if isinstance(events, Generator):
                events.close()
    if as_json:
        print(json.dumps(told, allow_nan=False))
    else:
        _conclude(told, saved=saved)
    return last


def _tell(told: dict[str, Any], event: Event) -> None:
    """Keep what the JSON at the end says."""
    from microtome.learn.training.events import Chosen, Finished, Planned, Stepped, Stopped, Validated, Warned

    if isinstance(event, Chosen):
        told["choices"] = {choice.place: choice.value for choice in event.choices}
    elif isinstance(event, Planned):
        told["steps"] = event.steps
    elif isinstance(event, Stepped):
        told |= {"step": event.step, "loss": _finite(event.loss), "seconds": event.seconds}
    elif isinstance(event, Validated):
        told["metric"] = event.metric
        if event.best:
            told["best"] = {"step": event.step, "score": _finite(event.score), "scores": {k: _finite(v) for k, v in event.scores.items()}}
    elif isinstance(event, Warned):
        told["notes"] += [event.message] if event.message not in told["notes"] else []
    elif isinstance(event, Stopped):
        told |= {"state": "stopped", "reason": event.reason, "step": event.step}
    elif isinstance(event, Finished):
        told |= {"state": "finished", "score": _finite(event.score), "model": str(event.bundle), "seconds": event.seconds}
        told["model_step"] = event.step


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _conclude(told: dict[str, Any], *, saved: bool) -> None:
    if told["state"] == "finished":
        metric = told.get("metric", "score")
        score = "not known" if told["score"] is None else f"{told['score']:.4f}"
        print(f"{metric} {score} on held-out images (weights of step {told['model_step']}), {time_words(told['seconds'])}")
        print(f"Model: {told['model']}")
    elif told["state"] == "stopped":
        print(f"stopped at step {told['step']}: {told['reason']}; go on with --resume", file=sys.stderr)
    elif saved:
        print("broken off; the last checkpoint is kept: go on with --resume", file=sys.stderr)
    else:
        print("broken off before anything was saved; begin anew, in the same folder if you like", file=sys.stderr)


class Screen:
    """Shows events on standard error."""

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet
        self.live = not quiet and sys.stderr.isatty()
        self._steps = 0
        self._score = ""
        self._best: float | None = None  # not known after a resume
        self._said: set[str] = set()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def see(self, event: Event) -> None:
        """Show one event."""
        from microtome.learn.training.events import Chosen, Finished, Planned, Stepped, Stopped, Validated, Warned

        if self.quiet:
            return
        if isinstance(event, Chosen):
            self._show_choices(event)
        elif isinstance(event, Planned):
            self._steps = event.steps
            self._say(f"plan    {event.steps} steps, validation every {event.every}: {event.reason}")
        elif isinstance(event, Stepped):
            self._step(event)
        elif isinstance(event, Validated):
            self._validation(event)
        elif isinstance(event, Warned) and event.message not in self._said:
            self._said.add(event.message)
            self._say(f"note    {event.image}: {event.message}" if event.image else f"note    {event.message}")
        elif isinstance(event, Stopped | Finished) and self._bar is not None:
            self._bar.stop()

    def _step(self, event: Stepped) -> None:
        if not self.live:
            return
        if self._bar is None:
            self._begin(event.steps)
        left = event.seconds / max(event.step, 1) * (event.steps - event.step)
        self._bar.update(self._task, completed=event.step, loss=f"loss {event.loss:.4g}", left=f"{time_words(left)} left")

    def _begin(self, steps: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        words = (TextColumn("{task.fields[" + name + "]}", markup=False) for name in ("loss", "score", "left"))
        console = Console(stderr=True)
        self._bar = Progress(TextColumn("train"), BarColumn(), MofNCompleteColumn(), *words, console=console, transient=True)
        self._task = self._bar.add_task("train", total=steps, loss="", score=self._score, left="")
        self._bar.start()

    def _validation(self, event: Validated) -> None:
        self._best = event.score if event.best else self._best
        self._score = f"{event.metric} {event.score:.4f}" + (f" (best {self._best:.4f})" if self._best is not None else "")
        at = f"step {event.step:>{len(str(self._steps))}}" + (f" of {self._steps}" if self._steps else "")
        self._say(f"{at}  {event.metric} {event.score:.4f}  loss held out {event.loss:.4g}" + ("  best so far" if event.best else ""))
        if self._bar is not None:
            self._bar.update(self._task, score=self._score)

    def _show_choices(self, event: Chosen) -> None:
        rows = [(choice.place, _short(choice.value), choice.reason) for choice in event.choices]
        if self.live:
            from rich.console import Console
            from rich.table import Table
            from rich.text import Text

            table = Table("setting", "value", "why", box=None, pad_edge=False, header_style="dim")
            for row in rows:
                table.add_row(*map(Text, row))
            Console(stderr=True).print(table)
            return
        wide = [max((len(row[k]) for row in rows), default=0) for k in (0, 1)]
        for place, value, reason in rows:
            self._say(f"{place:<{wide[0]}}  {value:<{wide[1]}}  {reason}")

    def _say(self, line: str) -> None:
        if self._bar is not None:
            self._bar.console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            print(line, file=sys.stderr)


def _short(value: Any) -> str:
    from microtome.run.yaml_text import dump_value

    words = dump_value(value)
    return words if len(words) <= _LONGEST_VALUE else words[: _LONGEST_VALUE - 3] + "..."


def time_words(seconds: float) -> str:
    """Seconds in the units people would use.

    >>> [time_words(seconds) for seconds in (8.2, 90, 3700, 200_000)]
    ['8 s', '1 min 30 s', '1 h 01 min', '2 d 7 h']
    """
    if not math.isfinite(seconds):
        return "unknown time"
    whole = max(round(seconds), 0)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s" if whole < 600 else f"{whole // 60} min"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"
