"""From labelled images and a recipe to a run that is ready to begin: all read once, divided, looked at, and everything settled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from microtome.core.classes import ClassTable
from microtome.core.errors import InputError
from microtome.core.events import warn
from microtome.core.result import Sample
from microtome.learn.augment.content import content_of
from microtome.learn.data.dataset import Dataset
from microtome.learn.training.crew import Crew
from microtome.learn.training.defaults import settle
from microtome.learn.training.events import Chosen
from microtome.learn.training.look import Look, look_at
from microtome.learn.training.memory import room_for_images
from microtome.learn.training.precision import tuned_memory
from microtome.learn.training.recipe import TrainingRecipe, one_of
from microtome.learn.training.run import Run
from microtome.learn.training.said import check_said
from microtome.learn.training.samples import Samples
from microtome.learn.training.source import Source, source_of
from microtome.learn.training.start import Start
from microtome.targets import catalogue as targets

__all__ = ["Ready", "set_up"]


@dataclass(frozen=True, eq=False)
class Ready:
    """A run that can begin.

    Attributes
    ----------
    run : Run
    chosen : Chosen
        What was settled, with the reasons.
    """

    run: Run
    chosen: Chosen


def set_up(
    data: Dataset | Iterable[Sample],
    held: Dataset | Iterable[Sample] | None,
    folder: Path,
    recipe: TrainingRecipe,
    begin: Start | None,
    *,
    resume: bool = False,
    keep: bool = True,
) -> Ready:
    """Put a run together; see `microtome.learn.training.train.train` for the parameters.

    Parameters
    ----------
    keep : bool
        Whether ``split.csv`` is written.

    Raises
    ------
    InputError
        If the data cannot be learned from.
    RecipeError
        If the recipe is wrong.
    RunError
        If the processes that shall train together do not find each other.
    """
    check_said(recipe)
    tuned_memory()
    crew = Crew(recipe.device)
    if begin is not None and not resume:
        recipe = begin.channelled(recipe)
    source = _source(data, held, folder, recipe, crew, resume=resume, keep=keep)
    look = look_at(source.train.first_reading(), source.classes)
    look = _with_held(source, look, look_at(source.held.first_reading(), source.classes, held=True))
    reasons = {}
    if begin is not None and not resume:
        reasons, recipe = begin.reasons(recipe), begin.settle(recipe, look)
    recipe, choices = settle(recipe, look, _content(source.train), accelerated=crew.device.type != "cpu", processes=crew.count)
    name, settings = one_of(recipe.target, "target")
    target = targets.load(name, settings, "target")
    run = Run(source, look, recipe, target, crew, folder, None if resume else begin, resumed=resume)
    choices = tuple(replace(one, reason=reasons.get(one.place, one.reason)) for one in choices)
    return Ready(run, Chosen((*choices, *run.choices), recipe.document()))


def _source(
    data: Dataset | Iterable[Sample],
    held: Dataset | Iterable[Sample] | None,
    folder: Path,
    recipe: TrainingRecipe,
    crew: Crew,
    *,
    resume: bool,
    keep: bool,
) -> Source:
    """Of several processes the first writes the split, then the others read it."""
    if not crew.first:
        crew.wait()
    room = room_for_images(recipe.memory, crew.count)
    source = source_of(data, folder, held=held, share=recipe.validation.share, seed=recipe.seed, channel=recipe.channel,
                       keep=keep and crew.first, room=room, resume=resume)  # fmt: skip
    if crew.first:
        crew.wait()
    return source


def _with_held(source: Source, learned: Look, held: Look) -> Look:
    """The look at what is learned from, with the classes and numbers of channels of the held-out images besides.

    Raises
    ------
    InputError
        If the held-out images are of another kind.
    """
    if (learned.ndim, learned.kind) != (held.ndim, held.kind):
        one, other = (f"{sample.name} ({'flat' if look.ndim == 2 else 'a volume'}, {look.kind} labels)"
                      for sample, look in ((source.train[0], learned), (source.held[0], held)))  # fmt: skip
        raise InputError(
            f"the images to learn from are of another kind than the held-out ones: {one}, {other}; train on one kind at a time"
        )
    known = {entry.value: entry for entry in learned.classes}
    new = [entry for entry in held.classes if entry.value not in known]
    if taught := [entry.name for entry in new if entry.role != "ignore"]:
        warn(f"only held-out images have {', '.join(taught)}: the model cannot learn it, and its score counts it as missed; let others be "
             "held out (another --seed, --validate), or label more")  # fmt: skip
    table = ClassTable(tuple(sorted((*learned.classes, *new), key=lambda entry: entry.value))) if new else learned.classes
    channels = {count: learned.channels.get(count, 0) + held.channels.get(count, 0) for count in (*learned.channels, *held.channels)}
    return replace(learned, classes=table, channels=channels)


def _content(samples: Samples) -> tuple[Any, str]:
    return content_of(samples[number].image for number in range(0, len(samples), max(1, len(samples) // 50)))
