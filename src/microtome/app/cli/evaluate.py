"""``microtome evaluate``: how well predicted masks agree with true ones."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
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
    from microtome.core.events import collect_warnings
    from microtome.measure.metrics.evaluate import definition, evaluate_set

    matched = _matched(pred, truth)
    failures: dict[str, str] = {}
    with collect_warnings() as said:
        pairs = _Pairs(matched, task, failures)
        first = next(iter(pairs), None)
        scores = evaluate_set(pairs, task=task) if first is not None else {}
    images = len(matched) - len(failures)
    if as_json:
        print(json.dumps({**{key: _plain(value) for key, value in scores.items()}, "images": images, "failures": failures}))
    else:
        for key, value in scores.items():
            print(f"{key:<16} {_shown(value)}   {definition(key)}")
        print(f"images           {images}")
    for message in dict.fromkeys(said):
        print(f"note    {message}", file=sys.stderr)
    for name, error in failures.items():
        print(f"failed  {name}: {error}", file=sys.stderr)
    if failures:
        raise typer.Exit(1)


class _Pairs:
    """Each prediction with its truth, read when its turn comes, so that one pair is held at a time; failures are noted by name."""

    def __init__(
        self, matched: list[tuple[str, Path | None, Path]], kind: Literal["semantic", "instance"], failures: dict[str, str]
    ) -> None:
        self.matched, self.kind, self.failures = matched, kind, failures

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        for name, prediction, true in self.matched:
            try:
                yield self._read(prediction, true)
            except MicrotomeError as error:
                self.failures[name] = str(error)

    def _read(self, prediction: Path | None, true: Path) -> tuple[Any, Any]:
        from microtome.io.masks import read_mask

        if prediction is None:
            raise InputError(f"no prediction for {true.name}; every true mask must have one, or the score would flatter")
        masks = read_mask(prediction, kind=self.kind), read_mask(true, kind=self.kind)
        if masks[0].shape != masks[1].shape:
            raise InputError(f"the prediction is {masks[0].shape}, the truth {masks[1].shape}; they must be of one size")
        return masks


def _matched(pred: Path, truth: Path) -> list[tuple[str, Path | None, Path]]:
    for path in (pred, truth):
        if not path.exists():
            raise InputError(f"{path}: does not exist")
    if pred.is_file() != truth.is_file():
        raise InputError(f"{pred} and {truth}: give two folders or two files")
    if truth.is_file():
        return [(truth.name, pred, truth)]
    predictions, truths = _by_name(pred), _by_name(truth)
    if not truths:
        raise InputError(f"{truth}: holds no masks (.png, .tif, .npy)")
    extra = sorted(set(predictions) - set(truths))
    if extra:
        print(f"note    {len(extra)} predictions have no truth and are left out, the first is {extra[0]}", file=sys.stderr)
    return [(name, predictions.get(name), path) for name, path in sorted(truths.items())]


def _by_name(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in sorted(_masks(folder)):
        name = path.relative_to(folder).with_suffix("").as_posix()
        if name in found:
            raise InputError(f"{folder}: {found[name].name} and {path.name} are masks of the same name; keep one")
        found[name] = path
    return found


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
