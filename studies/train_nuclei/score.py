"""Score trained models beside the classical recipe and the plain chain, paired, at three sizes. See README.md beside this file."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from microtome.core.events import collect_warnings
from microtome.core.raster import Image, InstanceMap
from microtome.core.regrid import nearest
from microtome.core.result import Sample
from microtome.learn.data.dataset import Dataset
from microtome.learn.data.find import find_dataset
from microtome.learn.data.load import samples
from microtome.measure.metrics.bootstrap import bootstrap_difference, bootstrap_mean
from microtome.measure.metrics.evaluate import evaluate
from microtome.methods.prepare.to_grey import to_grey
from microtome.run.bundle import find_bundle
from microtome.run.pipeline import segment
from microtome.run.recipe import Recipe
from microtome.run.shipped import find_recipe
from microtome.run.tiles.resize import resized, scaled_shape

HERE = Path(__file__).parent
METRIC = "ap_50"
SIZES = (0.5, 1.0, 2.0)


def main() -> None:
    """Print a table, and write it to ``results/NAME.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="+", metavar="NAME=MODEL", help="a name for the table, and a bundle or a shipped model")
    parser.add_argument("--part", default="val", help="val; or train for a look while choosing (only the run's held-out images then)")
    parser.add_argument("--kind", default="fluorescence", choices=("fluorescence", "histology"))
    parser.add_argument("--only", type=Path, help="a run's split.csv: only the images it held out")
    parser.add_argument("--sizes", action="store_true", help="also at half and at twice the size")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    data = data_of(options.kind, options.part, options.only)
    recipes = {"plain chain": Recipe.read(HERE.parent / "tune_nuclei" / "plain.yaml"), "recipe nuclei": find_recipe("nuclei")}
    for text in options.models:
        name, _, place = text.partition("=")
        recipes[name] = find_bundle(place).recipe
    result = {str(size): _table(data, recipes, size) for size in (SIZES if options.sizes else (1.0,))}
    about = {
        "metric": METRIC,
        "kind": options.kind,
        "part": options.part,
        "images": len(data),
        "groups": len(set(data.groups())),
        "sizes": result,
    }
    for size, rows in result.items():
        print(f"{options.kind} {options.part}, {len(data)} images, x{size}")
        for name, row in rows.items():
            low, high = row["score"]["low"], row["score"]["high"]
            gain = row.get("gain_over_recipe")
            paired = f"   over recipe nuclei {gain['mean']:+.3f} ({gain['low']:+.3f} to {gain['high']:+.3f})" if gain else ""
            print(f"  {name:<16} {row['score']['mean']:.3f} ({low:.3f} to {high:.3f}){paired}")
    if options.out:
        options.out.write_text(json.dumps({**about, "sizes": result}, indent=1) + "\n")


def data_of(kind: str, part: str, only: Path | None) -> Dataset:
    root = os.environ.get("MICROTOME_DATA")
    if not root:
        sys.exit("set MICROTOME_DATA to the folder that holds dsb2018_nuclei (docs/data.md says where it comes from)")
    folder = Path(root) / "dsb2018_nuclei"
    data = find_dataset(folder / kind, kind="instance", manifest=folder / "manifest.csv").part(part)
    if only is None:
        return data
    held = {Path(line.split(",")[0]).name for line in only.read_text().splitlines() if line.split(",")[2] == "val"}
    return data.only([entry for entry in data if Path(entry.name).name in held])


def _table(data: Dataset, recipes: dict[str, Recipe], size: float) -> dict[str, dict[str, Any]]:
    groups = data.groups()
    scores: dict[str, list[float]] = {name: [] for name in recipes}
    with collect_warnings():
        for sample in (_sized(_bright_on_dark(one), size) for one in samples(data)):
            for name, recipe in recipes.items():
                scores[name].append(evaluate(segment(sample.image, recipe).mask, sample.truth, task="instance", metrics=[METRIC])[METRIC])
    rows: dict[str, dict[str, Any]] = {}
    for name, values in scores.items():
        rows[name] = {"score": bootstrap_mean(values, groups=groups)._asdict(), "per_image": values}
        if name not in ("plain chain", "recipe nuclei"):
            rows[name]["gain_over_recipe"] = bootstrap_difference(values, scores["recipe nuclei"], groups=groups)._asdict()
    return rows


def _bright_on_dark(sample: Sample) -> Sample:
    """Stained tissue as grey, light and dark exchanged; fluorescence as it is."""
    if not sample.image.has_channels and "histology" not in sample.image.source:
        return sample
    grey = to_grey(sample.image).pixels
    return Sample(Image(255 - grey), sample.truth, sample.group, sample.name)


def _sized(sample: Sample, size: float) -> Sample:
    """The picture and its truth as another microscope would have them."""
    if size == 1:
        return sample
    pixels = sample.image.pixels
    shape = scaled_shape(sample.image.shape, (size, size))
    flat = pixels if sample.image.has_channels else pixels[..., None]
    larger = np.rint(resized(flat.astype(np.float32), shape)).astype(pixels.dtype)
    image = Image(larger if sample.image.has_channels else larger[..., 0], axes=sample.image.axes)
    return Sample(image, InstanceMap(nearest(sample.truth.pixels, shape)), sample.group, sample.name)


if __name__ == "__main__":
    main()
