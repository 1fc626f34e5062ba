"""``microtome tune``: search a recipe's settings on labelled images."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from microtome.app.cli.complete import complete_recipe, complete_step
from microtome.core.errors import RecipeError

if TYPE_CHECKING:
    from microtome.learn.tune.tune import Chosen, Tried, Tuned

__all__ = ["tune"]

_NOTES = 5


def tune(
    data: Annotated[Path, typer.Argument(help="Labelled images: a folder, an annotation file or a zip.", show_default=False)],
    out: Annotated[Path, typer.Option(help="Folder for the tuned recipe, its scores and every recipe tried.", show_default=False)],
    recipe: Annotated[str | None, typer.Option(help="A shipped recipe's name, or a recipe file.", autocompletion=complete_recipe)] = None,
    step: Annotated[
        list[str] | None, typer.Option(help="A step, NAME or NAME:key=value,...; may be given several times.", autocompletion=complete_step)
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(help="What to search for: a score of `microtome evaluate`, higher is better. By default ap_50 or miou_image."),
    ] = None,
    trials: Annotated[int, typer.Option(help="Recipes to try in each part of the search.", min=1)] = 60,
    folds: Annotated[int, typer.Option(help="Folds, by group, for the score on images the choice did not see.", min=2)] = 5,
    only: Annotated[
        list[str] | None, typer.Option(help="Search only this step or setting (STEP.SETTING); may be given several times.")
    ] = None,
    keep: Annotated[list[str] | None, typer.Option(help="Leave this step or setting as it is; may be given several times.")] = None,
    ranges: Annotated[list[str] | None, typer.Option("--range", help="Search STEP.SETTING=LOW:HIGH; may be given several times.")] = None,
    split: Annotated[str | None, typer.Option(help="Use this split of the data, such as train.")] = None,
    task: Annotated[Literal["semantic", "instance"] | None, typer.Option(help="What the labels are, where the data does not say.")] = None,
    ignore: Annotated[
        list[int] | None, typer.Option(help="A value of class masks that means 'not labelled', such as 255; may be given several times.")
    ] = None,
    group: Annotated[
        str | None, typer.Option(help="Where groups come from: a regular expression on names, `folder`, or a manifest (.csv).")
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed searches otherwise.")] = 0,
    workers: Annotated[int | None, typer.Option(help="Worker processes; by default one a core.", min=1)] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an earlier search in OUT.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, nothing else.")] = False,
) -> None:
    """Search a recipe's settings on labelled images, and say what that gains on images the choice did not see."""
    from microtome.app.cli.segment import recipe_of
    from microtome.core.events import collect_warnings
    from microtome.learn.data.find import opened
    from microtome.learn.tune import tune as search

    start = recipe_of(recipe, step)
    searched = dict(map(_range, ranges or ()))
    manifest = Path(group) if group and group.lower().endswith(".csv") else None
    options = {"kind": task, "group": None if manifest else group, "manifest": manifest, "ignore": ignore}
    with collect_warnings() as said, opened(data, **options) as dataset:
        events = search.tune(
            dataset.part(split) if split else dataset, start, metric=metric, trials=trials, folds=folds, only=only or (), keep=keep or (),
            ranges=searched, seed=seed, out=out, resume=resume, workers=workers,
        )  # fmt: skip
        tuned = _follow(events, trials, said, quiet=as_json)
    if tuned is None:
        print(f"stopped; what was scored is kept: go on with --resume and the same options ({out})", file=sys.stderr)
        raise typer.Exit(130)
    if as_json:
        print((out / "tune.json").read_text(encoding="utf-8"), end="")
    else:
        _conclude(tuned, out)


def _range(text: str) -> tuple[str, tuple[float, float]]:
    place, _, bounds = text.partition("=")
    low, _, high = bounds.partition(":")
    try:
        return place.strip(), (float(low), float(high))
    except ValueError:
        raise RecipeError(f"--range {text}: write STEP.SETTING=LOW:HIGH, such as gaussian.sigma=0.5:3") from None


def _follow(events: Iterator[Tried | Chosen | Tuned], trials: int, said: list[str], *, quiet: bool) -> Tuned | None:
    """Tell how the search goes, and what was assumed; None where it was stopped."""
    from microtome.learn.tune.tune import Tried, Tuned

    live = sys.stderr.isatty() and not quiet
    try:
        for event in events:
            for message in dict.fromkeys(said):
                print(f"note    {message}", file=sys.stderr)
            said.clear()
            if isinstance(event, Tuned):
                return event
            if isinstance(event, Tried):
                if live:
                    print(
                        f"\r{event.part}: {event.trial.number} of {trials}, best {event.best:.4f}   ", end="", file=sys.stderr, flush=True
                    )
            elif not quiet:
                unseen = "" if event.unseen is None else f", {event.unseen:.4f} on the fold's own images"
                print(f"{chr(13) if live else ''}{event.part}: best {event.trial.score:.4f}{unseen}          ".rstrip(), file=sys.stderr)
    except KeyboardInterrupt:
        return None
    finally:
        events.close()  # type: ignore[attr-defined]
    return None


def _conclude(tuned: Tuned, out: Path) -> None:
    images = f"{len(tuned.images)} images in {len(set(tuned.groups))} groups"
    print(f"{tuned.metric} over {images}; 95 % intervals over groups")
    print(f"  as given                            {_interval(tuned.start_mean)}")
    print(f"  tuned, on images it did not see     {_interval(tuned.unseen)}")
    print(f"  paired gain                         {_interval(tuned.gain, signed=True)}")
    print(f"  chosen on all images (flatters)     {sum(tuned.chosen_scores) / len(tuned.chosen_scores):.4f}")
    print("setting                              from -> to            lost when set back   chosen by the folds")
    for knob in tuned.knobs:
        worth = tuned.worth[knob.place]
        moved = f"{_short(knob.start)} -> {_short(tuned.settings[knob.place])}"
        lost = "cannot be" if worth is None else f"{worth:+.4f}" if tuned.settings[knob.place] != knob.start else "not moved"
        print(f"  {knob.place:<34} {moved:<21} {lost:<20} {_folds(tuned.fold_settings, knob.place)}")
    for image, error in list(tuned.failed.items())[:_NOTES]:
        print(f"note    {image}: some recipe scored 0 there: {error}", file=sys.stderr)
    if (more := len(tuned.failed) - _NOTES) > 0:
        print(f"note    and {more} more images; tune.json has them all", file=sys.stderr)
    print(f"Recipe: {out / 'recipe.yaml'}  ({tuned.seconds:.0f} s)")


def _interval(found: Any, *, signed: bool = False) -> str:
    sign = "+" if signed else ""
    bounds = f"  ({found.low:{sign}.4f} to {found.high:{sign}.4f})" if found.low is not None else ""
    return f"{found.mean:{sign}.4f}{bounds}"


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else "none" if value is None else str(value)


def _folds(settings: Sequence[Mapping[str, Any]], place: str) -> str:
    return ", ".join(_short(one[place]) for one in settings)
