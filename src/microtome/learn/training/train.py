"""From labelled images to a model: the whole line, as a generator of events."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from microtome.core.errors import InputError
from microtome.core.events import collect_warnings
from microtome.core.result import Sample
from microtome.io.whole import whole_file
from microtome.learn.data.dataset import Dataset
from microtome.learn.training.events import Choice, Chosen, Event, Finished, Planned, Stopped, Warned
from microtome.learn.training.extra import check_extra
from microtome.learn.training.recipe import Budget, TrainingRecipe, Validation
from microtome.learn.training.start import Start
from microtome.run import yaml_text

if TYPE_CHECKING:
    from microtome.learn.training.run import Run

__all__ = ["can_resume", "resumed_step", "train"]

_LOST = 0.01
"""The share of objects that a target may lose before the user has to agree."""

_MAY_BE_OPEN = ("channel", "memory", "pixel_weights", "workers")
"""What a settled recipe may leave out; without anything else a run would go on as another one."""


def train(
    data: Dataset | Iterable[Sample],
    *,
    out: str | Path,
    recipe: TrainingRecipe | Mapping[str, Any] | None = None,
    held: Dataset | Iterable[Sample] | None = None,
    start: str | Path | None = None,
    resume: bool = False,
    allow_dropped: bool = False,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Event]:
    """Train a network on labelled images and write it as a bundle, with everything it needs to run anywhere.

    Parameters
    ----------
    data : Dataset or iterable of Sample
        With splits of its own, ``train`` is learned from and ``val`` held out; without, a share of the groups is held out.
    out : path
        The run folder. What is written there see `microtome.learn.training.run_folder`.
    recipe : TrainingRecipe or mapping, optional
        Whatever it leaves open is settled from the data, and told with the reason (`Chosen`).
    held : Dataset or iterable of Sample, optional
        Images to hold out, instead of some of `data`.
    start : str or path, optional
        A model to train further: a shipped one's name, or a bundle. Its network, target and preparing are kept, and images are brought to
        the size of objects that it knows.
    resume : bool
        Go on with the run in `out`, by its own recipe and split: the result is the same as if it had not stopped.
    allow_dropped : bool
        Train although some of the data cannot be used. It is listed either way.
    stop : function
        Asked after each step; once it says so the state is saved and the run ends with `Stopped`. So does closing the generator.

    Yields
    ------
    Event
        `Chosen` and `Planned` first, `Finished` or `Stopped` last.

    Raises
    ------
    InputError
        If the data cannot be learned from, or some of it would be dropped.
    RecipeError
        If the recipe is wrong.
    RunError
        If a file fails in the middle, a loss is not finite, or the disk is full. What was reached is saved.
    MissingExtra
        If torch is not installed.

    Examples
    --------
    >>> events = train(samples, out="run", recipe={"microtome": 1, "train": {"budget": {"epochs": 1}}})  # doctest: +SKIP
    >>> for event in events:  # doctest: +SKIP
    ...     print(event)
    """
    if isinstance(recipe, Mapping):
        recipe = TrainingRecipe.from_document(recipe)
    check_extra()
    folder = Path(out)
    _refuse_inside(folder, data)
    if not resume and can_resume(folder):
        raise InputError(f"{folder}: holds a run already; go on with it (--resume), or name another folder")
    said = recipe or TrainingRecipe()
    settled = _recipe_of(folder) if resume else said
    begin = Start.of(start) if start is not None and not resume else None
    events = _train(data, held, folder, settled, begin, resume=resume, allow_dropped=allow_dropped, stop=stop)
    return _told(events, _not_taken(said, settled) if resume else "")


def can_resume(out: str | Path) -> bool:
    """Whether a folder holds a run that can be gone on with: one that was killed before its first checkpoint is begun anew."""
    return (Path(out) / "checkpoints" / "last.safetensors").exists()


def resumed_step(out: str | Path) -> int:
    """The step that a run would go on from.

    Raises
    ------
    InputError
        If it has no checkpoint.
    """
    from microtome.learn.training.checkpoint import load_checkpoint

    return load_checkpoint(Path(out) / "checkpoints" / "last.safetensors")[0].step


def _recipe_of(folder: Path) -> TrainingRecipe:
    path = folder / "train.yaml"
    if not path.exists():
        raise InputError(f"{folder}: there is no run to go on with (no train.yaml)")
    recipe = TrainingRecipe.read(path)
    always = [name for name in TrainingRecipe.model_fields if name not in _MAY_BE_OPEN]
    if not path.read_text(encoding="utf-8").endswith("\n"):  # half a number is a number
        raise InputError(f"{path}: its last line has no end: it was cut short, or changed by a program that leaves it away; put it back "
                         "from a copy, or end the line")  # fmt: skip
    if lost := [name for name in always if getattr(recipe, name) is None or name not in recipe.model_fields_set]:
        raise InputError(f"{path}: lacks {', '.join(lost)}, which every run writes there: it was cut short or changed; put it back from a "
                         "copy, or begin anew in another folder")  # fmt: skip
    return recipe


def _refuse_inside(folder: Path, data: Dataset | Iterable[Sample]) -> None:
    """The pictures of a run would be taken for images of the data the next time."""
    if isinstance(data, Dataset) and folder.resolve().is_relative_to(data.root.resolve()):
        raise InputError(f"{folder}: lies inside the data ({data.root}), where a run's own pictures would be taken for images; "
                         "choose a folder beside it")  # fmt: skip


def _not_taken(said: TrainingRecipe, own: TrainingRecipe) -> str:
    """What was asked for in going on, and is otherwise in the run's own recipe."""
    different = [
        place
        for name in sorted(said.model_fields_set)
        for place, one, other in _places(name, getattr(said, name), getattr(own, name))
        if one != other
    ]
    if not different:
        return ""
    return (f"a run goes on by its own recipe, so this is not taken: {', '.join(different)}; begin anew in another folder for it, "
            "or change train.yaml as far as the network stays")  # fmt: skip


