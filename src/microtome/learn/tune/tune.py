"""The whole search: by folds, so that the score told is of images the choice did not see; then once more on all of them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import microtome
from microtome.core.errors import InputError, RecipeError
from microtome.core.events import warn
from microtome.core.kernels.bands import threads
from microtome.learn.data.dataset import Annotated, Dataset, Entry
from microtome.learn.data.split import folds as split_into_folds
from microtome.learn.tune import outputs
from microtome.learn.tune.fingerprint import fingerprint
from microtome.learn.tune.importance import worth
from microtome.learn.tune.score import Scorer, check_metric, default_metric, undefined
from microtome.learn.tune.search import Trial, best_of, search
from microtome.learn.tune.space import Knob, Settings, apply, search_space
from microtome.measure.metrics.bootstrap import Interval, bootstrap_difference, bootstrap_mean
from microtome.run.executors.processes import Pool
from microtome.run.recipe import Recipe

__all__ = ["ALL", "Chosen", "Tried", "Tuned", "tune"]

ALL = "all images"


@dataclass(frozen=True)
class Tried:
    """A recipe was tried in a part of the search (``"without fold 2"`` or ``"all images"``); `best` is the highest score so far."""

    part: str
    trial: Trial
    best: float


@dataclass(frozen=True)
class Chosen:
    """A part of the search is done: its recipe, and its mean score on the images it did not see (None for all images)."""

    part: str
    trial: Trial
    unseen: float | None


@dataclass(frozen=True, eq=False)
class Tuned:
    """What came of it.

    Attributes
    ----------
    start, recipe : Recipe
        As given, and with the settings chosen on all images.
    metric : str
    knobs : tuple of Knob
    settings : mapping
        The chosen value by place.
    images, groups : tuple of str
    start_scores, unseen_scores, chosen_scores : tuple of float
        For each image: the recipe as given; the recipe that was chosen without the image's fold; the recipe chosen on all images,
        which flatters.
    start_mean, unseen, gain : Interval
        The means of the first two and of their paired difference, with 95 % bootstrap intervals over groups.
    fold_settings : tuple of mapping
        What each fold's search chose: settings that differ widely are not worth much.
    worth : mapping of str to float or None
        What is lost on all images when a setting goes back to where it was.
    trials : mapping of str to sequence of Trial
        By part.
    failed : mapping of str to str
        Images on which some recipe failed, or had no score, which counts 0.
    seconds : float
    """

    start: Recipe
    recipe: Recipe
    metric: str
    knobs: tuple[Knob, ...]
    settings: Settings
    images: tuple[str, ...]
    groups: tuple[str, ...]
    start_scores: tuple[float, ...]
    unseen_scores: tuple[float, ...]
    chosen_scores: tuple[float, ...]
    start_mean: Interval
    unseen: Interval
    gain: Interval
    fold_settings: tuple[Settings, ...]
    worth: Mapping[str, float | None]
    trials: Mapping[str, Sequence[Trial]] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0


def tune(
    dataset: Dataset,
    recipe: Recipe,
    *,
    metric: str | None = None,
    trials: int = 60,
    folds: int = 5,
    only: Sequence[str] = (),
    keep: Sequence[str] = (),
    ranges: Mapping[str, tuple[float, float]] | None = None,
    seed: int = 0,
    out: str | os.PathLike[str] | None = None,
    resume: bool = False,
    workers: int | None = None,
) -> Iterator[Tried | Chosen | Tuned]:
    """Search a recipe's settings on labelled images.

    For each fold a search of its own chooses settings on the other folds' images and is scored on the fold's; those scores together say
    what tuning is worth on images nobody looked at. A last search on all images gives the recipe to use.

    Parameters
    ----------
    dataset : Dataset
        Images without labels are left out, with a warning.
    recipe : Recipe
        Where the search starts; its own score is the one to beat.
    metric : str, optional
        A key of `microtome.evaluate`, higher is better; ``ap_50`` for objects and ``miou_image`` for classes by default.
    trials : int
        Recipes tried in each part of the search, besides the given one.
    folds : int
        Folds by group; at least 2, and no more than there are groups.
    only, keep, ranges
        What is searched; see `microtome.learn.tune.space.search_space`.
    seed : int
    out : path, optional
        A folder for ``recipe.yaml``, ``tune.json``, ``trials.csv``, ``images.csv`` and the journal that `resume` goes on from.
    resume : bool
        Go on with a search of the same data, recipe and settings in `out`: what was scored is not scored again, and the result is
        that of an uninterrupted search.
    workers : int, optional
        Worker processes; by default one a core. 1 works in this process. The result does not depend on it.

    Yields
    ------
    Tried, Chosen, Tuned
        Every recipe tried, every part done, and at last the result.

    Raises
    ------
    InputError
        If there are too few groups, `out` holds another search, or the given recipe fails on all images or has no score on one.
    RecipeError
        If nothing can be searched, or the metric does not exist or is one where lower is better.
    RunError
        If another process is searching in `out`, or a worker process was killed.
    """
    began = time.perf_counter()
    metric = metric or default_metric(dataset.kind)
    check_metric(metric, dataset.kind)
    dataset = _labelled(dataset)
    knobs = search_space(recipe, only=only, keep=keep, ranges=ranges)
    if trials < 1:
        raise RecipeError(f"trials: {trials}; at least one recipe must be tried")
    if workers is not None and workers < 1:
        raise RecipeError(f"workers: {workers}; at least one is needed")
    parts = _parts(dataset, folds, seed)
    plan = {
        "microtome": microtome.__version__, "recipe": recipe.document(), "metric": metric, "trials": trials, "folds": folds, "seed": seed,
        "space": [str(knob) for knob in knobs], "task": dataset.kind, "classes": [str(entry) for entry in dataset.classes],
        "groups": dataset.groups(), "images": {entry.name: fingerprint(entry) for entry in dataset},
    }  # fmt: skip
    with ExitStack() as stack:
        journal = None if out is None else stack.enter_context(outputs.begun(Path(out), plan, resume=resume))
        count = min(workers or threads(), len(dataset))
        pool = stack.enter_context(Pool(count)) if count > 1 else None
        scorer = Scorer(dataset, metric, journal=journal, pool=pool)
        every = range(len(dataset))
        start_scores, unseen = scorer(recipe, every), [0.0] * len(dataset)
        _check_start(scorer.errors(recipe), len(dataset), metric)
        tried: dict[str, list[Trial]] = {}
        fold_settings: list[Settings] = []
        for part, inside, outside in parts:
            tried[part] = []
            for trial in search(recipe, knobs, scorer, inside, trials=trials, seed=seed):
                tried[part].append(trial)
                yield Tried(part, trial, best_of(tried[part]).score)
            best = best_of(tried[part])
            if outside:
                fold_settings.append(best.settings)
                for place, score in zip(outside, scorer(apply(recipe, knobs, best.settings), outside), strict=True):
                    unseen[place] = score
            yield Chosen(part, best, sum(unseen[place] for place in outside) / len(outside) if outside else None)
        chosen = apply(recipe, knobs, best.settings)
        groups = dataset.groups()
        result = Tuned(
            start=recipe,
            recipe=chosen,
            metric=metric,
            knobs=knobs,
            settings=best.settings,
            images=tuple(entry.name for entry in dataset),
            groups=groups,
            start_scores=tuple(start_scores),
            unseen_scores=tuple(unseen),
            chosen_scores=tuple(scorer(chosen, every)),
            start_mean=bootstrap_mean(start_scores, groups=groups),
            unseen=bootstrap_mean(unseen, groups=groups),
            gain=bootstrap_difference(unseen, start_scores, groups=groups),
            fold_settings=tuple(fold_settings),
            worth=worth(recipe, knobs, best.settings, scorer, every),
            trials=tried,
            failed=dict(scorer.failed),
            seconds=time.perf_counter() - began,
        )
        if out is not None:
            outputs.write(Path(out), plan, result, parts)
    yield result


Part = tuple[str, tuple[int, ...], tuple[int, ...]]


def _parts(dataset: Dataset, folds: int, seed: int) -> list[Part]:
    """Each search: its name, the images it sees, the images it is judged on."""
    there = len(set(dataset.groups()))
    if there < 2:
        raise InputError(f"{dataset.root}: folds need labelled images of at least 2 groups, found {there}; label more images, "
                         "or name other groups")  # fmt: skip
    if not 2 <= folds <= there:
        raise InputError(f"{dataset.root}: {folds} folds of {there} groups: choose from 2 to {there}; more labelled images give more")
    place_of = {entry.name: place for place, entry in enumerate(dataset)}
    parts: list[Part] = []
    for number, (seen, held_out) in enumerate(split_into_folds(dataset, folds, seed=seed), 1):
        inside, outside = (tuple(sorted(place_of[entry.name] for entry in part)) for part in (seen, held_out))
        parts.append((f"without fold {number}", inside, outside))
    return [*parts, (ALL, tuple(range(len(dataset))), ())]


def _check_start(errors: Mapping[str, str], images: int, metric: str) -> None:
    """A search begins where the given recipe can be scored."""
    if lacking := [name for name, error in errors.items() if error == undefined(metric)]:
        raise InputError(f"{lacking[0]}: {undefined(metric)} for the recipe as it was given ({len(lacking)} of {images} images): leave "
                         "such images out, or choose another metric")  # fmt: skip
    if len(errors) == images:
        name, error = next(iter(errors.items()))
        raise InputError(f"the recipe as it was given fails on all {images} images; on {name}: {error}")


def _labelled(dataset: Dataset) -> Dataset:
    labelled = dataset.only([entry for entry in dataset if entry.truth is not None])
    if not len(labelled):
        raise InputError(f"{dataset.root}: no image has labels")
    if bare := len(dataset) - len(labelled):
        warn(f"{dataset.root}: {bare} of {len(dataset)} images have no labels and were left out of the search")
    outlined = labelled.only([entry for entry in labelled if not _has_boxes(entry)])
    if not len(outlined):
        raise InputError(
            f"{dataset.root}: the labels are boxes, which do not say which pixels are an object's; a search needs outlines or masks"
        )
    if boxed := len(labelled) - len(outlined):
        warn(
            f"{dataset.root}: {boxed} of {len(labelled)} images have objects of which only a box is known; they were left out of the search"
        )
    return outlined


def _has_boxes(entry: Entry) -> bool:
    return isinstance(entry.truth, Annotated) and any(item.form == "box" and not item.crowd for item in entry.truth.objects.items)
