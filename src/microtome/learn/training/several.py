"""Several runs one after another, each in a folder of its own; what is finished is left as it is."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from microtome.core.errors import InputError
from microtome.learn.training.events import Chosen, Event, Finished, Planned
from microtome.learn.training.recipe import TrainingRecipe
from microtome.learn.training.run_folder import RECIPE, read_history, record

__all__ = ["Follow", "OfPart", "as_first", "begin_folder", "ended", "like", "metric_of", "one_of_several"]

Follow = Callable[[Path, Iterator[Event]], Iterator[Event]]
"""From a run's folder and its recorded events to the same events: whoever keeps a page of each run, say."""


@dataclass(frozen=True)
class OfPart:
    """What one of several runs says.

    Attributes
    ----------
    part : str
        Which: ``"fold 2 of 5"``.
    folder : Path
        Its run folder.
    event : Event
        A part that was finished before says `Finished` only.
    """

    part: str
    folder: Path
    event: Event


def one_of_several(part: str, folder: Path, begin: Callable[[bool], Iterator[Event]], follow: Follow) -> Generator[OfPart, None, None]:
    """Do one run, go on with it, or tell that it is finished.

    Parameters
    ----------
    part : str
    folder : Path
    begin : function
        From whether it goes on with what is in the folder to its events.
    follow : function
        What else becomes of its events; they are recorded in the folder anyway.
    """
    from microtome.learn.training.train import can_resume, resumed_step

    if (done := ended(folder)) is not None:
        yield OfPart(part, folder, done)
        return
    further = can_resume(folder)
    told = record(folder, begin(further), resumed=resumed_step(folder) if further else 0)
    events = follow(folder, told)
    try:
        for event in events:
            yield OfPart(part, folder, event)
    finally:
        for generator in (events, told):
            if isinstance(generator, Generator):
                generator.close()


def ended(folder: Path) -> Finished | None:
    """How a run ended, where its model is written."""
    if not folder.is_dir():
        return None
    finished = read_history(folder).finished
    return finished if finished is not None and finished.bundle.exists() else None


def begin_folder(out: Path, about: Path, *, resume: bool) -> None:
    """Make the folder of all runs.

    Raises
    ------
    InputError
        If it holds some already, or there are none to go on with.
    """
    if resume and not about.exists():
        raise InputError(f"{out}: there is nothing to go on with (no {about.name}); begin without --resume")
    from microtome.learn.training.train import can_resume

    if not resume and (about.exists() or can_resume(out)):
        raise InputError(f"{out}: holds runs already; go on with them (--resume), or name another folder")
    out.mkdir(parents=True, exist_ok=True)


def begun_from(stored: Mapping[str, Any] | None, start: str | Path | None, about: Path) -> str | None:
    """The model that every run begins with: that of the first ones, where there were some.

    Raises
    ------
    InputError
        If another one is named now.
    """
    named = None if start is None else str(Path(start).absolute() if Path(start).exists() else start)
    if stored is None:
        return named
    begun: str | None = stored.get("from")
    if named not in (None, begun):
        raise InputError(f"{about}: these runs were begun {'with first weights' if begun is None else f'from {begun}'}, not from {named}; "
                         "leave --from away, or begin in another folder")  # fmt: skip
    return begun


def like(folder: Path, **changes: Any) -> TrainingRecipe:
    """The recipe of a finished run for another one: settled alike and as long, also where its length was a time."""
    recipe = TrainingRecipe.read(folder / RECIPE).model_dump()
    planned = read_history(folder).planned
    if isinstance(planned, Planned) and recipe["budget"]["time"] is not None:
        recipe["budget"] = {"steps": planned.steps}
        recipe["validation"] = {**recipe["validation"], "every": planned.every}
    return TrainingRecipe.model_validate({**recipe, **changes})


def as_first(first: Path, events: Iterator[Event]) -> Iterator[Event]:
    """The events of a later run, its choices with the reasons they had in the first one."""
    reasons = {choice.place: choice.reason for choice in read_history(first).choices}
    try:
        for event in events:
            if isinstance(event, Chosen):
                same = (replace(one, reason=f"as in {first.name}: {reasons[one.place]}") if one.place in reasons else one
                        for one in event.choices)  # fmt: skip
                event = replace(event, choices=tuple(same))
            yield event
    finally:
        if isinstance(events, Generator):
            events.close()


def metric_of(document: Mapping[str, Any]) -> str:
    """The deciding metric of a settled recipe."""
    return str(document["train"]["validation"]["metric"])
