"""``microtome train --folds`` and ``--seeds``: several runs in the terminal, and the table at their end."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from microtome.app.cli.train_progress import Screen, time_words
from microtome.core.errors import RecipeError

if TYPE_CHECKING:
    from microtome.learn.training.events import Event
    from microtome.learn.training.folds import Folded
    from microtome.learn.training.seeds import Spread
    from microtome.learn.training.several import OfPart

__all__ = ["begun", "show_several", "train_several"]

Told = Iterator["OfPart | Folded | Spread"]


def begun(out: Path) -> tuple[int | None, int | None]:
    """How many folds, and how many seeds, were begun in a folder."""
    from microtome.learn.training.folds import stored_folds
    from microtome.learn.training.seeds import stored_seeds

    return stored_folds(out), stored_seeds(out)


def train_several(
    data: Any, *, folds: int | None, seeds: int | None, out: Path, held: Any, tensorboard: bool, quiet: bool, as_json: bool, **options: Any
) -> bool:
    """Train several times and show it; whether all came to an end.

    Raises
    ------
    RecipeError
        If the options do not go together.
    """
    from microtome.learn.training.folds import train_folds
    from microtome.learn.training.seeds import train_seeds

    if folds is not None and seeds is not None:
        raise RecipeError("--folds and --seeds are two questions; ask one at a time, each in a folder of its own")
    if folds is not None and held is not None:
        raise RecipeError("--folds holds out each image once; leave --validate away, or train once with it")
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise RecipeError("--folds and --seeds train by one process; start one training on all devices for each seed or part instead")
    options |= {"out": out, "follow": _pages(tensorboard=tensorboard)}
    told: Told = train_folds(data, k=folds, **options) if folds is not None else train_seeds(data, count=seeds or 0, held=held, **options)
    return show_several(told, quiet=quiet, as_json=as_json)


def _pages(*, tensorboard: bool) -> Callable[[Path, Iterator[Event]], Iterator[Event]]:
    """Each run has its page."""

    def follow(folder: Path, events: Iterator[Event]) -> Iterator[Event]:
        from microtome.app.report.train import keep_page

        events = keep_page(folder, events)
        if tensorboard:
            from microtome.learn.training.tensorboard import log_to_tensorboard

            events = log_to_tensorboard(folder / "tensorboard", events)
        return events

    return follow


def show_several(told: Told, *, quiet: bool = False, as_json: bool = False) -> bool:
    """Follow several runs to their end; each run on standard error, what came of all on standard output.

    Parameters
    ----------
    told : iterator of OfPart, Folded or Spread
        Closed at the end, however it comes.
    quiet : bool
        Show what came of all only.
    as_json : bool
        Print one JSON object at the end, nothing else.

    Returns
    -------
    bool
        Whether they came to an end.
    """
    from microtome.learn.training.several import OfPart

    last: Any = None
    try:
        last = _followed(told, quiet=quiet or as_json)
    except KeyboardInterrupt:
        last = None
    finally:
        if isinstance(told, Generator):
            told.close()
    if last is None or isinstance(last, OfPart):
        if as_json:
            print(json.dumps({"state": "stopped"}))
        else:
            print("not all runs came to an end; what is done is kept: go on with --resume", file=sys.stderr)
        return False
    if as_json:
        document = json.loads(last.path.read_text(encoding="utf-8"))
        document.pop("recipe")
        print(json.dumps({"state": "finished", **document, "folder": str(last.path.parent)}))
    else:
        print("\n".join(_table(last)))
    return True


def _followed(told: Told, *, quiet: bool) -> Any:
    """Show the events of each run below its name; what came last."""
    from microtome.learn.training.events import Finished
    from microtome.learn.training.several import OfPart

    part, last, screen = "", None, Screen(quiet=quiet)
    try:
        for last in told:
            if not isinstance(last, OfPart):
                continue
            if last.part != part:
                screen.__exit__()
                part, screen = last.part, Screen(quiet=quiet)
                if not quiet:
                    print(f"\n{part}: {last.folder}", file=sys.stderr)
            screen.see(last.event)
            if isinstance(last.event, Finished) and not quiet:
                print(f"{part}: {last.event.score:.4f} on its held-out images, {time_words(last.event.seconds)}", file=sys.stderr)
    finally:
        screen.__exit__()
    return last


def _table(last: Folded | Spread) -> list[str]:
    from microtome.learn.training.seeds import Spread

    if isinstance(last, Spread):
        scores = [(f"seed {seed}", f"{score:.4f}") for seed, score in last.scores.items()]
        ends = f"mean {last.mean:.4f}, least {last.least:.4f}, greatest {last.greatest:.4f}"
        return [*_aligned([("", last.metric), *scores]), ends, f"Written down: {last.path}"]
    pooled = last.pooled.scores[last.pooled.metric]
    rows = [(f"fold {number}", str(images), f"{score:.4f}")
            for number, (images, score) in enumerate(zip(last.images, last.scores, strict=True), 1)]  # fmt: skip
    rows = [("", "images", last.pooled.metric), *rows, ("pooled", str(sum(last.images)), f"{pooled.mean:.4f}")]
    known = "" if pooled.low is None else f", 95 % interval {pooled.low:.4f} to {pooled.high:.4f}"
    groups = last.pooled.look.groups
    return [*_aligned(rows), f"each image by the model that did not see it{known} ({groups} groups)",
            f"Model: {last.bundle} ({len(last.images)} networks)"]  # fmt: skip


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    wide = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return ["  ".join([row[0].ljust(wide[0]), *(cell.rjust(n) for cell, n in zip(row[1:], wide[1:], strict=True))]) for row in rows]
