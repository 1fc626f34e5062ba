"""``microtome noisy``: labels that models trained without them disagree with."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from microtome.learn.data.dataset import Dataset
    from microtome.learn.noisy.folds import Fold
    from microtome.learn.noisy.judge import Judged

__all__ = ["noisy"]

_SHOWN = 10


def noisy(
    data: Annotated[Path, typer.Argument(help="The labelled images that were trained on: a folder, an annotation file, or a zip.",
                                         show_default=False)],
    folds: Annotated[Path, typer.Option(help="OUT of `microtome train --folds`, or of one training (then its held-out images only).",
                                        show_default=False)],
    out: Annotated[Path, typer.Option(help="Folder for noisy.csv, noisy_objects.csv, noisy.html and the predicted masks.",
                                      show_default=False)],
    task: Annotated[
        Literal["semantic", "instance"] | None, typer.Option(help="What the labels are: classes or objects. Left out: what the data says.")
    ] = None,
    ignore: Annotated[
        list[int] | None, typer.Option(help="A value of class masks that means 'not labelled', such as 255; may be given several times.")
    ] = None,
    layout: Annotated[str | None, typer.Option(help="How the data is laid out. Left out: the first layout that fits.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:  # fmt: skip
    """Rank labelled images and objects by how far models that never saw them disagree: the first are the ones to look at."""
    from microtome.app.report.noisy import build_noisy_page
    from microtome.core.errors import InputError
    from microtome.core.events import collect_warnings
    from microtome.learn.data.find import opened
    from microtome.learn.noisy.folds import folds_of
    from microtome.learn.noisy.judge import ranked
    from microtome.learn.noisy.outputs import write_tables

    models = folds_of(folds)
    with collect_warnings() as said, opened(data, kind=task, layout=layout, ignore=ignore) as dataset:
        if out.resolve().is_relative_to(dataset.root.resolve()):
            raise InputError(f"{out}: lies inside the data ({dataset.root}), where predicted masks would be taken for labels; choose a "
                             "folder beside it")  # fmt: skip
        judged = ranked(list(_followed(dataset, models, out)))
        if not judged:
            raise InputError(f"{data}: no image could be judged: {said[-1]}")
        write_tables(out, judged)
        page = build_noisy_page(dataset, models, judged, out, said=said)
    if as_json:
        print(json.dumps({"out": str(out), "page": str(page), "images": [_as_json(one) for one in judged],
                          "warnings": list(dict.fromkeys(said))}))  # fmt: skip
        return
    _show(judged)
    print(f"\nPage: {page}")
    for message in dict.fromkeys(said):
        print(f"note    {message}", file=sys.stderr)


def _followed(dataset: Dataset, folds: Sequence[Fold], out: Path) -> Iterator[Judged]:
    """The images one by one, with a bar on a terminal."""
    from microtome.app.cli.progress import Follower
    from microtome.core.events import Progress, Started
    from microtome.learn.noisy.judge import count_judged, judge

    start, total = time.monotonic(), count_judged(dataset, folds)
    with Follower() as follower:
        follower.see(Started(total))
        for done, one in enumerate(judge(dataset, folds, out), 1):
            follower.see(Progress(done, total, time.monotonic() - start))
            yield one


def _as_json(one: Judged) -> dict[str, Any]:
    return {"image": one.entry.name, "disagreement": one.disagreement, **one.likely}


def _show(judged: Sequence[Judged]) -> None:
    likely = sum(sum(one.likely.values()) for one in judged)
    print(f"{len(judged):,} images judged by models that never saw them; {likely:,} doubts that are likely")
    for one in judged[:_SHOWN]:
        words = ", ".join(f"{count} {kind}" for kind, count in one.likely.items() if count)
        print(f"  {one.disagreement:.2f}  {one.entry.name}{f': {words}' if words else ''}")
    if len(judged) > _SHOWN:
        print(f"  and {len(judged) - _SHOWN:,} more, in noisy.csv")
