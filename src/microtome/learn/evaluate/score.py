"""Each pair scored, in worker processes or one at a time; what is pooled over the set, and what was left out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from microtome.core.classes import ClassTable
from microtome.core.errors import InputError, MicrotomeError, RunError
from microtome.core.events import collect_warnings
from microtome.core.raster import InstanceMap, ScoreMap, SemanticMap
from microtome.learn.evaluate.errors import Fates, Where, box_fates, fates, where_errors_lie
from microtome.learn.evaluate.pairs import Labels, Pair, Pairs, Source, Task, load_labels
from microtome.measure.metrics.definitions import choose
from microtome.measure.metrics.evaluate import left_out, pool, score
from microtome.measure.metrics.pair import Score
from microtome.measure.metrics.pair_boxes import boxed

__all__ = ["Evaluation", "Order", "Scored", "evaluate_pairs", "left_out", "pool", "score"]

FEW = 24
BAND = 3


@dataclass(frozen=True)
class Order:
    """What is asked of every pair.

    Attributes
    ----------
    task : {"semantic", "instance", "boxes"}
    metrics : tuple of str
        Keys, as `choose` gives them.
    ignore : int or None
    spacing : str or None
    classes : ClassTable
        Of the truth, where its files do not say.
    """

    task: Task
    metrics: tuple[str, ...]
    ignore: int | None = None
    spacing: str | None = None
    classes: ClassTable = field(default_factory=lambda: ClassTable(()))


@dataclass(frozen=True, eq=False)
class Scored:
    """One pair, scored.

    Attributes
    ----------
    name, group : str
    score : Score or None
        None: it failed.
    against : Score or None
        The other result's, when two are compared.
    fates : Fates or None
        What became of the objects.
    where : Where or None
        Where wrong pixels lie, for classes.
    classes : ClassTable
        What class values mean.
    warnings : tuple of str
    error : str
        Why it failed; empty where it did not.
    """

    name: str
    group: str
    score: Score | None = None
    against: Score | None = None
    fates: Fates | None = None
    where: Where | None = None
    classes: ClassTable = field(default_factory=lambda: ClassTable(()))
    warnings: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A set, scored.

    Attributes
    ----------
    order : Order
    pairs : Pairs
    scored : tuple of Scored
        Those that could be scored, by name.
    failures : dict of str to str
        Why the others could not, by name.
    notes : tuple of str
        What was assumed, left out or cannot be told; each once.
    """

    order: Order
    pairs: Pairs
    scored: tuple[Scored, ...]
    failures: dict[str, str]
    notes: tuple[str, ...]

    @property
    def scores(self) -> list[Score]:
        """Each image's score."""
        return [one.score for one in self.scored if one.score is not None]

    @property
    def others(self) -> list[Score]:
        """Each image's score of the other result; empty where there is none."""
        return [one.against for one in self.scored if one.against is not None]

    @property
    def groups(self) -> list[str]:
        """The group of each image; one without is a group of its own, by its name."""
        return [one.group or one.name for one in self.scored]

    @property
    def classes(self) -> ClassTable:
        """What class values mean: of the data set, or else of the truth's files."""
        tables = [self.pairs.classes, *(one.classes for one in self.scored)]
        return max(tables, key=len, default=ClassTable(()))

    def values(self) -> dict[str, float]:
        """The keys of the whole set; empty without a scored pair."""
        return pool(self.scores) if self.scored else {}


def evaluate_pairs(
    pairs: Pairs, *, task: Task, metrics: str | Iterable[str] = "default", ignore: int | None = None, spacing: str | None = None,
    workers: int | None = None, seen: Callable[[Scored], None] | None = None,
) -> Evaluation:  # fmt: skip
    """Score a set of pairs; one that cannot be read or compared fails by name, and the others go on.

    Parameters
    ----------
    pairs : Pairs
    task, metrics, ignore, spacing
        As in `microtome.evaluate`.
    workers : int, optional
        Worker processes; by default one a core for more than a few pairs. The numbers are the same.
    seen : callable, optional
        Called with each pair when it is scored, in any order.

    Raises
    ------
    RecipeError
        If a metric or the task is not known.
    """
    order = Order(task, choose(metrics, task), ignore, spacing, pairs.classes)
    done: dict[str, Scored] = {}
    for one in _work(order, pairs.pairs, workers):
        done[one.name] = one
        if seen is not None:
            seen(one)
    results = [done[pair.name] for pair in pairs.pairs]
    scored = tuple(one for one in results if one.score is not None)
    failures = {one.name: one.error for one in results if one.score is None}
    return Evaluation(order, pairs, scored, failures, tuple(_notes(pairs, scored)))


