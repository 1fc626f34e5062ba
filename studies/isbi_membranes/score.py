"""Score trained models on sections of ISBI 2012: pixel error, adapted Rand error, warping error. See README.md beside this file."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from microtome.core.classes import ClassTable
from microtome.core.events import collect_warnings
from microtome.core.raster import InstanceMap, ScoreMap, SemanticMap
from microtome.core.result import Sample
from microtome.learn.data.find import find_dataset
from microtome.learn.data.load import samples
from microtome.measure.metrics.evaluate import evaluate
from microtome.measure.metrics.warping import warping
from microtome.methods.segment.connected_components import connected_components
from microtome.run.bundle import find_bundle
from microtome.run.execute import execute
from microtome.run.graph import plan

KEYS = ("pixel error", "adapted Rand error", "warping error")
LEVELS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
CELL = ClassTable.binary("cell")


def main() -> None:
    """Print two lines a model, and write ``--out``."""
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
            at = _at_each_level(place, sections)
            least = {key: min((errors[key], level) for level, errors in at.items()) for key in KEYS}
            result[name] = {"levels": {str(level): errors for level, errors in at.items()}, "least": least}
            print(f"{name:<10} at 0.5:", "  ".join(f"{key} {at[0.5][key]:.5f}" for key in KEYS), flush=True)
            print(f"{'':<10} least: ", "  ".join(f"{key} {value:.5f} (above {level})" for key, (value, level) in least.items()), flush=True)
    if options.out:
        options.out.write_text(json.dumps({"sections": len(sections), "models": result}, indent=1) + "\n")


def _at_each_level(place: str, sections: list[Sample]) -> dict[float, dict[str, float]]:
    """The mean errors over sections where a pixel is cell if its probability is above each level."""
    recipe = find_bundle(place).recipe
    chances = [_chance(execute(plan(recipe), one.image, scores=True).scores) for one in sections]
    found = {}
    for level in LEVELS:
        errors = [_errors(chance > level, one.truth) for chance, one in zip(chances, sections, strict=True)]
        found[level] = dict(zip(KEYS, np.mean(errors, axis=0).round(6).tolist(), strict=True))
    return found


def _chance(scores: Mapping[str, ScoreMap]) -> NDArray[np.float32]:
    """How likely each pixel is cell: the last layer of what the network said."""
    (said,) = scores.values()
    return np.asarray(said.pixels[..., -1], np.float32)


def _errors(cells: NDArray[np.bool_], truth: InstanceMap) -> list[float]:
    true_cells = truth.pixels > 0
    pieces = connected_components(SemanticMap(cells.astype(np.uint8), classes=CELL), connectivity="faces")
    rand = evaluate(pieces, truth, task="instance", metrics=["are"])["are"]
    return [float((cells != true_cells).mean()), rand, warping(cells, true_cells)]


if __name__ == "__main__":
    main()
