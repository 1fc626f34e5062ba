"""``microtome segment``: images to masks, tables and a report."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from microtome.app.cli.complete import complete_model, complete_recipe, complete_step
from microtome.core.errors import RecipeError

if TYPE_CHECKING:
    from microtome.core.events import Event
    from microtome.run.count_interval import CountInterval
    from microtome.run.recipe import Recipe
    from microtome.run.trained_size import TrainedSize

__all__ = ["number_or_name", "recipe_of", "segment", "to_trained_size"]


def segment(
    images: Annotated[list[str], typer.Argument(help="Files, folders (searched through) and globs.", show_default=False)],
    out: Annotated[Path, typer.Option(help="Folder for masks, tables and the report.", show_default=False)],
    recipe: Annotated[
        str | None, typer.Option(help="A shipped recipe's name (`microtome recipes`), or a recipe file.", autocompletion=complete_recipe)
    ] = None,
    step: Annotated[
        list[str] | None, typer.Option(help="A step, NAME or NAME:key=value,...; may be given several times.", autocompletion=complete_step)
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="A shipped model's name (`microtome models`), or a bundle's path.", autocompletion=complete_model)
    ] = None,
    channel: Annotated[str | None, typer.Option(help="Use this channel, by name or by number from 0.")] = None,
    axes: Annotated[
        str | None, typer.Option(help="Axes of the files, where they do not say, in their order, such as yxc, cyx or zyx.")
    ] = None,
    page: Annotated[int | None, typer.Option(help="Read this page, from 0, of files that hold several pictures.", min=0)] = None,
    spacing: Annotated[
        str | None,
        typer.Option(help='Pixel spacing, such as "0.65 um" or "2 um, 0.5 um, 0.5 um"; with --model, also brings images to its spacing.'),
    ] = None,
    diameter: Annotated[
        float | None, typer.Option(help="Typical diameter of the objects in pixels: brings them to the size --model was trained at.")
    ] = None,
    measure: Annotated[str | None, typer.Option(help="Measurements to make, separated by commas.")] = None,
    group: Annotated[str | None, typer.Option(help="Regular expression that finds an image's group in its name.")] = None,
    report: Annotated[bool, typer.Option("--report", help="Also write report.html.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Show in the report what each step saw (includes --report).")] = False,
    save: Annotated[
        str | None, typer.Option(help="Also save, separated by commas: colour (masks any viewer shows), scores (before masks).")
    ] = None,
    export: Annotated[str | None, typer.Option(help="Also export outlines, separated by commas: geojson, imagej.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier run in OUT.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an earlier run in OUT.")] = False,
    executor: Annotated[str | None, typer.Option(help="serial or processes; by default chosen by the number of images.")] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes; by default one a core.")] = None,
    engine: Annotated[
        str | None,
        typer.Option(help="What computes networks: onnxruntime, openvino, torch (with :float32 or :bfloat16), or fastest, which measures."),
    ] = None,
    tta: Annotated[
        bool, typer.Option("--tta", help="Networks also see each window mirrored and turned, and the mean counts: slower, a little surer.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, nothing else.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> None:
    """Segment images: write masks, a table of objects and, if wanted, a report."""
    from microtome.run.pipeline import run

    if overwrite and resume:
        raise RecipeError("--overwrite and --resume: choose one")
    chosen, trained, remarks = to_trained_size(recipe_of(recipe, step, model), model, spacing, diameter)
    if tta:
        from microtome.run.test_time import in_all_views

        chosen = in_all_views(chosen)
    chosen = chosen.with_input(channel=number_or_name(channel), axes=axes, page=page, spacing=spacing)
    if measure is not None:
        chosen = chosen.from_document({**chosen.document(), "measure": _words(measure)})
    source = recipe or model
    name = "--step" if not source else Path(source).stem if Path(source).suffix in (".yaml", ".yml", ".zip") else source
    events = run(
        chosen, images, out=out, executor=executor, workers=workers, group=group, explain=explain,
        extras=(*_words(save), *_words(export)), overwrite=overwrite, resume=resume, name=name, trained=trained, remarks=remarks,
        counts=_counts_of(model), engine=engine,
    )  # fmt: skip
    told = _tell(events, quiet=quiet or as_json)
    if report or explain:
        from microtome.app.report.build import build_report

        told["report"] = str(build_report(out))
    told["out"] = str(out)
    if as_json:
        print(json.dumps(told))
    elif not quiet:
        _conclude(told)
    if told["interrupted"]:
        raise typer.Exit(130)
    if told["failed"]:
        raise typer.Exit(1)


def recipe_of(recipe: str | None, steps: Sequence[str] | None, model: str | None = None) -> Recipe:
    """The recipe that ``--recipe``, ``--step`` or ``--model`` name; one of them must be given."""
    from microtome.run.recipe import Recipe
    from microtome.run.shipped import find_recipe, model_names, recipe_names

    given = [way for way, there in (("--recipe", recipe), ("--step", steps), ("--model", model)) if there]
    if len(given) != 1:
        what = f"{' and '.join(given)} were given" if given else "none was given"
        names = f"Shipped recipes: {', '.join(recipe_names())}; models: {', '.join(model_names()) or 'none'}"
        raise RecipeError(f"say what to do by one of --recipe NAME|FILE, --step ..., --model NAME|PATH; {what}. {names}")
    if model:
        from microtome.run.bundle import find_bundle

        return find_bundle(model).recipe
    return find_recipe(recipe) if recipe else Recipe.from_shell(steps or [])


def to_trained_size(
    recipe: Recipe, model: str | None, spacing: str | None, diameter: float | None
) -> tuple[Recipe, TrainedSize | None, list[str]]:
    """The recipe for images of this spacing or objects of this diameter, as far as a model's card says what it was trained on."""
    if not model:
        if diameter is not None:
            raise RecipeError(
                "--diameter: belongs to --model, whose card says which size it was trained at; recipes have lengths of their own"
            )
        return recipe, None, []
    from microtome.run.bundle import find_bundle
    from microtome.run.trained_size import fitted, trained_size

    size = trained_size(find_bundle(model).facts, model)
    return fitted(recipe, size, spacing=spacing, diameter=diameter, place=model)


