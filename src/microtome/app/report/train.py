"""The page of a training: curves, pictures as they improve, and why it is trained as it is. It is written anew while training goes on."""

from __future__ import annotations

import base64
import hashlib
import io
import math
import os
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

import microtome
from microtome.app.report.curves import HEIGHT, WIDTH, Chart, Curve, chart
from microtome.core.errors import MicrotomeError
from microtome.io.whole import whole_file
from microtome.learn.calibrate.reliability import RELIABILITY
from microtome.learn.training.events import Event, Finished, Planned, Stopped, Validated
from microtome.learn.training.run_folder import RECIPE, History, read_history
from microtome.run.yaml_text import dump_value

__all__ = ["MOST_CASES", "MOST_STEPS", "PAGE", "REFRESH", "keep_page", "write_page"]

PAGE = "index.html"

MOST_CASES, MOST_STEPS = 12, 5
"""How many images, and how many of their validations, the page shows."""

REFRESH = 10
"""Seconds after which a browser loads the page of a running training anew."""

_PATIENCE = 600
_SHARE_OF_TIME = 50
_FIRST, _LISTED = 15, 500
_MOST_METRICS = 4
_STYLES = ("page.css", "train.css")


def keep_page(folder: str | os.PathLike[str], events: Iterator[Event]) -> Iterator[Event]:
    """Pass the events of a training through, and keep its page as new as they are.

    Parameters
    ----------
    folder : path
    events : iterator of Event
        What `microtome.learn.training.run_folder.record` passes on: the page is made of what it wrote. Closed when the result is closed.

    Yields
    ------
    Event
        Each of `events`, as it is.

    Raises
    ------
    RunError
        If the disk refuses.

    Notes
    -----
    The page is written at each validation and at the end, and between them every `REFRESH` seconds at most; writing takes no more than a
    fiftieth of the time.
    """
    after = 0.0
    try:
        for event in events:
            now = time.monotonic()
            if isinstance(event, Planned | Validated | Stopped | Finished) or now >= after:
                write_page(folder)
                after = time.monotonic() + max(REFRESH, _SHARE_OF_TIME * (time.monotonic() - now))
            yield event
    finally:
        if isinstance(events, Generator):
            events.close()
        with suppress(MicrotomeError):  # whatever ended it is what the user must see
            write_page(folder)


