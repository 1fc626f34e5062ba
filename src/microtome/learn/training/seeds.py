"""The same training with several seeds: how far a score moves by chance alone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from microtome.core.errors import InputError, RecipeError
from microtome.core.result import Sample
from microtome.io.whole import whole_file
from microtome.learn.data.dataset import Dataset
from microtome.learn.training.events import Event, Finished
from microtome.learn.training.recipe import TrainingRecipe
from microtome.learn.training.run_folder import SPLIT, read_history
from microtome.learn.training.several import Follow, OfPart, as_first, begin_folder, begun_from, ended, like, metric_of, one_of_several

__all__ = ["SEEDS", "Spread", "stored_seeds", "train_seeds"]

SEEDS = "seeds.json"


@dataclass(frozen=True)
class Spread:
    """How the runs scored.

    Attributes
    ----------
    metric : str
        The deciding one.
    scores : mapping of int to float
        By seed, on the same held-out images.
    mean, least, greatest : float
    path : Path
        Where it is written down.
    """

    metric: str
    scores: Mapping[int, float]
    mean: float
    least: float
    greatest: float
    path: Path


def train_seeds(
    data: Dataset | Iterable[Sample],
    *,
    out: str | Path,
    count: int,
    recipe: TrainingRecipe | Mapping[str, Any] | None = None,
    held: Dataset | Iterable[Sample] | None = None,
    start: str | Path | None = None,
    resume: bool = False,
    allow_dropped: bool = False,
    stop: Callable[[], bool] = lambda: False,
    follow: Follow = lambda folder, events: events,
) -> Iterator[OfPart | Spread]:
    """Train `count` times with nothing different but the seed.

    Parameters
    ----------
    data, recipe, held, start, allow_dropped, stop
        As for `microtome.learn.training.train.train`. A budget is that of each run.
    out : path
        Each run has a folder in it, ``seed-0`` and so on; ``seeds.json`` is what came of all.
    count : int
        The first seed is the recipe's, the others follow it.
    resume : bool
        Go on: finished runs are left as they are. With a greater `count` further seeds are added.
    follow : function
        What else becomes of each run's events; they are recorded in its folder anyway.

    Yields
    ------
    OfPart or Spread
        The events of each run, then what came of all. Nothing comes after a run that was asked to stop.

    Raises
    ------
    RecipeError
        If there are fewer than two.
    InputError
        If `out` holds runs already, or none to go on with. All errors of `train`.

    Notes
    -----
    All runs hold out the same images: those of the first. So the spread is that of first weights, of windows and of what is done to them;
    how far a score would move with other images, folds say (`microtome.learn.training.folds`). A time becomes a number of steps once, in
    the first run, and the others take as many.
    """
    if count < 2:
        raise RecipeError(f"seeds: found {count}, expected 2 or more; for one, set the recipe's seed")
    if isinstance(recipe, Mapping):
        recipe = TrainingRecipe.from_document(recipe)
    folder = Path(out)
    begin_folder(folder, folder / SEEDS, resume=resume)
    stored = _stored(folder / SEEDS) if resume else None
    known = TrainingRecipe.from_document(stored["recipe"], str(folder / SEEDS)) if stored else recipe or TrainingRecipe()
    model = begun_from(stored, start, folder / SEEDS)
    _write(folder / SEEDS, count, known, {"from": model})
    return _train_seeds(_kept(data), folder, range(known.seed, known.seed + count), known, None if held is None else _kept(held), model,
                        allow_dropped=allow_dropped, stop=stop, follow=follow)  # fmt: skip


def _kept(data: Dataset | Iterable[Sample]) -> Dataset | list[Sample]:
    """What can be gone through several times."""
    return data if isinstance(data, Dataset) else list(data)


def _train_seeds(
    data: Dataset | list[Sample],
    out: Path,
    seeds: range,
    recipe: TrainingRecipe,
    held: Dataset | list[Sample] | None,
    start: str | None,
    *,
    allow_dropped: bool,
    stop: Callable[[], bool],
    follow: Follow,
) -> Iterator[OfPart | Spread]:
    from microtome.learn.training.train import train

    first = out / f"seed-{seeds[0]}"
    done: dict[int, Finished] = {}
    for number, seed in enumerate(seeds, 1):
        folder = out / f"seed-{seed}"

        def begin(resume: bool, folder: Path = folder, seed: int = seed) -> Iterator[Event]:
            own = recipe if folder == first else like(first, seed=seed)
            if folder != first:
                _copy_split(first, folder)
            events = train(data, out=folder, recipe=own, held=held, start=start, resume=resume, allow_dropped=allow_dropped, stop=stop)
            return events if folder == first else as_first(first, events)

        yield from one_of_several(f"seed {seed}, {number} of {len(seeds)}", folder, begin, follow)
        finished = ended(folder)
        if finished is None:
            return
        done[seed] = finished
    scores = {seed: one.score for seed, one in done.items()}
    metric = metric_of(read_history(first).document)
    spread = Spread(metric, scores, sum(scores.values()) / len(scores), min(scores.values()), max(scores.values()), out / SEEDS)
    _write(out / SEEDS, len(seeds), recipe, {
        "from": start, "metric": metric, "mean": spread.mean, "least": spread.least, "greatest": spread.greatest,
        "runs": [{"seed": seed, "score": one.score, "step": one.step, "seconds": round(one.seconds, 1),
                  "model": one.bundle.relative_to(out).as_posix()} for seed, one in done.items()],
    })  # fmt: skip
    yield spread


def _copy_split(first: Path, folder: Path) -> None:
    if (first / SPLIT).exists() and not (folder / SPLIT).exists():
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(first / SPLIT, folder / SPLIT)


def stored_seeds(out: Path) -> int | None:
    """How many seeds were begun in a folder; None where none were."""
    return int(_stored(out / SEEDS)["count"]) if (out / SEEDS).exists() else None


def _write(path: Path, count: int, recipe: TrainingRecipe, found: Mapping[str, Any]) -> None:
    document = {"microtome": "seeds", "count": count, "recipe": recipe.document(), **found}
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _stored(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: is damaged ({error}); begin anew in another folder") from None
    if not isinstance(found, dict) or found.get("microtome") != "seeds" or not {"count", "recipe"} <= set(found):
        raise InputError(f"{path}: was not written by a training with several seeds")
    return found
