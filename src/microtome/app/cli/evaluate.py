"""``microtome evaluate``: how well predicted masks agree with true ones, and what went wrong."""

from __future__ import annotations

import json
import math
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import typer

from microtome.app.cli.complete import complete_model, complete_recipe
from microtome.core.errors import InputError, RecipeError

if TYPE_CHECKING:
    from microtome.core.events import Failed, Warned
    from microtome.learn.evaluate.pairs import Pairs
    from microtome.learn.evaluate.score import Evaluation

__all__ = ["evaluate"]

Task = Literal["semantic", "instance", "boxes"]


def evaluate(
    pred: Annotated[
        Path,
        typer.Argument(
            help="Predicted masks: a folder, a run's output folder or one file; with --recipe or --model: the data set.", show_default=False
        ),
    ],
    truth: Annotated[
        Path | None, typer.Argument(help="True masks of the same names: a folder, one file, or a data set.", show_default=False)
    ] = None,
    task: Annotated[Task, typer.Option(help="semantic (classes), instance (objects) or boxes.")] = "instance",
    metrics: Annotated[
        str, typer.Option(help="default, all, families (boundary, panoptic, clusters, ...) or keys, separated by commas.")
    ] = "default",
    recipe: Annotated[
        str | None, typer.Option(help="Segment the data set's images by this recipe, then score.", autocompletion=complete_recipe)
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="The same by a trained model: a shipped one's name, or a bundle's path.", autocompletion=complete_model),
    ] = None,
    against: Annotated[Path | None, typer.Option(help="Another result on the same truth, to compare with.")] = None,
    split: Annotated[str | None, typer.Option(help="Use this split of the data set, such as val.")] = None,
    group: Annotated[
        str | None, typer.Option(help="Where groups come from: a regular expression on names, `folder`, or a CSV file (image, group).")
    ] = None,
    ignore: Annotated[int | None, typer.Option(help="A value of the truth that is no class, such as 255.")] = None,
    spacing: Annotated[
        str | None,
        typer.Option(help='Pixel spacing, such as "0.65 um", for distances; brings images to the size --model was trained at.'),
    ] = None,
    diameter: Annotated[
        float | None, typer.Option(help="Typical diameter of the objects in pixels: brings them to the size --model was trained at.")
    ] = None,
    channel: Annotated[
        str | None, typer.Option(help="The channel that --recipe or --model segments: its number from 0, or its name.")
    ] = None,
    sizes: Annotated[str | None, typer.Option(help="Areas in pixels that part the table of sizes; by default quartiles.")] = None,
    images: Annotated[Path | None, typer.Option(help="Where the pictures are, for the page.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for scores.json, the tables and evaluate.html.")] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes; by default one a core.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Score masks against the truth; every key's definition is printed with it. With --out: tables, and a page of what went wrong."""
    from microtome.core.events import collect_warnings
    from microtome.learn.evaluate.outputs import summary
    from microtome.learn.evaluate.score import evaluate_pairs
    from microtome.measure.metrics.definitions import choose

    choose(metrics, task)  # a misspelt name is told before anything is read
    edges = _areas(sizes)
    with collect_warnings() as said, ExitStack() as stack:
        way = _Way(recipe, model, spacing, diameter, channel)
        pairs = _pairs(pred, truth, task, way, against, split, group, images, out, workers, stack)
        evaluation = evaluate_pairs(pairs, task=task, metrics=metrics, ignore=ignore, spacing=spacing, workers=workers)
        told = summary(evaluation)
        told["notes"] = [*dict.fromkeys(said), *_missing_keys(evaluation), *told["notes"]]
        if out is not None:
            _write(out, evaluation, told, edges, {"pred": recipe or model or str(pred), "truth": str(truth or pred), "against": against})
    if as_json:
        print(json.dumps(_flat(told, out)))
    else:
        _show(told, out)
    for name, error in evaluation.failures.items():
        print(f"failed  {name}: {error}", file=sys.stderr)
    if evaluation.failures:
        raise typer.Exit(1)


class _Way(NamedTuple):
    """What makes the masks first, if anything does, and the size of what the images show."""

    recipe: str | None
    model: str | None
    spacing: str | None
    diameter: float | None
    channel: str | None


