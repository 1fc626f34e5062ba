"""Do engines and precisions change what a model finds? Its held-out images, by each engine. See README.md beside this file."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

import numpy as np

from microtome.core.events import collect_warnings
from microtome.core.result import Sample
from microtome.learn.data.find import find_dataset
from microtome.learn.data.load import samples
from microtome.measure.metrics.evaluate import evaluate
from microtome.run.bundle import find_bundle
from microtome.run.engines.choose import settle
from microtome.run.pipeline import segment
from microtome.run.recipe import Recipe

ENGINES = ("onnxruntime", "openvino:float32", "openvino:bfloat16", "torch:float32", "torch:bfloat16")


def main() -> None:
    """Print a line an engine, and write ``--out``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="a bundle, or a shipped model")
    parser.add_argument("split", type=Path, help="the run's split.csv: the images it held out are scored")
    parser.add_argument("--engines", nargs="+", default=ENGINES, help="those to compare; the first is what the others are compared with")
    parser.add_argument("--int8", help="the same model in 8 bits, of `microtome bundle export --int8`")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    held = _held(options.split)
    recipe = find_bundle(options.model).recipe
    ways = {engine: settle(recipe, engine)[0] for engine in options.engines}
    if options.int8:
        small = find_bundle(options.int8).recipe
        ways |= {f"{engine}, 8 bits": settle(small, engine)[0] for engine in ("onnxruntime", "openvino")}
    rows, base = {}, None
    for name, way in ways.items():
        found = _score(way, held)
        base = found if base is None else base
        rows[name] = {"ap_50": round(found, 5), "difference": round(found - base, 5)}
        print(f"{name:<22} ap_50 {found:.4f}  {found - base:+.4f}", flush=True)
    if options.out:
        options.out.write_text(json.dumps({"images": len(held), "engines": rows}, indent=1) + "\n")


def _held(split: Path) -> list[Sample]:
    root = os.environ.get("MICROTOME_DATA")
    if not root:
        sys.exit("set MICROTOME_DATA to the folder that holds dsb2018_nuclei (docs/data.md says where it comes from)")
    place = Path(root) / "dsb2018_nuclei"
    names = {Path(line.split(",")[0]).name for line in split.read_text().splitlines() if line.split(",")[2] == "val"}
    with collect_warnings():
        data = find_dataset(place / "fluorescence", kind="instance", manifest=place / "manifest.csv").part("train")
        return list(samples(data.only([entry for entry in data if Path(entry.name).name in names])))


def _score(recipe: Recipe, held: list[Sample]) -> float:
    """The mean ap_50 of the images."""
    with collect_warnings():
        masks = (segment(sample.image, recipe).mask for sample in held)
        found = [evaluate(mask, one.truth, task="instance", metrics=["ap_50"])["ap_50"] for mask, one in zip(masks, held, strict=True)]
    return float(np.mean(found))


if __name__ == "__main__":
    main()
