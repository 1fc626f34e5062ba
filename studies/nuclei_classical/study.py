"""Choose the `nuclei` recipe's settings on train, score it once on val. See README.md beside this file."""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from microtome.core.events import collect_warnings
from microtome.core.raster import Image, InstanceMap
from microtome.io import read, read_mask
from microtome.measure.metrics.bootstrap import bootstrap_difference, bootstrap_mean
from microtome.measure.metrics.evaluate import evaluate
from microtome.run.pipeline import segment
from microtome.run.recipe import Recipe
from microtome.run.shipped import find_recipe

HERE = Path(__file__).parent
PLAIN = Recipe.of(
    ("gaussian", {"sigma": 1}),
    "otsu",
    "fill_holes",
    ("split_touching", {"min_distance": 7, "h": 0}),
    ("drop_small", {"min_area": 15}),
    measure=[],
)
START = {"gamma": 1.0, "sigma": 1.0, "min_distance": 7, "h": 1.0, "neck": 1.0, "min_area": 15}
GRID: dict[str, tuple[float, ...]] = {
    "gamma": (0.6, 0.7, 0.8, 0.9, 1.0),
    "sigma": (0.0, 0.5, 1.0, 1.5),
    "min_distance": (2, 3, 5, 7),
    "h": (0.0, 0.5, 0.75, 1.0),
    "neck": (0.8, 0.85, 0.9, 0.95, 1.0),
    "min_area": (15, 20, 25, 30, 40),
}


def candidate(settings: dict[str, float]) -> Recipe:
    """The recipe with these settings."""
    return Recipe.of(
        ("imadjust", {"gamma": settings["gamma"]}),
        ("gaussian", {"sigma": settings["sigma"]}),
        "otsu",
        "fill_holes",
        ("split_touching", {"min_distance": settings["min_distance"], "h": settings["h"], "neck": settings["neck"]}),
        ("drop_small", {"min_area": int(settings["min_area"])}),
        measure=[],
    )


def rows(split: str) -> list[dict[str, str]]:
    """The manifest's rows of one split of the fluorescence pictures."""
    with (_data() / "manifest.csv").open(newline="") as file:
        return [row for row in csv.DictReader(file) if row["kind"] == "fluorescence" and row["split"] == split]


def _data() -> Path:
    root = os.environ.get("MICROTOME_DATA")
    if not root or not (Path(root) / "dsb2018_nuclei").is_dir():
        sys.exit("set MICROTOME_DATA to the folder that holds dsb2018_nuclei (docs/data.md says where it comes from)")
    return Path(root) / "dsb2018_nuclei"


@cache
def _pair(split: str, file: str) -> tuple[Image, InstanceMap]:
    folder = _data() / "fluorescence" / split
    truth = read_mask(folder / "labels" / file)
    if not isinstance(truth, InstanceMap):
        raise TypeError(f"{file}: the label image holds classes")
    return read(folder / "images" / file), truth


def ap_50(document: dict[str, Any], split: str, file: str) -> float:
    """One picture's score."""
    image, truth = _pair(split, file)
    with collect_warnings():
        return evaluate(segment(image, Recipe.from_document(document)).mask, truth, task="instance")["ap_50"]


def scores(pool: ProcessPoolExecutor, recipe: Recipe, split: str) -> np.ndarray[Any, Any]:
    """Every picture's score, in the manifest's order."""
    files = [row["file"] for row in rows(split)]
    return np.array(list(pool.map(ap_50, [recipe.document()] * len(files), [split] * len(files), files, chunksize=16)))


def choose() -> None:
    """Climb one setting at a time on train; then once more without each fold, for an honest estimate."""
    train = rows("train")
    groups = sorted({row["group"] for row in train})
    fold = np.array([groups.index(row["group"]) % 5 for row in train])
    table: dict[tuple[float, ...], np.ndarray[Any, Any]] = {}
    start = time.perf_counter()
    with ProcessPoolExecutor(2) as pool:

        def score(settings: dict[str, float]) -> np.ndarray[Any, Any]:
            key = tuple(settings.values())
            if key not in table:
                table[key] = scores(pool, candidate(settings), "train")
                print(f"{table[key].mean():.4f}  {settings}", flush=True)
            return table[key]

        chosen = _climb(lambda settings: float(score(settings).mean()))
        outside = np.zeros(len(train))
        for number in range(5):
            inside = fold != number
            held = _climb(lambda settings, inside=inside: float(score(settings)[inside].mean()))
            outside[~inside] = score(held)[~inside]
        plain = scores(pool, PLAIN, "train")
    _write("choose", {
        "chosen": chosen,
        "train_ap_50": float(score(chosen).mean()),
        "folds_ap_50": float(outside.mean()),
        "plain_ap_50": float(plain.mean()),
        "tried": [{**dict(zip(START, key, strict=True)), "ap_50": float(value.mean())} for key, value in table.items()],
        "seconds": round(time.perf_counter() - start, 1),
    })  # fmt: skip


def _climb(score: Any) -> dict[str, float]:
    best, changed = dict(START), True
    while changed:
        changed = False
        for name, value in _neighbours(best):
            trial = {**best, name: value}
            if score(trial) > score(best) + 1e-9:
                best, changed = trial, True
    return best


def _neighbours(settings: dict[str, float]) -> Iterator[tuple[str, float]]:
    for name, values in GRID.items():
        for value in values:
            if value != settings[name]:
                yield name, value


def score() -> None:
    """The shipped recipe and the plain chain on val, with intervals and the paired difference."""
    val = rows("val")
    groups = [row["group"] for row in val]
    with ProcessPoolExecutor(2) as pool:
        ours = scores(pool, Recipe.from_document({**find_recipe("nuclei").document(), "measure": []}), "val")
        plain = scores(pool, PLAIN, "val")
    _write("score", {
        "images": len(val),
        "groups": len(set(groups)),
        "nuclei_ap_50": bootstrap_mean(ours, groups=groups)._asdict(),
        "plain_ap_50": bootstrap_mean(plain, groups=groups)._asdict(),
        "gain_ap_50": bootstrap_difference(ours, plain, groups=groups)._asdict(),
        "recipe": find_recipe("nuclei").document(),
        "plain": PLAIN.document(),
        "per_image": [
            {"file": row["file"], "group": row["group"], "nuclei": a, "plain": b}
            for row, a, b in zip(val, ours, plain, strict=True)
        ],
    })  # fmt: skip


def _write(name: str, result: dict[str, Any]) -> None:
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps({key: value for key, value in result.items() if key not in ("tried", "per_image")}, indent=1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("choose", "score"))
    {"choose": choose, "score": score}[parser.parse_args().what]()
