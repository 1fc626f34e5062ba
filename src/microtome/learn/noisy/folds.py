"""The models of a run in folds, and which images each of them never saw."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

from microtome.core.errors import InputError
from microtome.io.annotations.document import read_text
from microtome.run import yaml_text
from microtome.run.bundle import Bundle, open_bundle

__all__ = ["Fold", "folds_of"]

_FOLD = re.compile(r"fold-(\d+)")
_HELD_OUT = "val"


@dataclass(frozen=True, eq=False)
class Fold:
    """A model, and the images that were held out when it was trained.

    Attributes
    ----------
    name : str
        Of its folder.
    bundle : Bundle
    held : tuple of str
        Names of images, as in the data set.
    channel : str, int or None
        The only channel it was trained on.
    """

    name: str
    bundle: Bundle
    held: tuple[str, ...]
    channel: str | int | None = None


def folds_of(run: Path) -> tuple[Fold, ...]:
    """Read a run's folds.

    Parameters
    ----------
    run : path
        A folder with ``fold-1``, ``fold-2`` and so on, each a run folder; or a single run folder, which judges the images it held out.

    Returns
    -------
    tuple of Fold
        In the order of their numbers.

    Raises
    ------
    InputError
        If there is none, one is not finished, or two have held out the same image.
    """
    run = Path(run)
    if not run.is_dir():
        raise InputError(f"{run}: no such folder; name the folder of `microtome train --folds`, or of one training")
    numbered = sorted((int(match[1]), path) for path in run.iterdir() if (match := _FOLD.fullmatch(path.name)) and path.is_dir())
    folders = [path for _, path in numbered] or [run]
    found = tuple(_fold(folder) for folder in folders)
    by: dict[str, str] = {}
    for fold in found:
        for name in fold.held:
            if name in by:
                raise InputError(f"{run}: {by[name]} and {fold.name} have both held out {name}; folds hold out each image once")
            by[name] = fold.name
    return found


def _fold(folder: Path) -> Fold:
    model, split = folder / "model.zip", folder / "split.csv"
    if missing := [path.name for path in (split, model) if not path.is_file()]:
        raise InputError(f"{folder}: has no {' and no '.join(missing)}: it is no run folder, or its training has not ended; go on with "
                         "it (--resume)")  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(read_text(split))))
    if not rows or not {"name", "split"} <= set(rows[0]):
        raise InputError(f"{split}: has no columns name and split; it is no split of a training")
    held = tuple(row["name"] for row in rows if row["split"] == _HELD_OUT)
    if not held:
        raise InputError(f"{split}: has no image with the split {_HELD_OUT!r}, so there is none that the model never saw")
    return Fold(folder.name, open_bundle(model), held, _channel(folder / "train.yaml"))


def _channel(path: Path) -> str | int | None:
    """The channel that a training chose, by its recipe."""
    if not path.is_file():
        return None
    document = yaml_text.load(path.read_text(encoding="utf-8"), str(path))
    train = document.get("train") if isinstance(document, dict) else None
    channel = train.get("channel") if isinstance(train, dict) else None
    return channel if isinstance(channel, (str, int)) else None
