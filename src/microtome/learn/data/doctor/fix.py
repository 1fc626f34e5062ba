"""A mended copy of a data set: what can be undone for certain is undone, everything else is copied, and what was done is recorded."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import microtome
from microtome.core.classes import ClassTable
from microtome.core.errors import InputError, MicrotomeError
from microtome.core.events import collect_warnings
from microtome.core.raster import Image, InstanceMap, SemanticMap
from microtome.io.masks import write_mask_as
from microtome.io.whole import whole_file
from microtome.learn.data.dataset import Entry, Kind, LabelFile
from microtome.learn.data.doctor.check import Checkup, diagnose
from microtome.learn.data.doctor.facts import with_raw
from microtome.learn.data.doctor.raw import RawMask, read_raw, relative
from microtome.learn.data.doctor.survey import Survey
from microtome.learn.data.problem import Problem

__all__ = ["RECORD", "Mended", "fix", "mended"]

RECORD = "fixes.json"
_ROUNDS = 6


@dataclass(frozen=True, eq=False)
class Mended:
    """A mask file with its faults undone.

    Attributes
    ----------
    raw : RawMask
        The new pixels, under the old path.
    changes : tuple of dict
        In order: the fault's kind, and what was mapped to what.
    """

    raw: RawMask
    changes: tuple[dict[str, Any], ...] = field(default_factory=tuple)


def fix(checkup: Checkup, out: str | os.PathLike[str]) -> dict[str, Any]:
    """Write a mended copy of a data set, and what was changed beside it as ``fixes.json``.

    Every file below the data folder is copied byte for byte, except the mask files that are mended: those are written as PNG, or
    TIFF for volumes and for ids above 65,535.

    Parameters
    ----------
    checkup : Checkup
    out : path
        A folder that does not exist, or is empty; not inside the data folder.

    Returns
    -------
    dict
        What ``fixes.json`` holds: `files`, for each mended file its new name and its changes; `left`, the problems that are still there.

    Raises
    ------
    InputError
        If the folder holds something, or lies inside the data folder.
    RunError
        If the disk refuses.
    """
    out, dataset = Path(out), checkup.survey.dataset
    _refuse(out, dataset.root)
    done, after = mended(checkup.survey)
    _copy(dataset.root, out, set(done))
    files: dict[str, Any] = {}
    for file, one in done.items():
        name = _write(dataset.kind, checkup.survey.classes, one, out / file)
        files[file] = {"written": relative(name, out), "changes": list(one.changes)}
    left = [problem for _, problem in diagnose(after) if problem.severity == "problem"]
    record = {
        "microtome": microtome.__version__,
        "kind": dataset.kind,
        "files": files,
        "left": [
            {"kind": one.kind, "file": one.file, "message": one.message} for one in (*dataset.problems, *left) if one.severity == "problem"
        ],
    }
    with whole_file(out / RECORD) as temporary:
        temporary.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return record


def mended(survey: Survey) -> tuple[dict[str, Mended], Survey]:
    """Mend round by round, one fault of each file a round, since a fault can hide another.

    Returns
    -------
    done : dict of str to Mended
        By file, below the data folder.
    after : Survey
        The same data set as it would be then.
    """
    done: dict[str, Mended] = {}
    for _ in range(_ROUNDS):
        todo = _first_of_each_file(survey)
        entries = {entry.name: entry for entry in survey.dataset}
        before, moved = survey, False
        for pair in before.pairs:
            if pair.file not in todo or pair.mask is None:
                continue
            fault, problem = todo[pair.file]
            one = done.get(pair.file) or Mended(_raw(entries[pair.name]))
            pixels, change = fault.mend(one.raw, problem, before, pair)
            if not change:
                continue
            raw = RawMask(one.raw.path, "tiff" if pixels.ndim == 3 else "png", "grey", pixels, spacing=one.raw.spacing)
            done[pair.file] = Mended(raw, (*one.changes, {"fault": problem.kind, **change}))
            survey = survey.with_pair(with_raw(replace(pair, labels=None), survey.dataset.root, raw, _image(entries[pair.name]), {}))
            moved = True
        if not moved:
            break
    return done, survey


def _first_of_each_file(survey: Survey) -> dict[str, tuple[ModuleType, Problem]]:
    first: dict[str, tuple[ModuleType, Problem]] = {}
    for fault, problem in diagnose(survey):
        if problem.fixable:
            first.setdefault(problem.file, (fault, problem))
    return first


def _raw(entry: Entry) -> RawMask:
    assert isinstance(entry.truth, LabelFile)
    return read_raw(entry.truth.path)


def _image(entry: Entry) -> Image | None:
    from microtome.learn.data.load import load_image

    try:
        with collect_warnings():
            return load_image(entry)
    except MicrotomeError:  # a fault of its own, told before
        return None


def _refuse(out: Path, root: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out}: is there already and not empty; name a new folder for the mended copy")
    if out.resolve().is_relative_to(root.resolve()):
        raise InputError(f"{out}: lies inside the data folder {root}; name a folder beside it, the data is never changed in place")


def _copy(root: Path, out: Path, but: set[str]) -> None:
    for path in _files(root):
        file = relative(path, root)
        if file not in but:
            with whole_file(out / file) as temporary:
                shutil.copyfile(path, temporary)


def _files(root: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(root, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(place, name) for name in sorted(names) if not name.startswith("."))


def _write(kind: Kind, classes: ClassTable, one: Mended, path: Path) -> Path:
    """Under the old name where that can hold it, else as PNG or TIFF."""
    pixels, volume = one.raw.pixels, one.raw.pixels.ndim == 3
    axes, unit = ("zyx" if volume else "yx"), ("um" if one.raw.spacing else "px")
    mask: SemanticMap | InstanceMap
    if kind == "semantic":
        mask = SemanticMap(pixels, axes, one.raw.spacing, unit, classes=classes)
    else:
        mask = InstanceMap(np.asarray(pixels, np.int32), axes, one.raw.spacing, unit)
    tall = volume or int(pixels.max(initial=0)) > 65535
    suffix = ".tif" if tall else ".png"
    kept = path.suffix.lower() in (".tif", ".tiff") or (path.suffix.lower() == ".png" and not tall)
    return write_mask_as(mask, path if kept else path.with_suffix(suffix))
