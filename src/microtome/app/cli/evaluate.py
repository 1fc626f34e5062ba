"""``microtome evaluate``: how well predicted masks agree with true ones."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from microtome.core.errors import InputError, MicrotomeError

__all__ = ["evaluate"]


def evaluate(
    pred: Annotated[Path, typer.Argument(help="Predicted masks: a folder, or one file.", show_default=False)],
    truth: Annotated[Path, typer.Argument(help="True masks of the same names: a folder, or one file.", show_default=False)],
    task: Annotated[Literal["semantic", "instance"], typer.Option(help="semantic (classes) or instance (objects).")] = "instance",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Score masks against the truth; every key's definition is printed with it."""
    from microtome.measure.metrics.evaluate import definition, evaluate_set

    pairs, failures = _pairs(pred, truth, task)
    scores = evaluate_set([(prediction, true) for _, prediction, true in pairs], task=task) if pairs else {}
    if as_json:
        print(
            json.dumps(
                {**{key: _plain(value) for key, value in scores.items()}, "images": len(pairs), "failures": failures}, ensure_ascii=False
            )
        )
    else:
        for key, value in scores.items():
            print(f"{key:<16} {_shown(value)}   {definition(key)}")
        print(f"images           {len(pairs)}")
    for name, error in failures.items():
        print(f"failed  {name}: {error}", file=sys.stderr)
    if failures:
        raise typer.Exit(1)


def _pairs(pred: Path, truth: Path, kind: Literal["semantic", "instance"]) -> tuple[list[Any], dict[str, str]]:
    from microtome.io.masks import read_mask

    pairs, failures = [], {}
    for name, prediction, true in _matched(pred, truth):
        try:
            if prediction is None:
                raise InputError(f"no prediction for {true.name} in {pred}; every true mask must have one, or the score would flatter")
            masks = read_mask(prediction, kind=kind), read_mask(true, kind=kind)
            if masks[0].shape != masks[1].shape:
                raise InputError(f"the prediction is {masks[0].shape}, the truth {masks[1].shape}; they must be of one size")
            pairs.append((name, *masks))
        except MicrotomeError as error:
            failures[name] = str(error)
    return pairs, failures


def _matched(pred: Path, truth: Path) -> list[tuple[str, Path | None, Path]]:
    for path in (pred, truth):
        if not path.exists():
            raise InputError(f"{path}: does not exist")
    if pred.is_file() != truth.is_file():
        raise InputError(f"{pred} and {truth}: give two folders or two files")
    if truth.is_file():
        return [(truth.name, pred, truth)]
    predictions = {path.relative_to(pred).with_suffix("").as_posix(): path for path in _masks(pred)}
    truths = {path.relative_to(truth).with_suffix("").as_posix(): path for path in _masks(truth)}
    if not truths:
        raise InputError(f"{truth}: holds no masks (.png, .tif, .npy)")
    extra = sorted(set(predictions) - set(truths))
    if extra:
        print(f"note    {len(extra)} predictions have no truth and are left out, the first is {extra[0]}", file=sys.stderr)
    return [(name, predictions.get(name), path) for name, path in sorted(truths.items())]


def _masks(folder: Path) -> list[Path]:
    return [
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in (".png", ".tif", ".tiff", ".npy", ".gif", ".bmp") and path.name[0] != "."
    ]


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def _shown(value: Any) -> str:
    return "–" if isinstance(value, float) and math.isnan(value) else f"{value:.4f}" if isinstance(value, float) else str(value)
