"""Score the tuned recipe and the plain chain on val, paired. See README.md beside this file."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from microtome.learn.data.find import find_dataset
from microtome.learn.tune.score import Scorer
from microtome.measure.metrics.bootstrap import bootstrap_difference, bootstrap_mean
from microtome.run.executors.processes import Pool
from microtome.run.recipe import Recipe

HERE = Path(__file__).parent
METRIC = "ap_50"


def main() -> None:
    """Write ``results/val.json``."""
    root = os.environ.get("MICROTOME_DATA")
    if not root:
        sys.exit("set MICROTOME_DATA to the folder that holds dsb2018_nuclei (docs/data.md says where it comes from)")
    folder = Path(root) / "dsb2018_nuclei"
    val = find_dataset(folder / "fluorescence", kind="instance", manifest=folder / "manifest.csv").part("val")
    recipes = {"plain": Recipe.read(HERE / "plain.yaml"), "tuned": Recipe.read(HERE / "results" / "recipe.yaml")}
    groups = val.groups()
    with Pool(os.cpu_count() or 1) as pool:
        scores = {name: Scorer(val, METRIC, pool=pool)(recipe, range(len(val))) for name, recipe in recipes.items()}
    result = {
        "metric": METRIC,
        "images": len(val),
        "groups": len(set(groups)),
        **{name: bootstrap_mean(values, groups=groups)._asdict() for name, values in scores.items()},
        "gain": bootstrap_difference(scores["tuned"], scores["plain"], groups=groups)._asdict(),
    }
    rows = [
        {"image": entry.name, "group": group, **{name: scores[name][place] for name in scores}}
        for place, (entry, group) in enumerate(zip(val, groups, strict=True))
    ]
    (HERE / "results" / "val.json").write_text(json.dumps({**result, "per_image": rows}, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
