"""All images of a data set, each judged by a model that never saw it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from microtome.core.errors import InputError
from microtome.core.events import warn
from microtome.core.raster import InstanceMap, SemanticMap
from microtome.core.result import Sample
from microtome.learn.data.dataset import Dataset, Entry
from microtome.learn.data.load import load
from microtome.learn.noisy.folds import Fold
from microtome.learn.noisy.rank import KINDS, Doubt, doubts, image_doubt

__all__ = ["LIKELY", "PREDICTED", "Judged", "count_judged", "judge", "ranked"]

LIKELY = 0.4
"""The disagreement from which on a doubt is counted in an image's row."""

PREDICTED = "predicted"
"""The folder of predictions: a mask that is better than the label can be taken from there."""

Mask = SemanticMap | InstanceMap


@dataclass(frozen=True, eq=False)
class Judged:
    """An image with its doubts.

    Attributes
    ----------
    entry : Entry
    fold : str
        Whose model judged it.
    disagreement : float
        See `image_doubt`.
    rows : tuple of Doubt
        Greatest disagreement first.
    predicted : Path
        The prediction's file.
    """

    entry: Entry
    fold: str
    disagreement: float
    rows: tuple[Doubt, ...]
    predicted: Path

    @property
    def likely(self) -> dict[str, int]:
        """How many doubts of each kind are from `LIKELY` up."""
        counts = Counter(row.kind for row in self.rows if row.disagreement >= LIKELY)
        return {kind: counts[kind] for kind in KINDS}


def count_judged(dataset: Dataset, folds: Sequence[Fold]) -> int:
    """How many images `judge` will go through.

    Raises
    ------
    InputError
        If no labelled image of the data set was held out by any fold.
    """
    count = len(_work(dataset, folds))
    if not count:
        names = ", ".join(name for fold in folds[:1] for name in fold.held[:3])
        raise InputError(f"{dataset.root}: none of its labelled images was held out by these models, which held out {names} and others; "
                         "name the data that they were trained on")  # fmt: skip
    return count


def judge(dataset: Dataset, folds: Sequence[Fold], out: Path) -> Iterator[Judged]:
    """Segment each image by the model that never saw it, compare it with its labels, and keep the prediction in ``OUT/predicted``.

    Parameters
    ----------
    dataset : Dataset
        That the models were trained on.
    folds : sequence of Fold
    out : Path

    Yields
    ------
    Judged
        In the order of the data set. An image that cannot be read or segmented is left out, which is told.

    Raises
    ------
    RunError
        If the disk refuses.
    """
    work = _work(dataset, folds)
    left = sum(entry.truth is not None for entry in dataset) - len(work)
    if left:
        warn(f"{left} labelled images were held out by none of the models and are not judged")
    for entry, fold in work:
        try:
            yield _judged(dataset, entry, fold, out)
        except InputError as error:
            warn(f"{entry.name}: not judged: {error}")


def ranked(judged: Sequence[Judged]) -> list[Judged]:
    """The images, greatest disagreement first."""
    return sorted(judged, key=lambda one: (-one.disagreement, one.entry.name))


def _work(dataset: Dataset, folds: Sequence[Fold]) -> list[tuple[Entry, Fold]]:
    by = {name: fold for fold in folds for name in fold.held}
    return [(entry, by[entry.name]) for entry in dataset if entry.truth is not None and entry.name in by]


def _judged(dataset: Dataset, entry: Entry, fold: Fold, out: Path) -> Judged:
    from microtome.io.masks import write_mask
    from microtome.run.engines.choose import settle
    from microtome.run.execute import execute
    from microtome.run.graph import plan

    sample = seen_by(fold, load(dataset, entry))
    recipe, _ = settle(fold.bundle.recipe, None)
    result = execute(plan(recipe), sample.image, name=entry.name, scores=True)
    rows = doubts(result.mask, sample.truth, next(reversed(list(result.scores.values())), None))
    family = "png" if sample.image.ndim == 2 else "tiff"
    path = write_mask(result.mask, out / PREDICTED / safe(entry.name), family=family)  # type: ignore[arg-type]
    return Judged(entry, fold.name, round(image_doubt(rows), 6), tuple(rows), path)


def seen_by(fold: Fold, sample: Sample) -> Sample:
    """The sample with the channel that a fold's model was trained on."""
    return sample if fold.channel is None else replace(sample, image=sample.image.channel(fold.channel))


def safe(name: str) -> PurePosixPath:
    """A name as a path that cannot lead out of its folder."""
    parts = [part for part in name.replace("\\", "/").replace(":", "_").split("/") if part not in ("", ".", "..")]
    return PurePosixPath(*(parts or ["image"]))