def _pairs(
    pred: Path, truth: Path | None, task: Task, way: _Way, against: Path | None, split: str | None,
    group: str | None, images: Path | None, out: Path | None, workers: int | None, stack: ExitStack,
) -> Pairs:  # fmt: skip
    """What is compared with what."""
    from microtome.learn.evaluate.pairs import find_pairs

    pred = _unpacked(pred, stack)
    truth, against = (None if path is None else _unpacked(path, stack) for path in (truth, against))
    if not (way.recipe or way.model):
        if way.diameter is not None:
            raise RecipeError("--diameter: brings images to the size that --model was trained at; give a model, or leave it out")
        if way.channel is not None:
            raise RecipeError("--channel: is what --recipe or --model segments; give one of them, or leave it out")
        if truth is None:
            raise RecipeError(
                f"{pred}: say what to compare it with (TRUTH), or how to segment its images (--recipe NAME|FILE, --model NAME|PATH)"
            )
        return find_pairs(pred, truth, task=task, against=against, images=images, split=split, group=group)
    if truth is not None:
        raise RecipeError(f"--recipe and --model segment the images of one data set; {truth} is one argument too many")
    masks = _segmented(pred, way, task, split, out, workers, stack)
    return find_pairs(masks, pred, task=task, against=against, images=images, split=split, group=group)


def _unpacked(path: Path, stack: ExitStack) -> Path:
    """What is in a zip, for as long as the stack stands; anything else as it is."""
    if path.suffix.lower() != ".zip" or not path.is_file():
        return path
    from microtome.io.archive import unpacked
    from microtome.learn.data.find import inner

    return inner(stack.enter_context(unpacked(path)))


def _segmented(data: Path, way: _Way, task: Task, split: str | None, out: Path | None, workers: int | None, stack: ExitStack) -> Path:
    """Segment a data set's images; the folder of the run, which is kept below OUT."""
    from microtome.app.cli.segment import number_or_name, recipe_of, to_trained_size
    from microtome.core.events import Failed, Warned
    from microtome.io.find import stem_of
    from microtome.learn.data.find import find_dataset
    from microtome.run.pipeline import run

    dataset = find_dataset(data, kind="semantic" if task == "semantic" else "instance")
    dataset = dataset.part(split) if split is not None else dataset
    labelled = [entry for entry in dataset if entry.truth is not None]
    if several := next((entry for entry in labelled if len(entry.images) > 1), None):
        raise InputError(
            f"{several.name}: has {len(several.images)} image files; --recipe and --model segment data sets of one file an image: segment "
            "them first, then evaluate PRED TRUTH"
        )
    names = Counter(stem_of(entry.images[0].name) for entry in labelled)
    if twice := [name for name, count in names.items() if count > 1]:
        raise InputError(f"{data}: {len(twice)} images have a namesake, such as {twice[0]}: choose one part with --split, or segment them "
                         "first, then evaluate PRED TRUTH")  # fmt: skip
    folder = out / "segmented" if out is not None else Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="microtome-")))
    recipe, trained, remarks = to_trained_size(recipe_of(way.recipe, None, way.model), way.model, way.spacing, way.diameter)
    recipe = recipe.with_input(channel=number_or_name(way.channel), spacing=way.spacing)
    events = run(recipe, [entry.images[0] for entry in labelled], out=folder, workers=workers, overwrite=True,
                 name=str(way.recipe or way.model), trained=trained, remarks=remarks)  # fmt: skip
    told = [event for event in events if isinstance(event, (Warned, Failed))]
    _pass_on(told, out)
    return folder


def _pass_on(told: list[Warned | Failed], out: Path | None) -> None:
    """Why images failed, what the run said of itself, and of its images the first: many images often have the same to say."""
    from microtome.core.events import Failed, Warned, warn

    for failed in (one for one in told if isinstance(one, Failed)):
        warn(f"{failed.image}: {failed.error}")
    said = [one for one in told if isinstance(one, Warned)]
    for message in dict.fromkeys(one.message for one in said if not one.image):
        warn(message)
    of_images = [one for one in said if one.image]
    more = len({one.image for one in of_images}) - 1
    kept = f"; {out / 'segmented' / 'run.json'} has them" if out is not None else ""
    for first in of_images[:1]:
        warn(f"{first.image}: {first.message}" + (f" ({more} more of the images have notes{kept})" if more else ""))


