"""Cross-validation: a training for each fold, every image judged by the model that did not see it, and all models as one."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from microtome.core.errors import InputError, RecipeError
from microtome.core.events import collect_warnings, warn
from microtome.core.result import Sample
from microtome.io.whole import whole_file
from microtome.learn.data.dataset import Dataset, Entry, ObjectFiles
from microtome.learn.data.split import folds
from microtome.learn.training.events import Event, Warned
from microtome.learn.training.recipe import TrainingRecipe
from microtome.learn.training.run_folder import read_history
from microtome.learn.training.several import Follow, OfPart, as_first, begin_folder, begun_from, ended, like, metric_of, one_of_several
from microtome.learn.training.start import Start

if TYPE_CHECKING:
    from microtome.learn.training.pooled import Pooled

__all__ = ["FOLDS", "Folded", "stored_folds", "train_folds"]

FOLDS, DEALT = "folds.json", "folds.csv"


@dataclass(frozen=True)
class Folded:
    """What came of all folds.

    Attributes
    ----------
    pooled : Pooled
        Every image judged by the model that did not see it.
    scores : tuple of float
        Each fold's own, of its run.
    images : tuple of int
        In each fold.
    bundle : Path
        All models as one.
    path : Path
        Where all this is written down.
    """

    pooled: Pooled
    scores: tuple[float, ...]
    images: tuple[int, ...]
    bundle: Path
    path: Path


def train_folds(
    data: Dataset | Iterable[Sample],
    *,
    out: str | Path,
    k: int = 5,
    recipe: TrainingRecipe | Mapping[str, Any] | None = None,
    start: str | Path | None = None,
    resume: bool = False,
    allow_dropped: bool = False,
    stop: Callable[[], bool] = lambda: False,
    follow: Follow = lambda folder, events: events,
) -> Iterator[OfPart | Folded]:
    """Train on all folds but one, `k` times, and judge each image by the model that did not see it.

    Parameters
    ----------
    data : Dataset or iterable of Sample
        Of data with splits of its own, ``train`` and ``val`` are divided anew; anything else is left alone.
    out : path
        Each run has a folder in it, ``fold-1`` and so on; ``folds.csv`` says which image is in which fold, ``folds.json`` what came of
        all, and ``model.zip`` is all models as one.
    k : int
        Folds. Groups stay together (`microtome.learn.data.split.folds`).
    recipe, start, allow_dropped, stop
        As for `microtome.learn.training.train.train`. A budget is that of each run.
    resume : bool
        Go on: finished folds are left as they are.
    follow : function
        What else becomes of each run's events; they are recorded in its folder anyway.

    Yields
    ------
    OfPart or Folded
        The events of each run, then what came of all. Nothing comes after a run that was asked to stop.

    Raises
    ------
    RecipeError
        If there are fewer than two folds.
    InputError
        If there are fewer groups than folds, `out` holds runs already or none to go on with, or the data is another than it was when
        the folds were dealt. All errors of `train`.

    Notes
    -----
    What is settled from the data is settled in the first fold and holds for all, so that their networks can be one model: its scores are
    the mean of theirs. Its decoding is fitted to the scores that every image got from the network that did not see it, all together,
    and the pooled result is what these settings make of these scores. Two things make it a little better than it would be on new images:
    those few settings, and that each fold's images chose its network's step.
    """
    if k < 2:
        raise RecipeError(f"folds: found {k}, expected 2 or more")
    if isinstance(recipe, Mapping):
        recipe = TrainingRecipe.from_document(recipe)
    folder = Path(out)
    stored = _stored(folder / FOLDS) if resume and (folder / FOLDS).exists() else None
    if stored is not None and stored["k"] != k:
        raise InputError(f"{folder}: was begun with {stored['k']} folds, not {k}; go on with as many, or begin in another folder")
    known = TrainingRecipe.from_document(stored["recipe"], str(folder / FOLDS)) if stored else recipe or TrainingRecipe()
    model = begun_from(stored, start, folder / FOLDS)
    if model is not None and stored is None:
        known = Start.of(model).channelled(known)
    whole = _Whole.of(data, known.channel)
    parts = folds(whole.dataset, k, seed=known.seed)
    begin_folder(folder, folder / FOLDS, resume=resume)
    _deal(folder / DEALT, [held for _, held in parts])
    _write(folder / FOLDS, k, known, {"from": model})
    return _train_folds(whole, parts, folder, known, model, allow_dropped=allow_dropped, stop=stop, follow=follow)


def _train_folds(
    whole: _Whole,
    parts: Sequence[tuple[Dataset, Dataset]],
    out: Path,
    recipe: TrainingRecipe,
    start: str | None,
    *,
    allow_dropped: bool,
    stop: Callable[[], bool],
    follow: Follow,
) -> Iterator[OfPart | Folded]:
    from microtome.learn.training.memory import room_for_images
    from microtome.learn.training.pooled import pooled, write_ensemble
    from microtome.learn.training.samples import Samples
    from microtome.learn.training.train import train

    folders = [out / f"fold-{number}" for number in range(1, len(parts) + 1)]
    whole = whole.with_classes()
    for number, (folder, (learned, held)) in enumerate(zip(folders, parts, strict=True), 1):

        def begin(resume: bool, folder: Path = folder, learned: Dataset = learned, held: Dataset = held) -> Iterator[Event]:
            own = recipe if folder == folders[0] else like(folders[0])
            events = train(whole.part(learned), held=whole.part(held), out=folder, recipe=own, start=start, resume=resume,
                           allow_dropped=allow_dropped, stop=stop)  # fmt: skip
            return events if folder == folders[0] else as_first(folders[0], events)

        yield from one_of_several(f"fold {number} of {len(parts)}", folder, begin, follow)
        if ended(folder) is None:
            return
    room = room_for_images(recipe.memory)
    judged = [Samples(whole.part_of_files(held), whole.read, room, in_memory=whole.given is not None) for _, held in parts]
    metric = metric_of(read_history(folders[0]).document)
    with collect_warnings() as said:
        found = pooled([folder / "model.zip" for folder in folders], judged, metric, classes=whole.dataset.classes, stop=stop)
    yield from (OfPart("all folds", out, Warned(message)) for message in dict.fromkeys(said))
    if found is None:
        return
    bundle = write_ensemble(out / "model.zip", [folder / "model.zip" for folder in folders], found)
    scores = [one.score for folder in folders if (one := ended(folder)) is not None]
    folded = Folded(found, tuple(scores), tuple(map(len, judged)), bundle, out / FOLDS)
    _write(out / FOLDS, len(parts), recipe, {"from": start, **_document(folded, folders)})
    yield folded


def _document(folded: Folded, folders: Sequence[Path]) -> dict[str, Any]:
    found = folded.pooled
    return {
        "metric": found.metric, "pooled": found.scores[found.metric]._asdict(), "groups": found.look.groups,
        "scores": {key: interval._asdict() for key, interval in found.scores.items()},
        "decoding": dict(found.settings),
        "folds": [{"folder": folder.name, "images": images, "score": score}
                  for folder, images, score in zip(folders, folded.images, folded.scores, strict=True)],
        "images": [one.__dict__ for one in found.images],
        "model": folded.bundle.name,
    }  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Whole:
    """All labelled images that are divided: files, or samples in memory by their names."""

    dataset: Dataset
    read: Callable[[Dataset, Entry], Sample]
    given: Mapping[str, Sample] | None

    @classmethod
    def of(cls, data: Dataset | Iterable[Sample], channel: str | int | None) -> _Whole:
        from microtome.learn.training.source import entries_of

        data = data if isinstance(data, Dataset) else list(data)
        read, dataset = entries_of(data, channel)
        given = None if isinstance(data, Dataset) else dict(zip((entry.name for entry in dataset), data, strict=True))
        there = [entry for entry in dataset if (given is not None or entry.truth is not None) and entry.split in ("", "train", "val")]
        if others := sorted(set(dataset.splits) - {"train", "val"}):
            warn(f"{', '.join(others)} is not looked at: what is left is divided into folds")
        if not there:
            raise InputError("there is no labelled image to learn from")
        return cls(dataset.only([replace(entry, split="") for entry in there]), read, given)

    def part(self, part: Dataset) -> Dataset | list[Sample]:
        """What `train` takes."""
        if self.given is None:
            return self.part_of_files(part)
        return [replace(self.given[entry.name], name=entry.name) for entry in part]

    def part_of_files(self, part: Dataset) -> Dataset:
        """The entries of a part, with the classes of all."""
        return replace(part, classes=self.dataset.classes)

    def with_classes(self) -> _Whole:
        """With the classes of all labels: a fold may lack some, and networks of different classes are not one model."""
        from microtome.learn.training.look import look_at

        dataset = self.dataset
        known = any(entry.role != "ignore" for entry in dataset.classes) and self.given is None
        if dataset.kind == "instance" or known or any(isinstance(entry.truth, ObjectFiles) for entry in dataset):
            return self
        table = look_at(sample for entry in dataset if (sample := self._readable(entry)) is not None).classes
        given = self.given and {name: replace(one, truth=replace(one.truth, classes=table)) for name, one in self.given.items()}
        return _Whole(replace(dataset, classes=table), self.read, given)

    def _readable(self, entry: Entry) -> Sample | None:
        """None for what cannot be read; each fold says so."""
        try:
            return self.read(self.dataset, entry)
        except InputError:
            return None


def _deal(path: Path, held: Sequence[Dataset]) -> None:
    """Write down which image is in which fold; where that is written already, it must be the same."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("name", "group", "fold"))
    for number, part in enumerate(held, 1):
        writer.writerows((entry.name, entry.group, number) for entry in part)
    if not path.exists():
        with whole_file(path) as temporary:
            temporary.write_text(text.getvalue(), encoding="utf-8", newline="")
    elif path.read_text(encoding="utf-8") != text.getvalue():
        raise InputError(f"{path}: the images or their groups are not those that were divided when this was begun; "
                         "put them back, or begin anew in another folder")  # fmt: skip


def stored_folds(out: Path) -> int | None:
    """How many folds were begun in a folder; None where none were."""
    return int(_stored(out / FOLDS)["k"]) if (out / FOLDS).exists() else None


def _write(path: Path, k: int, recipe: TrainingRecipe, found: Mapping[str, Any]) -> None:
    document = {"microtome": "folds", "k": k, "recipe": recipe.document(), **found}
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _stored(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: is damaged ({error}); begin anew in another folder") from None
    if not isinstance(found, dict) or found.get("microtome") != "folds" or not {"k", "recipe"} <= set(found):
        raise InputError(f"{path}: was not written by a training in folds")
    return found