def _work(order: Order, pairs: Sequence[Pair], workers: int | None) -> Iterator[Scored]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    workers = (cores if len(pairs) > FEW else 1) if workers is None else workers
    if workers < 2 or len(pairs) < 2:
        yield from (score_pair(order, pair) for pair in pairs)
        return
    from microtome.run.executors.processes import processes

    work = partial(score_pair, order)
    for _, one in processes(work, pairs, workers=min(workers, len(pairs)), failed=_could_not):
        yield one


def _could_not(pair: Pair, error: RunError) -> Scored:
    return Scored(pair.name, pair.group, error=str(error))


def score_pair(order: Order, pair: Pair) -> Scored:
    """Read and compare one pair; whatever is wrong with it is told in the result."""
    with collect_warnings() as said:
        try:
            return _score_pair(order, pair, said)
        except MicrotomeError as error:
            return Scored(pair.name, pair.group, error=str(error), warnings=tuple(said))


def _score_pair(order: Order, pair: Pair, said: list[str]) -> Scored:
    truth = load_labels(pair.truth, order.task, classes=order.classes, truth=True)
    mine = _compared(order, pair, pair.pred, truth)
    found = _score(order, mine, truth)
    other = None
    if pair.against is not None:
        other = _score(order, _compared(order, pair, pair.against, truth), truth)
    return Scored(
        pair.name,
        pair.group,
        found,
        other,
        fates=fates_of(order.task, mine, truth),
        where=_where(order, mine, truth),
        classes=ClassTable(()) if isinstance(truth, ScoreMap) else truth.classes,
        warnings=tuple(said),
    )


def fates_of(task: Task, pred: Labels, truth: Labels) -> Fates | None:
    """What became of the objects; None where classes are compared."""
    if task == "boxes":
        with collect_warnings():  # the score has told what was left out
            return box_fates(boxed(pred, "prediction"), boxed(truth, "truth"))
    return fates(pred, truth) if task == "instance" and isinstance(pred, InstanceMap) and isinstance(truth, InstanceMap) else None


def _compared(order: Order, pair: Pair, source: Source | None, truth: Labels) -> Labels:
    if source is None:
        raise InputError(f"no prediction for {_file_name(pair)}; every true mask must have one, or the score would flatter")
    labels = load_labels(source, order.task)
    if labels.shape != truth.shape:
        raise InputError(f"the prediction is {labels.shape}, the truth {truth.shape}; they must be of one size")
    return labels


def _file_name(pair: Pair) -> str:
    return pair.truth.file.name if pair.truth.file is not None else pair.name


def _score(order: Order, pred: Labels, truth: Labels) -> Score:
    return score(pred, truth, task=order.task, metrics=order.metrics, ignore=order.ignore, spacing=order.spacing)


def _where(order: Order, pred: Labels, truth: Labels) -> Where | None:
    if not isinstance(truth, SemanticMap) or not isinstance(pred, SemanticMap) or order.task != "semantic":
        return None
    ignored = (*truth.classes.values("ignore"), *([order.ignore] if order.ignore is not None else []))
    return where_errors_lie(pred.pixels, truth.pixels, ignore=ignored, band=BAND)


def _notes(pairs: Pairs, scored: Sequence[Scored]) -> list[str]:
    """What was said, each once; a note of many images with their number."""
    notes = list(pairs.notes)
    said: dict[str, list[str]] = {}
    for one in scored:
        for message in dict.fromkeys(one.warnings):
            said.setdefault(message, []).append(one.name)
    for message, names in said.items():
        notes.append(message if len(scored) == 1 else f"{message} ({len(names)} of {len(scored)} images, the first is {names[0]})")
    for key, count in left_out([one.score for one in scored if one.score is not None]).items():
        notes.append(f"{key}: left out of the mean: {count} of {len(scored)} images, it does not exist for them")
    return notes
