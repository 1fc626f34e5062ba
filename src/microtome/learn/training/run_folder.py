"""The folder of a training: what is written there while training goes on, and the same read back."""

from __future__ import annotations

import csv
import json
import math
import os
import platform
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields
from importlib.metadata import PackageNotFoundError, version
from io import FileIO
from pathlib import Path
from typing import Any, Literal

from microtome.core.errors import InputError, RunError
from microtome.io.whole import whole_file
from microtome.learn.training.events import (
    Choice,
    Chosen,
    Event,
    Finished,
    Planned,
    Saved,
    Stepped,
    Stopped,
    Validated,
    Warned,
)
from microtome.run import yaml_text

__all__ = ["CHOICES", "ENVIRONMENT", "METRICS", "RECIPE", "SPLIT", "History", "State", "read_history", "record"]

RECIPE, CHOICES, SPLIT, METRICS, ENVIRONMENT = "train.yaml", "choices.json", "split.csv", "metrics.jsonl", "environment.json"

State = Literal["begun", "running", "stopped", "broken off", "finished"]

_LINES: Mapping[type, str] = {
    Planned: "plan",
    Stepped: "step",
    Validated: "validation",
    Saved: "checkpoint",
    Stopped: "stop",
    Finished: "finish",
    Warned: "note",
}
_KINDS = {name: kind for kind, name in _LINES.items()}
_BROKEN = "broken off"
_ENDS = ("stop", "finish", _BROKEN)
_AT_A_STEP = ("step", "validation", "checkpoint")
_PACKAGES = (
    "torch",
    "numpy",
    "scipy",
    "numba",
    "opencv-python-headless",
    "safetensors",
    "timm",
    "segmentation-models-pytorch",
    "onnx",
    "onnxscript",
    "onnxruntime",
)


def record(folder: str | os.PathLike[str], events: Iterator[Event], *, resumed: int = 0) -> Iterator[Event]:
    """Pass the events of a training through, and write each into the training's folder first.

    Parameters
    ----------
    folder : path
        Made where it does not exist.
    events : iterator of Event
        Closed when the result is closed.
    resumed : int
        The step of the checkpoint that training goes on from. What the folder says of later steps is cut off, so that its curves
        are of one history; 0 begins a new history.

    Yields
    ------
    Event
        Each of `events`, as it is.

    Raises
    ------
    RunError
        If the disk refuses.
    InputError
        If the lines written before it was resumed are damaged.

    Notes
    -----
    ``train.yaml`` is the resolved recipe and ``choices.json`` why; ``environment.json`` has the versions and the processor, but no name
    of the machine or of a user. ``metrics.jsonl`` has one JSON object a line, which is on the disk before the event goes on: ``event``
    is ``plan``, ``step``, ``validation``, ``checkpoint``, ``stop``, ``finish`` or ``note``, the rest the event's fields; ``null`` stands
    for a number that is not finite. A last line ``broken off`` says that training ended by an error.

    Examples
    --------
    >>> import tempfile
    >>> from microtome.learn.training.events import Planned, Stepped
    >>> told = [Planned(40, 20, "2 epochs"), Stepped(20, 40, 1.0, 0.5, {"mask.dice": 0.5}, 1e-3, 2.0)]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = list(record(folder, iter(told)))
    ...     history = read_history(folder)
    >>> history.state, history.steps[0].loss, history.steps[0].parts
    ('broken off', 0.5, {'mask.dice': 0.5})
    """
    folder = Path(folder)
    ended = False
    with _continued(folder / METRICS, resumed) as file:
        try:
            for event in events:
                _keep(folder, file, event)
                ended = ended or isinstance(event, Stopped | Finished)
                yield event
        finally:
            if isinstance(events, Generator):
                events.close()
            if not ended:
                with suppress(RunError):  # whatever ended it is what the user must see
                    _append(file, {"event": _BROKEN})


