"""The command line: ``microtome`` and its commands, from ``segment`` to ``doctor``.

Each command is a file of its name that imports what it needs when it is called, so that ``--help`` is quick.
Exit codes: 0 done; 1 some inputs failed, the rest done; 2 wrong use; 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import sys

import typer

import microtome
from microtome.app.cli.bundle import bundle
from microtome.app.cli.check import check
from microtome.app.cli.convert import convert
from microtome.app.cli.doctor import doctor
from microtome.app.cli.evaluate import evaluate
from microtome.app.cli.measure import measure
from microtome.app.cli.models import models
from microtome.app.cli.networks import networks
from microtome.app.cli.noisy import noisy
from microtome.app.cli.recipes import recipes
from microtome.app.cli.segment import segment
from microtome.app.cli.steps import steps
from microtome.app.cli.train import train
from microtome.app.cli.tune import tune
from microtome.core.errors import MicrotomeError

__all__ = ["app", "run"]

app = typer.Typer(
    name="microtome",
    help="Turn images into masks, objects and measurements.",
    epilog="Start with: microtome segment *.tif --recipe nuclei --out results --report",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (segment, steps, recipes, models, measure, evaluate, check, convert, tune, train, noisy, networks, bundle, doctor):
    app.command()(command)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"microtome {microtome.__version__}")
        raise typer.Exit()


@app.callback()
def _options(version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version.")) -> None:
    pass


def run() -> None:
    """Run the command line; the entry point ``microtome``."""
    try:
        app()
    except MicrotomeError as error:
        print(f"microtome: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:  # the reader of our output, such as head, went away
        sys.stderr.close()
        sys.exit(0)


if __name__ == "__main__":
    run()
