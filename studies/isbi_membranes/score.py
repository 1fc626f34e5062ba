"""Score trained models on sections of ISBI 2012: pixel error, adapted Rand error, warping error. See README.md beside this file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from microtome.core.events import collect_warnings
from microtome.core.raster import InstanceMap
from microtome.learn.data.find import find_dataset
from microtome.learn.data.load import samples
from microtome.measure.metrics.evaluate import evaluate
from microtome.measure.metrics.warping import warping
from microtome.run.bundle import find_bundle
from microtome.run.pipeline import segment

KEYS = ("pixel error", "adapted Rand error", "warping error")


def main() -> None:
    """Print a line a model, and write ``--out``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="a part that prepare.py wrote, such as OUT/val")
    parser.add_argument("models", nargs="+", metavar="NAME=MODEL")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with collect_warnings():
        sections = list(samples(find_dataset(options.data, kind="instance")))
        result = {}
        for text in options.models:
            name, _, place = text.partition("=")
            recipe = find_bundle(place).recipe
            errors = [_errors(segment(one.image, recipe).mask, one.truth) for one in sections]
            result[name] = dict(zip(KEYS, np.mean(errors, axis=0).round(6).tolist(), strict=True))
            print(f"{name:<24}", "  ".join(f"{key} {value:.5f}" for key, value in result[name].items()), flush=True)
    if options.out:
        options.out.write_text(json.dumps({"sections": len(sections), "models": result}, indent=1) + "\n")


def _errors(found: InstanceMap, truth: InstanceMap) -> list[float]:
    cells, true_cells = found.pixels > 0, truth.pixels > 0
    rand = evaluate(found, truth, task="instance", metrics=["are"])["are"]
    return [float((cells != true_cells).mean()), rand, warping(cells, true_cells)]


if __name__ == "__main__":
    main()
