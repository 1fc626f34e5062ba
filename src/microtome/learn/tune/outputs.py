"""What a search leaves on disk: the recipe, its story, and the journal that a resumed search goes on from."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from microtome.core.errors import InputError, RunError
from microtome.core.table import rows_to_csv
from microtome.io.annotations.document import read_json
from microtome.io.whole import whole_file

if TYPE_CHECKING:
    from microtome.learn.tune.tune import Part, Tuned

__all__ = ["JOURNAL", "begun", "write"]

JOURNAL = "scores.jsonl"
PLAN = "plan.json"
HELD = ".searching"


@contextmanager
def begun(out: Path, plan: Mapping[str, Any], *, resume: bool) -> Iterator[Path]:
    """Note what is searched, and hold the folder for the length of the block; the journal's path.

    Raises
    ------
    InputError
        If the folder holds a search already and it is not to be resumed, or it is another search.
    RunError
        If another process is searching there.
    """
    there = out / PLAN
    if out.exists() and not out.is_dir():
        raise InputError(f"{out}: is a file; name a folder for the results")
    if there.exists():
        if not resume:
            raise InputError(f"{out}: holds a search already; go on with it (--resume), or choose another folder")
        _check_same(out, plan)
    elif out.is_dir() and any(not one.name.startswith(".") for one in out.iterdir()):
        raise InputError(f"{out}: is not empty and holds no search; choose another folder")
    with _held(out):
        with whole_file(there) as temporary:
            temporary.write_text(json.dumps(plan, indent=1) + "\n", encoding="utf-8")
        yield out / JOURNAL


def _check_same(out: Path, plan: Mapping[str, Any]) -> None:
    before = read_json(out / PLAN)
    if not isinstance(before, dict):
        raise InputError(f"{out / PLAN}: is damaged; choose another folder")
    plan = json.loads(json.dumps(plan))
    differ = [key for key in plan if before.get(key) != plan[key]]
    if differ:
        raise InputError(f"{out}: the search there was another one ({', '.join(differ)} differ); choose another folder, "
                         "or give what was given then")  # fmt: skip


@contextmanager
def _held(out: Path) -> Iterator[None]:
    """Keep other processes out of a folder. What a process that was killed left behind is taken over."""
    path = out / HELD
    out.mkdir(parents=True, exist_ok=True)
    own = {"process": os.getpid(), "machine": platform.node()}
    try:
        file = path.open("x", encoding="utf-8")
    except FileExistsError:
        other = _holder(path)
        if other.get("machine") != own["machine"] or _is_running(other.get("process")):
            raise RunError(f"{out}: another process searches there (process {other.get('process')} on {other.get('machine')}): let it end, "
                           f"or choose another folder; if there is none, remove {path}") from None  # fmt: skip
        file = path.open("w", encoding="utf-8")
    with file:
        json.dump(own, file)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _holder(path: Path) -> Mapping[str, Any]:
    try:
        found = read_json(path)
    except InputError:
        return {}
    return found if isinstance(found, dict) else {}


def _is_running(process: Any) -> bool:
    if not isinstance(process, int):
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def write(out: Path, plan: Mapping[str, Any], result: Tuned, parts: Sequence[Part]) -> None:
    """Write ``recipe.yaml``, ``tune.json``, ``trials.csv`` and ``images.csv``."""
    _text(out / "recipe.yaml", result.recipe.to_yaml())
    _text(out / "tune.json", json.dumps(summary(plan, result), indent=1) + "\n")
    _text(out / "trials.csv", _trials(result))
    _text(out / "images.csv", _images(result, parts))


def _text(path: Path, text: str) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def summary(plan: Mapping[str, Any], result: Tuned) -> dict[str, Any]:
    """The result as plain data."""
    return {
        "metric": result.metric,
        "images": len(result.images),
        "groups": len(set(result.groups)),
        "start": result.start_mean._asdict(),
        "unseen": result.unseen._asdict(),
        "gain": result.gain._asdict(),
        "chosen_on_all_images": sum(result.chosen_scores) / len(result.chosen_scores),
        "recipe": result.recipe.document(),
        "start_recipe": result.start.document(),
        "settings": [
            {"setting": knob.place, "searched": str(knob).partition(": ")[2], "start": knob.start, "chosen": result.settings[knob.place],
             "chosen_by_folds": [settings[knob.place] for settings in result.fold_settings], "worth": result.worth[knob.place]}
            for knob in result.knobs
        ],
        "failed": dict(result.failed),
        "seconds": round(result.seconds, 1),
        **{key: plan[key] for key in ("microtome", "trials", "folds", "seed")},
    }  # fmt: skip


def _trials(result: Tuned) -> str:
    rows = [
        {"part": part, "trial": trial.number, "score": trial.score, "images_scored": trial.seen, "whole": trial.whole, **trial.settings}
        for part, trials in result.trials.items()
        for trial in trials
    ]
    return rows_to_csv(["part", "trial", "score", "images_scored", "whole", *(knob.place for knob in result.knobs)], rows)


def _images(result: Tuned, parts: Sequence[Part]) -> str:
    fold = {place: number for number, (_, _, outside) in enumerate(parts, 1) for place in outside}
    rows = [
        {"image": image, "group": group, "fold": fold[place], "start": start, "unseen": unseen, "chosen": chosen}
        for place, (image, group, start, unseen, chosen) in enumerate(
            zip(result.images, result.groups, result.start_scores, result.unseen_scores, result.chosen_scores, strict=True)
        )
    ]
    return rows_to_csv(["image", "group", "fold", "start", "unseen", "chosen"], rows)
