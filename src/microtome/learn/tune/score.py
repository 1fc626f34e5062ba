"""One recipe on many images: a number an image. What was scored once is kept, in memory and in a file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from secrets import token_hex
from typing import Any, Literal

from microtome.core.errors import MicrotomeError, RecipeError, RunError
from microtome.core.events import collect_warnings
from microtome.core.result import Sample
from microtome.learn.data.dataset import Dataset
from microtome.learn.data.load import load
from microtome.run.executors.processes import Pool
from microtome.run.recipe import Recipe

__all__ = ["Scorer", "check_metric", "default_metric", "undefined"]

_IN_MEMORY = 1 << 29
"""Bytes of images and labels that a worker keeps; larger sets are read anew for every recipe."""

_AT_ONCE = 64  # images that are handed to workers at a time


def default_metric(kind: Literal["semantic", "instance"]) -> str:
    """What is searched for unless the user names another metric: ap_50 of objects, miou_image of classes."""
    return "ap_50" if kind == "instance" else "miou_image"


def check_metric(metric: str, kind: Literal["semantic", "instance"]) -> None:
    """See that a metric can be searched for.

    Raises
    ------
    RecipeError
        If it is no metric of such labels, several, one where more is not better, or one that masks do not have.
    """
    from microtome.measure.metrics.definitions import choose, find

    keys = choose(metric, kind)
    if keys != (metric,):
        raise RecipeError(f"metric {metric!r} stands for {', '.join(keys)}: a search needs one of them")
    found = find(metric, task=kind)
    if found.better != "higher":
        better = "lower" if found.better == "lower" else "nearer to 0"
        raise RecipeError(
            f"metric {metric}: {better} is better, and a search looks for the highest; take one such as {default_metric(kind)}"
        )
    if found.family in ("ranked", "scores"):
        raise RecipeError(
            f"metric {metric}: needs scores or probabilities, and recipes give masks; take one such as {default_metric(kind)}"
        )


@dataclass(frozen=True, eq=False)
class _Order:
    """One recipe on one image, as a worker gets it."""

    dataset: Dataset
    search: str
    document: str
    metric: str


class Scorer:
    """Scores recipes on a data set's images and keeps what it found.

    Parameters
    ----------
    dataset : Dataset
        Entries without labels must be left out before.
    metric : str
        A key of `microtome.evaluate` for a single image.
    journal : Path or None
        A file of lines ``{"recipe": ..., "image": ..., "score": ...}`` to go on with.
    pool : Pool or None
        Worker processes; None scores in this process.

    Attributes
    ----------
    failed : dict of str to str
        Images on which a recipe failed, or its score does not exist, with the last reason. Such an image scores 0.
    """

    def __init__(self, dataset: Dataset, metric: str, *, journal: Path | None = None, pool: Pool | None = None) -> None:
        self.dataset, self.metric, self.journal, self.pool = dataset, metric, journal, pool
        self.failed: dict[str, str] = {}
        self._known: dict[tuple[str, int], float] = {}
        self._errors: dict[tuple[str, int], str] = {}
        self._search = token_hex(8)
        self._alone = [dataset.only([entry]) for entry in dataset]  # a worker gets one image's labels, not those of all
        if journal is not None and journal.exists():
            self._recall(journal)

    def __call__(self, recipe: Recipe, places: Sequence[int]) -> list[float]:
        """The score of the images at these places."""
        document = json.dumps(recipe.document(), sort_keys=True)
        key = recipe.fingerprint()
        missing = [place for place in places if (key, place) not in self._known]
        for first in range(0, len(missing), _AT_ONCE):
            some = missing[first : first + _AT_ONCE]
            orders = [_Order(self._alone[place], self._search, document, self.metric) for place in some]
            for place, (score, error) in zip(some, self._score(orders), strict=True):
                self._keep(key, place, score, error)
        for place in places:
            if (key, place) in self._errors:
                self.failed[self.dataset.entries[place].name] = self._errors[key, place]
        return [self._known[key, place] for place in places]

    def errors(self, recipe: Recipe) -> dict[str, str]:
        """The images on which a recipe that was scored failed, with the reason."""
        key = recipe.fingerprint()
        return {self.dataset.entries[place].name: error for (one, place), error in self._errors.items() if one == key}

    def _score(self, orders: Sequence[_Order]) -> Iterator[tuple[float, str]]:
        if self.pool is None:
            yield from map(_score_one, orders)
            return
        waiting = [self.pool.submit(_score_one, order) for order in orders]
        try:
            for future in waiting:
                yield future.result()
        except BrokenProcessPool:
            raise RunError("a worker process was killed, most likely by the system for want of memory; go on (--resume) with fewer workers "
                           "(--workers 1)") from None  # fmt: skip

    def _keep(self, key: str, place: int, score: float, error: str) -> None:
        self._note(key, place, score, error)
        if self.journal is not None:
            line = {"recipe": key, "image": self.dataset.entries[place].name, "score": score, **({"error": error} if error else {})}
            with self.journal.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")

    def _note(self, key: str, place: int, score: float, error: str) -> None:
        self._known[key, place] = score
        if error:
            self._errors[key, place] = error

    def _recall(self, journal: Path) -> None:
        place_of = {entry.name: place for place, entry in enumerate(self.dataset.entries)}
        text = journal.read_text(encoding="utf-8", errors="replace")
        for line in text.splitlines():
            try:
                said: Mapping[str, Any] = json.loads(line)
                place = place_of.get(said["image"])
                if place is not None:
                    self._note(said["recipe"], place, float(said["score"]), str(said.get("error", "")))
            except (ValueError, KeyError, TypeError, AttributeError):
                continue  # a line cut short by a crash: that image is scored again
        if text and not text.endswith("\n"):
            with journal.open("a", encoding="utf-8") as file:
                file.write("\n")


def _score_one(order: _Order) -> tuple[float, str]:
    """The score of one image; a recipe that fails on it, or has no score there, scores 0, with the reason."""
    from microtome.measure.metrics.evaluate import evaluate
    from microtome.run.pipeline import segment

    sample = _sample(order)
    with collect_warnings():
        try:
            mask = segment(sample.image, _recipe(order.document)).mask
        except MicrotomeError as error:
            return 0.0, str(error)
        score = evaluate(mask, sample.truth, task=order.dataset.kind, metrics=[order.metric]).get(order.metric, float("nan"))
    return (0.0, undefined(order.metric)) if score != score else (float(score), "")


def undefined(metric: str) -> str:
    """What is told of an image on which a metric does not exist."""
    return f"{metric} does not exist there"


@lru_cache(maxsize=2)
def _recipe(document: str) -> Recipe:
    return Recipe.from_document({**json.loads(document), "measure": []})


@dataclass
class _Memory:
    """What a process keeps of one search's images."""

    search: str = ""
    size: int = 0


_kept: dict[str, Sample] = {}
_memory = _Memory()


def _sample(order: _Order) -> Sample:
    """An image with its labels: from memory where there is room for it. Another search has other images, though they be called the same."""
    if _memory.search != order.search:
        _kept.clear()
        _memory.search, _memory.size = order.search, 0
    entry = order.dataset.entries[0]
    if entry.name in _kept:
        return _kept[entry.name]
    with collect_warnings():
        sample = load(order.dataset, entry)
    size = sample.image.pixels.nbytes + sample.truth.pixels.nbytes
    if _memory.size + size <= _IN_MEMORY:
        _kept[entry.name] = sample
        _memory.size += size
    return sample