def write_page(folder: str | os.PathLike[str]) -> Path:
    """Write ``RUN/index.html``: one file that needs no other. While training runs, it loads itself anew every `REFRESH` seconds.

    Parameters
    ----------
    folder : path
        Of a training; see `microtome.learn.training.run_folder.record`.

    Returns
    -------
    Path
        The page. It appears whole or not at all.

    Raises
    ------
    InputError
        If there is no such folder, or a file in it is damaged.
    RunError
        If the disk refuses.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_page(folder).name
    'index.html'
    """
    history = read_history(folder)
    style, script = _joined(_STYLES), '"use strict";\n' + _joined(("train.js",))
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    page = environment.from_string(_joined(("train.html.jinja",))).generate(
        **_facts(history),
        style=Markup(style),
        script=Markup(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
    )
    path = Path(folder) / PAGE
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(page)
    return path


def _joined(names: Sequence[str]) -> str:
    folder = resources.files("microtome.app.report") / "page"
    return "".join((folder / name).read_text(encoding="utf-8") for name in names)


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _facts(history: History) -> dict[str, Any]:
    last = history.validations[-1] if history.validations else None
    share = _share(history)
    rows = _worst_first(last)
    folder = history.folder
    return {
        "microtome": microtome.__version__,
        "history": history,
        "running": history.state in ("begun", "running"),
        "finished": history.state == "finished",
        "refresh": REFRESH,
        "written": int(time.time()),
        "patience": int(max(_PATIENCE, 5 * _seconds_between(history))),
        "title": folder.resolve().name,
        "about": _about(history),
        "figures": list(_figures(history)),
        "share": share,
        "percent": f"{100 * share:.0f} %" if history.steps else "",
        "told": list(_told(history)),
        "charts": list(_charts(history)),
        "width": WIDTH,
        "height": HEIGHT,
        "reliability": _reliability(history),
        "cases": list(_cases(history)),
        "metric": last.metric if last else "",
        "metrics": list(_metrics(history)),
        "final": _number(history.finished.score) if history.finished else "",
        "parts": list(_parts(history)),
        "worst": rows[:_FIRST],
        "rest": rows[_FIRST:_LISTED],
        "unlisted": max(len(rows) - _LISTED, 0),
        "choices": [(choice.place, dump_value(choice.value), choice.reason) for choice in history.choices],
        "environment": list(_environment(history.environment)),
        "recipe": (folder / RECIPE).read_text(encoding="utf-8") if history.document else "",
        "model": _model(history),
        "elsewhere": folder.is_absolute(),
        "task": _task(history),
        "most_cases": MOST_CASES,
        "most_steps": MOST_STEPS,
    }


# ---- state


def _share(history: History) -> float:
    if history.state == "finished":
        return 1.0
    return history.steps[-1].step / max(history.steps[-1].steps, 1) if history.steps else 0.0


def _seconds_between(history: History) -> float:
    """What lies between two validations: as long may nothing new be told."""
    if not history.steps or not history.planned:
        return 0.0
    last = history.steps[-1]
    return last.seconds / max(last.step, 1) * history.planned.every


def _about(history: History) -> str:
    words = {
        "begun": "about to begin",
        "running": "training goes on; this page loads itself anew",
        "stopped": "stopped; the last state is saved",
        "broken off": "broken off",
        "finished": "finished; the model is written",
    }
    return words[history.state]


def _figures(history: History) -> Iterator[tuple[str, str, str]]:
    if history.finished:
        yield "score of the model", _number(history.finished.score), ""
    elif history.best:
        yield f"best {history.best.metric}", _number(history.best.score), ""
    if history.steps:
        last = history.steps[-1]
        yield f"of {last.steps:,} steps", f"{last.step:,}", ""
        yield "epochs", f"{last.epoch:.3g}" if last.epoch < 100 else f"{last.epoch:,.0f}", ""
        if history.state == "running" and history.seconds_left is not None:
            yield "left", _time_words(history.seconds_left), ""
        yield "trained", _time_words(history.finished.seconds if history.finished else last.seconds), ""
    if history.notes:
        yield "note" + "s" * (len(history.notes) > 1), f"{len(history.notes)}", "warn"
    if history.state in ("stopped", "broken off"):
        yield "state", history.state, "bad"


def _told(history: History) -> Iterator[str]:
    if history.planned:
        yield f"{history.planned.steps:,} steps, a validation every {history.planned.every:,}: {history.planned.reason}."
    if history.stopped:
        yield f"Stopped at step {history.stopped.step:,}: {history.stopped.reason}."
    if history.state == "broken off":
        yield "An error ended the training; the last checkpoint is kept. The same command with --resume goes on from there."
    elif history.state == "stopped":
        yield "The same command with --resume goes on from there."
    if history.finished:
        yield f"The model has the weights of step {history.finished.step:,}."


def _time_words(seconds: float) -> str:
    whole = max(round(seconds), 0)
    if whole < 120:
        return f"{whole} s"
    if whole < 7200:
        return f"{round(whole / 60)} min"
    return f"{whole / 3600:.1f} h" if whole < 172_800 else f"{whole / 86400:.1f} d"


def _number(value: float) -> str:
    return f"{value:.4f}" if math.isfinite(value) else "–"


def _model(history: History) -> str:
    """The bundle's path as a command line takes it, with no name of this machine's folders."""
    if history.finished is None:
        return ""
    folder = history.folder
    shown = Path(folder.name) if folder.is_absolute() else folder
    words = (shown / history.finished.bundle.relative_to(folder)).as_posix()
    return words if all(c.isalnum() or c in "/._-" for c in words) else "'" + words.replace("'", "'\\''") + "'"


def _task(history: History) -> str:
    """``semantic`` where the target is a class map: evaluation must be told."""
    train = history.document.get("train") or {}
    target = (train.get("target") or {}) if isinstance(train, Mapping) else {}
    return "semantic" if "classes" in target else ""


# ---- curves


def _charts(history: History) -> Iterator[Chart]:
    steps, found = history.steps, history.validations
    end = float(history.planned.steps if history.planned else 0)
    at, seen = [float(one.step) for one in steps], [float(one.step) for one in found]
    held_out = [Curve("held out", seen, [one.loss for one in found], dotted=True)] if found else []
    best = history.best
    drawn = [
        chart("Loss", [Curve("training", at, [one.loss for one in steps]), *held_out], steps=end),
        chart("Score", list(_score_curves(found, seen)), steps=end, mark=(best.step, best.score) if best else None, linear=True),
        chart("Parts of the training loss", list(_part_curves(history, at)), steps=end),
        chart("Learning rate", [Curve("rate", at, [one.rate for one in steps])], steps=end, linear=True),
    ]
    yield from (one for one in drawn if one is not None)


def _score_curves(found: Sequence[Validated], seen: Sequence[float]) -> Iterator[Curve]:
    """The deciding metric first, then others of its range."""
    if not found:
        return
    metric = found[-1].metric
    yield Curve(metric, seen, [one.score for one in found], dotted=True)
    others = [name for name in found[-1].scores if name != metric and all(0 <= one.scores.get(name, 0) <= 1 for one in found)]
    for name in others[:_MOST_METRICS]:
        yield Curve(name, seen, [one.scores.get(name, math.nan) for one in found], dotted=True)


def _part_curves(history: History, at: Sequence[float]) -> Iterator[Curve]:
    names = list(dict.fromkeys(name for one in history.steps for name in one.parts))
    if len(names) > 1:
        for name in names:
            yield Curve(name, at, [one.parts.get(name, math.nan) for one in history.steps])


def _reliability(history: History) -> str:
    """The picture of how often the model is right where it is so sure, as a data URI; empty before the end, and where there is none."""
    path = history.folder / RELIABILITY
    if history.finished is None or not path.is_file():
        return ""
    return "data:image/svg+xml;base64," + base64.b64encode(path.read_bytes()).decode("ascii")


# ---- pictures


@dataclass(frozen=True)
class Picture:
    """A picture of the page: what it is, and its file in the page itself."""

    caption: str
    data: str
    width: int
    height: int
    best: bool = False


@dataclass(frozen=True)
class Case:
    """One held-out image: its pictures from the first validation to the last."""

    name: str
    score: str
    pictures: tuple[Picture, ...]


def _cases(history: History) -> Iterator[Case]:
    if not history.validations:
        return
    last, best = history.validations[-1], history.best
    for name in list(last.pictures)[:MOST_CASES]:
        shown = [one for one in history.validations if name in one.pictures]
        pictures = [_picture(history.folder, str(Path(last.pictures[name]).parent / file), words)
                    for file, words in (("image.png", "image"), ("truth.png", "true"))]  # fmt: skip
        for one in _some(shown, best):
            score = f", {_number(one.images[name])}" if name in one.images else ""
            pictures.append(_picture(history.folder, one.pictures[name], f"step {one.step:,}{score}", best=one is best))
        score = _number(last.images[name]) if name in last.images else ""
        yield Case(name, score, tuple(one for one in pictures if one is not None))


def _some(shown: Sequence[Validated], best: Validated | None) -> list[Validated]:
    """A few validations: the first, the best and the last, and others evenly between."""
    if len(shown) <= MOST_STEPS:
        return list(shown)
    wanted = {round(k * (len(shown) - 1) / (MOST_STEPS - 2)) for k in range(MOST_STEPS - 1)}
    return [one for number, one in enumerate(shown) if number in wanted or one is best]


def _picture(folder: Path, place: str, caption: str, *, best: bool = False) -> Picture | None:
    path = folder / place
    if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
        return None
    width, height, data = _embedded(str(path), path.stat().st_mtime_ns)
    return Picture(caption, data, width, height, best)


@lru_cache(maxsize=MOST_CASES * (MOST_STEPS + 2))
def _embedded(path: str, changed: int) -> tuple[int, int, str]:
    """A picture as a JPEG in a data URI; `changed` makes the cache forget a file that was written again."""
    import PIL.Image

    file = io.BytesIO()
    with PIL.Image.open(path) as picture:
        picture.convert("RGB").save(file, "JPEG", quality=80, subsampling=0)  # thin outlines keep their colours
        return (*picture.size, "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode("ascii"))


# ---- tables


def _worst_first(last: Validated | None) -> list[tuple[str, str, float | None]]:
    if last is None:
        return []
    rows = sorted(last.images.items(), key=lambda row: (row[1] if math.isfinite(row[1]) else math.inf, row[0]))
    return [(name, _number(value), min(max(value, 0.0), 1.0) if math.isfinite(value) else None) for name, value in rows]


def _metrics(history: History) -> Iterator[tuple[str, str, str]]:
    if not history.validations:
        return
    last, best = history.validations[-1], history.best
    yield last.metric, _number(best.score) if best else "–", _number(last.score)
    for name, value in last.scores.items():
        if name != last.metric:
            yield name, _number(best.scores.get(name, math.nan)) if best else "–", _number(value)
    yield "loss", _number(best.loss) if best else "–", _number(last.loss)


def _parts(history: History) -> Iterator[tuple[str, int, int, float]]:
    whole = max(len(history.split), 1)
    for name in dict.fromkeys(row.get("split") or "" for row in history.split):
        rows = [row for row in history.split if (row.get("split") or "") == name]
        yield name, len(rows), len({row.get("group") or row.get("name") for row in rows}), len(rows) / whole


def _environment(environment: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in environment.items():
        if isinstance(value, Mapping):
            yield from ((str(one), str(number)) for one, number in value.items())
        else:
            yield name, str(value)