def _areas(sizes: str | None) -> list[float] | None:
    if sizes is None:
        return None
    try:
        areas = [float(word) for word in sizes.split(",")]
    except ValueError:
        raise RecipeError(f"--sizes {sizes!r}: areas in pixels separated by commas are expected, such as 100,400") from None
    if areas != sorted(set(areas)):
        raise RecipeError(f"--sizes {sizes}: give areas in ascending order, each once")
    return areas


def _missing_keys(evaluation: Evaluation) -> list[str]:
    """Keys that predictions without scores or probabilities do not have: it is told, once for all that need the same."""
    from microtome.measure.metrics.evaluate import lacking

    if not evaluation.scored:
        return []
    keys: dict[str, list[str]] = {}
    for key, why in lacking(evaluation.order.metrics, evaluation.values()).items():
        keys.setdefault(why, []).append(key)
    return [f"{', '.join(names)}: left out; {why}" for why, names in keys.items()]


def _write(out: Path, evaluation: Evaluation, told: dict[str, Any], sizes: list[float] | None, names: Mapping[str, Any]) -> None:
    from microtome.app.report.evaluate import build_page
    from microtome.learn.evaluate.outputs import write

    if out.exists() and not out.is_dir():
        raise RecipeError(f"{out}: is a file; name a folder for the results")
    write(out, evaluation, told, sizes=sizes)
    build_page(out, evaluation, told, sizes=sizes, names={name: str(value) for name, value in names.items() if value is not None})


def _flat(told: Mapping[str, Any], out: Path | None) -> dict[str, Any]:
    """One object: each key's value under its own name, then what belongs to them."""
    from microtome.learn.evaluate.outputs import finite

    metrics = told["metrics"]
    flat: dict[str, Any] = {key: one["value"] for key, one in metrics.items()}
    flat |= {"images": told["images"]}
    flat |= {"intervals": {key: [one["low"], one["high"]] for key, one in metrics.items() if one["low"] is not None}}
    flat |= {"left_out": {key: one["left_out"] for key, one in metrics.items() if one["left_out"]}}
    flat |= {name: told[name] for name in ("objects", "where_errors_lie", "against") if name in told}
    flat |= {"notes": told["notes"], "failures": told["failures"]} | ({"out": str(out)} if out is not None else {})
    plain: dict[str, Any] = finite(flat)
    return plain


def _show(told: Mapping[str, Any], out: Path | None) -> None:
    against = told.get("against", {}).get("metrics", {})
    for key, one in told["metrics"].items():
        line = f"{key:<16} {_shown(one['value']):<7}{_bounds(one['low'], one['high'])}"
        if key in against:
            line += f"  against {_shown(against[key]['second']):<7} {_difference(against[key])}"
        print(f"{line}  {one['definition']}")
    print(f"images           {told['images']}" + (f" in {told['groups']} groups" if told["grouped"] else ""))
    if "objects" in told:
        counts = told["objects"]
        words = ", ".join(f"{counts[name]} {name}" for name in ("matched", "missed", "merged", "split"))
        print(f"objects          {counts['objects_true']} true: {words}; {counts['objects_predicted']} predicted, {counts['added']} added")
    for message in told["notes"]:
        print(f"note    {message}", file=sys.stderr)
    if out is not None:
        print(f"Results: {out}  Page: {out / 'evaluate.html'}")


def _bounds(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f" [{low:.4f}, {high:.4f}]"


def _difference(one: Mapping[str, Any]) -> str:
    difference = one["difference"]
    told = f"{difference:+d}" if isinstance(difference, int) else f"{difference:+.4f}"
    return f"difference {told}{_bounds(one['low'], one['high'])}"


def _shown(value: float) -> str:
    if isinstance(value, float):
        return f"{value:.4f}" if math.isfinite(value) else "–"
    return str(value)
