"""``microtome train``: from labelled images to a model that travels with its whole recipe."""

from __future__ import annotations

import signal
import sys
import threading
import warnings
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from microtome.app.cli.complete import complete_model
from microtome.app.cli.networks import complete_network
from microtome.core.errors import RecipeError
from microtome.run.yaml_text import dump_value

if TYPE_CHECKING:
    from microtome.learn.data.dataset import Dataset

__all__ = ["train"]


def train(
    data: Annotated[Path, typer.Argument(help="Labelled images: a folder, an annotation file or a zip.", show_default=False)],
    out: Annotated[Path, typer.Option(help="The run folder: model, curves, pictures, checkpoints.", show_default=False)],
    recipe: Annotated[Path | None, typer.Option(help="A training recipe; what it leaves open is settled from the data.")] = None,
    network: Annotated[str | None, typer.Option(help="A network, see `microtome networks`.", autocompletion=complete_network)] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Anything of the training recipe, such as network.unet.root=32; may be repeated.")
    ] = None,
    start: Annotated[
        str | None,
        typer.Option("--from", help="Train this model further: a shipped one's name, or a bundle.", autocompletion=complete_model),
    ] = None,
    epochs: Annotated[float | None, typer.Option(help="Times through the data.", min=0)] = None,
    time_budget: Annotated[str | None, typer.Option(help="How long training may take, such as 20m or 1h30m.")] = None,
    validate: Annotated[Path | None, typer.Option(help="Hold out these labelled images instead of a share of DATA.")] = None,
    metric: Annotated[str | None, typer.Option(help="Which score decides: one of `microtome evaluate`.")] = None,
    patience: Annotated[int | None, typer.Option(help="Stop after so many validations without a better score.", min=0)] = None,
    oriented: Annotated[
        bool | None, typer.Option("--oriented/--turned", help="Whether up is up in these pictures, so that they are hardly turned.")
    ] = None,
    task: Annotated[Literal["semantic", "instance"] | None, typer.Option(help="What the labels are, where the data does not say.")] = None,
    ignore: Annotated[
        list[int] | None, typer.Option(help="A value of class masks that means 'not labelled', such as 255; may be given several times.")
    ] = None,
    group: Annotated[
        str | None, typer.Option(help="Where groups come from: a regular expression on names, `folder`, or a manifest (.csv).")
    ] = None,
    channel: Annotated[str | None, typer.Option(help="Use this channel only: its name or number.")] = None,
    precision: Annotated[Literal["auto", "float32", "bf16"] | None, typer.Option(help="How numbers are held.")] = None,
    seed: Annotated[int | None, typer.Option(help="Other weights, windows and held-out images.", min=0)] = None,
    seeds: Annotated[
        int | None, typer.Option(help="Train so many times with nothing different but the seed: how far scores move by chance.", min=2)
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(help="Cross-validate: divide by group, judge each image by the model that did not see it; all models as one.", min=2),
    ] = None,
    memory: Annotated[str | None, typer.Option(help="What images may take of memory, such as 4GB; what is more is read again.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in OUT, by its own recipe.")] = False,
    allow_dropped: Annotated[bool, typer.Option("--allow-dropped", help="Train although some of the data cannot be used.")] = False,
    find_rate: Annotated[bool, typer.Option("--find-rate", help="Do not train: find a learning rate, and say it.")] = False,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Also write files for TensorBoard.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object at the end, nothing else.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say only how it ended.")] = False,
) -> None:
    """Train a network on labelled images; nothing must be configured, and everything can be.

    OUT/index.html shows the run while it goes on. Ctrl-C saves it, and --resume goes on.
    """
    from microtome.app.cli.train_progress import show
    from microtome.app.cli.train_several import begun, train_several
    from microtome.app.report.train import keep_page
    from microtome.learn.training.events import Finished
    from microtome.learn.training.recipe import TrainingRecipe
    from microtome.learn.training.run_folder import record
    from microtome.learn.training.train import resumed_step
    from microtome.learn.training.train import train as run

    wanted = (TrainingRecipe.read(recipe) if recipe else TrainingRecipe()).changed([*_assignments(locals()), *(settings or ())])
    manifest = Path(group) if group and group.lower().endswith(".csv") else None
    options: dict[str, Any] = {"kind": task, "group": None if manifest else group, "manifest": manifest, "ignore": ignore}
    if not first_process():
        warnings.simplefilter("ignore")  # the first process says what there is to say
    if find_rate:
        from microtome.app.cli.find_rate import show_rate
        from microtome.learn.training.rate_finder import find_rate as test_rates

        with _opened(data, validate, options, silent=as_json or quiet) as (dataset, held):
            show_rate(test_rates(dataset, out=out, recipe=wanted, held=held, start=start), out, as_json=as_json)
        return
    with _opened(data, validate, options, silent=as_json or quiet) as (dataset, held), _stop_on_signal() as stop:
        if resume and folds is None and seeds is None:
            folds, seeds = begun(out)
        if folds is not None or seeds is not None:
            ended = train_several(dataset, folds=folds, seeds=seeds, out=out, held=held, recipe=wanted, start=start, resume=resume,
                                  allow_dropped=allow_dropped, stop=stop.is_set, tensorboard=tensorboard, quiet=quiet,
                                  as_json=as_json)  # fmt: skip
            if not ended:
                raise typer.Exit(130)
            return
        events = run(dataset, out=out, recipe=wanted, held=held, start=start, resume=resume, allow_dropped=allow_dropped, stop=stop.is_set)
        if first_process():
            events = keep_page(out, record(out, events, resumed=resumed_step(out) if resume else 0))
            if tensorboard:
                from microtome.learn.training.tensorboard import log_to_tensorboard

                events = log_to_tensorboard(out / "tensorboard", events)
        last = show(events, quiet=quiet, as_json=as_json, saved=resume) if first_process() else _follow(events)
    if stop.is_set() and not isinstance(last, Finished):
        raise typer.Exit(130)