def _places(name: str, one: Any, other: Any) -> Iterator[tuple[str, Any, Any]]:
    """A field of two recipes, or those of its fields that were said."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key, value in one.items():
            yield from _places(f"{name}.{key}", value, other.get(key))
    elif isinstance(one, Budget | Validation):
        yield from ((f"{name}.{part}", getattr(one, part), getattr(other, part)) for part in sorted(one.model_fields_set))
    else:
        yield name, one, other


def _told(events: Generator[Event, None, None], first: str = "") -> Iterator[Event]:
    """The events, and before each what was assumed on the way to it."""
    known: set[str] = set()
    try:
        if first:
            yield Warned(first)
        while True:
            with collect_warnings() as said:
                event = next(events, None)
            for message in said:
                if message not in known:
                    known.add(message)
                    yield Warned(message)
            if event is None:
                return
            yield event
    finally:
        events.close()


def _train(
    data: Dataset | Iterable[Sample],
    held: Dataset | Iterable[Sample] | None,
    folder: Path,
    recipe: TrainingRecipe,
    begin: Start | None,
    *,
    resume: bool,
    allow_dropped: bool,
    stop: Callable[[], bool],
) -> Generator[Event, None, None]:
    from microtome.learn.training.checkpoint import bytes_needed
    from microtome.learn.training.finish import finish
    from microtome.learn.training.loop import ASKED
    from microtome.learn.training.room import check_room
    from microtome.learn.training.set_up import set_up

    began = time.monotonic()
    ready = set_up(data, held, folder, recipe, begin, resume=resume)
    run, crew = ready.run, ready.run.crew
    try:
        yield _with_reasons(ready.chosen, folder) if resume else ready.chosen
        for message in _left_out(run, allow_dropped):
            yield Warned(message)
        if crew.first:
            _write(folder / "train.yaml", yaml_text.dump_tree(run.recipe.document()))
            check_room(folder, bytes_needed([run.network]))
        planned = _planned(run, began, resume=resume)
        yield planned
        loop = run.loop(planned)
        if resume:
            loop.resume()
        for event in loop.run(run.batches, run.validator(), stop=stop):
            yield event
            if isinstance(event, Stopped) and event.reason == ASKED:
                return
        if crew.first:
            score, bundle = finish(run, loop)
            yield Finished(loop.state.best_step, score, bundle, time.monotonic() - began)
    finally:
        run.close()
        crew.close()


def _with_reasons(chosen: Chosen, folder: Path) -> Chosen:
    """What is as it was has the reason it had when the run began, not that train.yaml says so."""
    before = _stored_choices(folder)
    return replace(chosen, choices=tuple(_as_before(one, before.get(one.place)) for one in chosen.choices))


def _stored_choices(folder: Path) -> dict[str, Choice]:
    """None where there is no such file, or a damaged one: whoever records the run writes it anew."""
    from microtome.learn.training.run_folder import CHOICES

    try:
        return {one["place"]: Choice(**one) for one in json.loads((folder / CHOICES).read_text(encoding="utf-8"))}
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def _as_before(one: Choice, before: Choice | None) -> Choice:
    same = before is not None and one.place != "memory" and json.dumps(before.value) == json.dumps(one.value)
    return before if before is not None and same else one


def _left_out(run: Run, allowed: bool) -> Iterator[str]:
    """What of the data cannot be used, in words.

    Raises
    ------
    InputError
        If there is some, and the user has not agreed.
    """
    from microtome.learn.training.dropped import lost_objects

    lost = lost_objects(run.labels(), run.target, run.look.classes, run.recipe.refine or ())
    _refuse_dropped(run.source.dropped, lost, allowed)
    yield from (f"left out: {message}" for message in run.source.dropped)
    if lost.lost:
        yield (f"{lost.lost} of {lost.total} objects would be lost even by a network without fault, too small or thin for the target "
               f"{run.target.name}: most in {', '.join(f'{name} ({count})' for name, count in lost.worst)}")  # fmt: skip


def _planned(run: Run, began: float, *, resume: bool) -> Planned:
    """How long the run is: as was stored, or settled now and stored."""
    from microtome.learn.training.budget import measure, plan

    if resume and (stored := _stored_plan(run.folder)) is not None:
        return stored
    recipe, crew = run.recipe, run.crew
    measured = measure(run.trial(), run.batches, run.validator()) if recipe.budget.time else None
    spent = time.monotonic() - began
    planned = plan(recipe.budget, run.batches.per_epoch / recipe.accumulate, recipe.validation.every, measured, spent)
    steps, every = map(round, crew.from_first([planned.steps, planned.every]))
    planned = replace(planned, steps=steps, every=every)
    if crew.first:
        _store(run.folder, planned)
    return planned


def _refuse_dropped(dropped: Sequence[str], lost: Any, allowed: bool) -> None:
    reasons = [*dropped]
    if lost.share > _LOST:
        worst = ", ".join(f"{name} ({count})" for name, count in lost.worst)
        reasons.append(f"{lost.lost} of {lost.total} objects are too small or too thin for the target: most in {worst}; "
                       "a larger scale (--set scale=2) keeps more of them")  # fmt: skip
    if reasons and not allowed:
        raise InputError("some of the data would be dropped:\n  " + "\n  ".join(reasons) + "\nIf that is meant, allow it (--allow-dropped)")


def _stored_plan(folder: Path) -> Planned | None:
    path = folder / "plan.json"
    if not path.exists():
        return None
    try:
        return Planned(**json.loads(path.read_text(encoding="utf-8")))
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: is damaged ({error}); remove it, and the plan is made anew") from None


def _store(folder: Path, planned: Planned) -> None:
    _write(folder / "plan.json", json.dumps(planned.__dict__, indent=1) + "\n")


def _write(path: Path, text: str) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