@contextmanager
def _continued(path: Path, resumed: int) -> Iterator[FileIO]:
    """The lines written before, up to the resumed step, open for more."""
    lines = list(_up_to(resumed, _lines(path))) if resumed and path.exists() else []
    with whole_file(path) as temporary:
        temporary.write_text("".join(json.dumps(line, allow_nan=False) + "\n" for line in lines), encoding="utf-8", newline="\n")
    with path.open("ab", buffering=0) as file:  # nothing is left to be written when it is closed, on a full disk too
        yield file


def _up_to(resumed: int, lines: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for line in lines:
        if line["event"] in _AT_A_STEP and line["step"] > resumed:
            return
        if line["event"] not in _ENDS:
            yield line


def _keep(folder: Path, file: FileIO, event: Event) -> None:
    if isinstance(event, Chosen):
        _write(folder / RECIPE, yaml_text.dump_tree(_plain(event.document, folder)))
        _write_json(folder / CHOICES, [_fields(choice, folder) for choice in event.choices])
        _write_json(folder / ENVIRONMENT, _environment())
    else:
        _append(file, {"event": _LINES[type(event)]} | _fields(event, folder))


def _write_json(path: Path, value: Any) -> None:
    _write(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def _write(path: Path, text: str) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def _append(file: FileIO, line: Mapping[str, Any]) -> None:
    data = (json.dumps(line, allow_nan=False) + "\n").encode("ascii")
    before = file.tell()
    try:
        whole = file.write(data) == len(data)
        reason = "the disk is full"
    except OSError as error:
        whole, reason = False, error.strerror or str(error)
    if not whole:
        with suppress(OSError):
            file.truncate(before)  # no half line in the way of a next one
        raise RunError(f"{file.name}: cannot be written: {reason}; make room or check the disk, then go on with --resume")


def _fields(one: Any, folder: Path) -> dict[str, Any]:
    return {part.name: _plain(getattr(one, part.name), folder) for part in fields(one)}


def _plain(value: Any, folder: Path) -> Any:
    """As JSON can say it: paths within the folder from there, and null for what is no finite number."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one, folder) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one, folder) for one in value]
    if isinstance(value, Path):
        whole, root = value.resolve(), folder.resolve()
        return whole.relative_to(root).as_posix() if whole.is_relative_to(root) else value.name
    if isinstance(value, str | bool | int | None):
        return value
    number = value.item() if hasattr(value, "item") else value
    return None if isinstance(number, float) and not math.isfinite(number) else number


def _environment() -> dict[str, Any]:
    return {
        "microtome": _version("microtome"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "packages": {package: number for package in _PACKAGES if (number := _version(package))},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name"))
    return next(names, platform.machine())


# ---- read back


@dataclass(frozen=True)
class History:
    """A training, as its folder tells it.

    Attributes
    ----------
    folder : Path
    state : str
        ``"begun"`` before the first step, ``"running"``, ``"stopped"`` (by the user or because nothing improved), ``"broken off"`` by
        an error, ``"finished"``: the model is written. A process that was killed leaves ``"running"``.
    choices : tuple of Choice
    document : dict
        The resolved recipe.
    environment : dict
    split : tuple of mapping of str to str
        The rows of ``split.csv``: ``name``, ``group``, ``split``.
    planned : Planned or None
    steps : tuple of Stepped
    validations : tuple of Validated
    notes : tuple of str
        What was assumed or left out, each once.
    stopped : Stopped or None
    finished : Finished or None
        Its `bundle` is in the folder.
    """

    folder: Path
    state: State = "begun"
    choices: tuple[Choice, ...] = ()
    document: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    split: tuple[Mapping[str, str], ...] = ()
    planned: Planned | None = None
    steps: tuple[Stepped, ...] = ()
    validations: tuple[Validated, ...] = ()
    notes: tuple[str, ...] = ()
    stopped: Stopped | None = None
    finished: Finished | None = None

    @property
    def best(self) -> Validated | None:
        """The validation whose weights are kept; None before the first."""
        return next((one for one in reversed(self.validations) if one.best), None)

    @property
    def seconds_left(self) -> float | None:
        """What the steps to come will take if they are as fast as those done; None where none is done, 0 at the end."""
        if not self.steps or self.steps[-1].step <= 0:
            return None
        last = self.steps[-1]
        return last.seconds / last.step * max(last.steps - last.step, 0)


def read_history(folder: str | os.PathLike[str]) -> History:
    """Read what `record` wrote. What is not there yet is empty; a last line that is half written is left out.

    Parameters
    ----------
    folder : path

    Returns
    -------
    History

    Raises
    ------
    InputError
        If there is no such folder, or a file in it is damaged, with the line.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     read_history(folder).state
    'begun'
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; name the folder of a training")
    path = folder / METRICS
    events: list[Any] = []
    state: State = "begun"
    for number, line in enumerate(_lines(path) if path.exists() else (), 1):
        state = _next(state, line["event"])
        if line["event"] in _KINDS:
            events.append(_event(line, folder, f"{path}:{number}"))
    return History(
        folder, state,
        choices=tuple(Choice(**choice) for choice in _read_json(folder / CHOICES, [])),
        document=_read_recipe(folder / RECIPE),
        environment=_read_json(folder / ENVIRONMENT, {}),
        split=tuple(_read_split(folder / SPLIT)),
        planned=_last(events, Planned),
        steps=tuple(one for one in events if isinstance(one, Stepped)),
        validations=tuple(one for one in events if isinstance(one, Validated)),
        notes=tuple(dict.fromkeys(_note(one) for one in events if isinstance(one, Warned))),
        stopped=_last(events, Stopped),
        finished=_last(events, Finished),
    )  # fmt: skip


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    text = path.read_text(encoding="utf-8", errors="replace")
    *whole, rest = text.split("\n")
    for number, line in enumerate((*whole, rest), 1):
        try:
            found = json.loads(line) if line else None
        except json.JSONDecodeError as error:
            if number > len(whole):  # it is being written, or was when the process was killed
                return
            raise InputError(f"{path}:{number}: is not JSON ({error.msg}); remove this line, or the file") from None
        if found is None:
            continue
        if not isinstance(found, dict) or not isinstance(found.get("event"), str):
            raise InputError(f"{path}:{number}: is no object with an `event`; remove this line, or the file")
        if found["event"] in _AT_A_STEP and not isinstance(found.get("step"), int):
            raise InputError(f"{path}:{number}: a {found['event']} without its `step`; remove this line, or the file")
        yield found


def _next(state: State, name: str) -> State:
    if name in ("plan", "step"):
        return "running"
    ends: dict[str, State] = {"stop": "stopped", "finish": "finished"}
    if name == _BROKEN:
        return "broken off"
    return ends.get(name, state)


def _event(line: Mapping[str, Any], folder: Path, place: str) -> Any:
    kind = _KINDS[line["event"]]
    known = {part.name: part.type for part in fields(kind)}
    given = {name: _as(known[name], value, folder) for name, value in line.items() if name in known}
    try:
        return kind(**given)
    except TypeError as error:
        raise InputError(f"{place}: {error}; remove this line, or the file") from None


def _as(declared: Any, value: Any, folder: Path) -> Any:
    """Undo `_plain` by the field's type, which is text here."""
    if declared == "Path":
        return folder / str(value)
    if declared == "float" and value is None:
        return math.nan
    if declared == "Mapping[str, float]":
        return {name: math.nan if one is None else one for name, one in value.items()}
    return value


def _note(warned: Warned) -> str:
    return f"{warned.image}: {warned.message}" if warned.image else warned.message


def _last(events: Sequence[Any], kind: type) -> Any:
    return next((one for one in reversed(events) if isinstance(one, kind)), None)


def _read_json(path: Path, otherwise: Any) -> Any:
    if not path.exists():
        return otherwise
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: is damaged ({error}); the training writes it anew with --resume") from None
    if not isinstance(found, type(otherwise)):
        raise InputError(f"{path}: holds a {type(found).__name__} where a {type(otherwise).__name__} was written; is it another file?")
    return found


def _read_recipe(path: Path) -> Mapping[str, Any]:
    return yaml_text.load(path.read_text(encoding="utf-8"), str(path)) if path.exists() else {}


def _read_split(path: Path) -> Iterator[Mapping[str, str]]:
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)
