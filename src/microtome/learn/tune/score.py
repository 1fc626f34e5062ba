"""One recipe on many images: a number an image. What was scored once is kept, in memory and in a file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from microtome.core.errors import InputError, MicrotomeError, RecipeError, did_you_mean
from microtome.core.events import collect_warnings
from microtome.core.result import Sample
from microtome.learn.data.dataset import Dataset
from microtome.learn.data.load import load
from microtome.run.executors.processes import Pool
from microtome.run.recipe import Recipe

__all__ = ["Scorer", "default_metric"]

_IN_MEMORY = 1 << 29
"""Bytes of images and labels that a worker keeps; larger sets are read anew for every recipe."""


def default_metric(kind: Literal["semantic", "instance"]) -> str:
    """What is searched for unless the user names another metric: ap_50 of objects, miou_image of classes."""
    return "ap_50" if kind == "instance" else "miou_image"


@dataclass(frozen=True, eq=False)
class _Order:
    """One recipe on one image, as a worker gets it."""

    dataset: Dataset
    place: int
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
        Images on which a recipe failed, with the last reason. Such an image scores 0.
    """

    def __init__(self, dataset: Dataset, metric: str, *, journal: Path | None = None, pool: Pool | None = None) -> None:
        self.dataset, self.metric, self.journal, self.pool = dataset, metric, journal, pool
        self.failed: dict[str, str] = {}
        self.computed = 0
        self._known: dict[tuple[str, int], float] = {}
        if journal is not None and journal.exists():
            self._recall(journal)

    def __call__(self, recipe: Recipe, places: Sequence[int]) -> list[float]:
        """The score of the images at these places."""
        document = json.dumps(recipe.document(), sort_keys=True)
        key = recipe.fingerprint()
        missing = [place for place in places if (key, place) not in self._known]
        found = self._score([_Order(self.dataset, place, document, self.metric) for place in missing])
        self._keep(key, missing, found)
        return [self._known[key, place] for place in places]

    def _score(self, orders: list[_Order]) -> list[tuple[float, str]]:
        self.computed += len(orders)
        if self.pool is None:
            return [_score_one(order) for order in orders]
        return [future.result() for future in [self.pool.submit(_score_one, order) for order in orders]]

    def _keep(self, key: str, places: Sequence[int], found: Sequence[tuple[float, str]]) -> None:
        names = [self.dataset.entries[place].name for place in places]
        for place, name, (score, error) in zip(places, names, found, strict=True):
            self._known[key, place] = score
            if error:
                self.failed[name] = error
        if self.journal is not None and places:
            lines = [
                json.dumps({"recipe": key, "image": name, "score": score, **({"error": error} if error else {})})
                for name, (score, error) in zip(names, found, strict=True)
            ]
            with self.journal.open("a", encoding="utf-8") as file:
                file.write("\n".join(lines) + "\n")

    def _recall(self, journal: Path) -> None:
        place_of = {entry.name: place for place, entry in enumerate(self.dataset.entries)}
        for line in journal.read_text(encoding="utf-8").splitlines():
            try:
                said: Mapping[str, Any] = json.loads(line)
                place = place_of.get(said["image"])
                if place is not None:
                    self._known[said["recipe"], place] = float(said["score"])
            except (ValueError, KeyError, TypeError):
                continue  # a line cut short by a crash: that image is scored again


def _score_one(order: _Order) -> tuple[float, str]:
    """The score of one image; a recipe that fails on it scores 0 there, with the reason."""
    from microtome.measure.metrics.evaluate import evaluate
    from microtome.run.pipeline import segment

    sample = _sample(order)
    with collect_warnings():
        try:
            mask = segment(sample.image, _recipe(order.document)).mask
        except MicrotomeError as error:
            return 0.0, str(error)
        scores = evaluate(mask, sample.truth, task=order.dataset.kind)
    if order.metric not in scores:
        raise RecipeError(f"no metric {order.metric!r} of a single image{did_you_mean(order.metric, scores)}")
    score = scores[order.metric]
    if score != score:
        raise InputError(f"{sample.name}: {order.metric} is not defined there; leave the image out or choose another metric")
    return float(score), ""


@lru_cache(maxsize=2)
def _recipe(document: str) -> Recipe:
    return Recipe.from_document({**json.loads(document), "measure": []})


_kept: dict[tuple[str, str], Sample] = {}
_size = [0]


def _sample(order: _Order) -> Sample:
    """An image with its labels: from memory where there is room for it."""
    entry = order.dataset.entries[order.place]
    key = (str(order.dataset.root.resolve()), entry.name)
    if key in _kept:
        return _kept[key]
    with collect_warnings():
        sample = load(order.dataset, entry)
    size = sample.image.pixels.nbytes + sample.truth.pixels.nbytes
    if _size[0] + size <= _IN_MEMORY:
        _kept[key] = sample
        _size[0] += size
    return sample