def _counts_of(model: str | None) -> CountInterval | None:
    """The interval about counts that a model's card gives."""
    if not model:
        return None
    from microtome.run.bundle import find_bundle
    from microtome.run.count_interval import count_interval

    return count_interval(find_bundle(model).facts, model)


def _words(text: str | None) -> list[str]:
    return [word.strip() for word in (text or "").split(",") if word.strip()]


def number_or_name(channel: str | None) -> int | str | None:
    """A channel as it is typed: a number where it can be one."""
    return int(channel) if channel and channel.isdecimal() else channel


def _tell(events: Iterator[Event], *, quiet: bool) -> dict[str, Any]:
    """Follow a run: a progress bar for long work, a line for each image of short work; then what it came to."""
    from microtome.app.cli.progress import Follower
    from microtome.core.events import Done, Failed, Warned

    told: dict[str, Any] = {"images": 0, "done": 0, "resumed": 0, "failed": 0, "objects": 0, "counts": {}, "failures": {}, "warnings": [],
                            "interrupted": False}  # fmt: skip
    with Follower(quiet=quiet) as follower:
        try:
            for event in events:
                follower.see(event)
                if isinstance(event, Done):
                    told["done"] += 1
                    told["resumed"] += event.resumed
                    counts = {
                        name: output["count"] for name, output in event.result.record["outputs"].items() if output["count"] is not None
                    }
                    told["objects"] += sum(counts.values())
                    if counts:
                        told["counts"][event.image] = next(iter(counts.values())) if len(counts) == 1 else counts
                elif isinstance(event, Failed):
                    told["failed"] += 1
                    told["failures"][event.image] = event.error
                elif isinstance(event, Warned):
                    told["warnings"].append(f"{event.image}: {event.message}" if event.image else event.message)
        except KeyboardInterrupt:
            told["interrupted"] = True
        finally:
            events.close()  # type: ignore[attr-defined]
    told["images"] = follower.total
    return told


def _conclude(told: dict[str, Any]) -> None:
    if told["interrupted"]:
        print(f"stopped: {told['done']} of {told['images']} images are done and whole; go on with --resume", file=sys.stderr)
    images = f"{told['done']} image{'s' if told['done'] != 1 else ''}"
    found = f"{told['objects']} objects in {images}" if told["counts"] else f"{images} done"
    failed = f", {told['failed']} failed" if told["failed"] else ""
    print(f"{found}{failed}. Results: {told['out']}" + (f"  Report: {told['report']}" if "report" in told else ""))
