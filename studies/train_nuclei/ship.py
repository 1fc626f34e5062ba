"""Make the model that comes with Microtome of a run: colour is taken too, brightness is clipped, weights are halved. See README.md."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from microtome.run.bundle import example_of, find_bundle, open_bundle, write_bundle
from microtome.run.bundle_file import ARCHITECTURE, WEIGHTS, read_beside, read_member, split_member
from microtome.run.halve import halve
from microtome.run.quantise import unplaced

HERE = Path(__file__).parent
PLACE = HERE.parents[1] / "src" / "microtome" / "shipped" / "models" / "nuclei.zip"


def main() -> None:
    """Write the shipped model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="RUN/model.zip")
    parser.add_argument("--out", type=Path, default=PLACE)
    options = parser.parse_args()
    bundle = find_bundle(options.model)
    (place,) = bundle.recipe.networks
    document = unplaced(bundle.recipe)
    document["about"] = "Bright nuclei on a dark ground, small and large, touching ones apart: a network."
    document["steps"] = [{"to_grey": {"weights": "mean"}}, *map(_hardened, document["steps"])]
    parts = {
        "facts": bundle.facts,
        "card": (HERE / "card.md").read_text(encoding="utf-8"),
        "weights": read_beside(place, WEIGHTS),
        "architectures": {"main": json.loads(read_beside(place, ARCHITECTURE))},
    }
    networks = {"main": read_member(*split_member(place))}
    with tempfile.TemporaryDirectory() as folder:
        first = open_bundle(write_bundle(Path(folder) / "first.zip", document, networks, **parts))
        whole = write_bundle(Path(folder) / "whole.zip", document, networks, **parts, example=example_of(bundle, first.recipe))
        options.out.parent.mkdir(parents=True, exist_ok=True)
        halve(open_bundle(whole), options.out)
    print(f"{options.out}: {options.out.stat().st_size / 1e6:.2f} MB")


def _hardened(step: Any) -> Any:
    """Hot pixels no longer count, and a field of few nuclei is not stretched until its noise looks like some."""
    return {"normalise": {**step["normalise"], "hi": 99.9, "clip": True}} if "normalise" in step else step


if __name__ == "__main__":
    main()