@contextmanager
def _opened(data: Path, validate: Path | None, options: dict[str, Any], *, silent: bool) -> Iterator[tuple[Dataset, Dataset | None]]:
    """The data sets; what was assumed in finding them is told."""
    from microtome.core.events import collect_warnings
    from microtome.learn.data.find import opened

    with ExitStack() as stack:
        with collect_warnings() as said:
            dataset = stack.enter_context(opened(data, **options))
            held = stack.enter_context(opened(validate, **options)) if validate else None
        for message in () if silent or not first_process() else dict.fromkeys(said):
            print(f"note    {message}", file=sys.stderr)
        yield dataset, held


def first_process() -> bool:
    """Whether this process writes the run folder: of those that ``torchrun`` started, the first."""
    import os

    return os.environ.get("RANK", "0") == "0"


def _follow(events: Iterator[Any]) -> Any:
    """The last event; the first process says what there is to say."""
    left = deque(events, maxlen=1)
    return left[0] if left else None


def _assignments(given: dict[str, Any]) -> list[str]:
    """The options that are fields of the training recipe."""
    said = []
    if given["epochs"] is not None and given["time_budget"] is not None:
        raise RecipeError("--epochs and --time-budget both say how long training goes on; give one")
    if given["network"] is not None:
        said.append(f"network={{{given['network']}: {{}}}}")
    places = {
        "epochs": "budget.epochs", "time_budget": "budget.time", "metric": "validation.metric", "patience": "validation.patience",
        "channel": "channel", "precision": "precision", "oriented": "oriented", "seed": "seed", "memory": "memory",
    }  # fmt: skip
    said += [f"{place}={dump_value(given[name])}" for name, place in places.items() if given[name] is not None]
    return said


class _Stop:
    """Whether the user has asked training to stop; asking after a step (`is_set`) shows that there is something to save."""

    def __init__(self) -> None:
        self.asked, self.under_way = threading.Event(), False

    def is_set(self) -> bool:
        self.under_way = True
        return self.asked.is_set()


@contextmanager
def _stop_on_signal() -> Iterator[_Stop]:
    """The first Ctrl-C, or a request to end, stops training after the step it is at; the second, or one before any step, breaks it off."""
    stop = _Stop()

    def ask(number: int, frame: Any) -> None:
        if stop.asked.is_set() or not stop.under_way:
            stop.asked.set()
            raise KeyboardInterrupt
        stop.asked.set()
        if first_process():
            print(
                "\nstopping after this step, or when what it is at is whole: a validation, the model; once more to break off",
                file=sys.stderr,
            )

    former = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
