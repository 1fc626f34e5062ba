"""Six real pictures, five recipes and a trained model, each with its report.

Copies pictures that come with scikit-image, and one of nuclei from beside this file, into demo/images, then runs the same commands you
would type. Nothing is downloaded. Run it by `make demo`, or with another folder: `python examples/demo.py --out FOLDER`.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage import data

# picture, how it is segmented, by which name, what the picture shows
RUNS = (
    ("coins", "recipe", "coins", "24 coins"),
    ("page", "recipe", "page", "letters and dots, one by one"),
    ("cell", "recipe", "nuclei", "a single cell"),
    ("astronaut", "recipe", "colours", "a photograph in five colours"),
    ("immunohistochemistry", "recipe", "tissue", "the strongly stained part"),
    ("nuclei", "recipe", "nuclei", "102 nuclei, by somebody's count"),
    ("nuclei", "model", "nuclei", "the same, by a trained network"),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--out", type=Path, default=Path("demo"), help="folder for pictures and results (default: demo)")
    out = parser.parse_args().out
    images = out / "images"
    images.mkdir(parents=True, exist_ok=True)

    results = []
    for picture, way, name, shows in RUNS:
        Image.fromarray(pixels_of(picture)).save(images / f"{picture}.png")
        folder = out / (picture if way == "recipe" else f"{picture}-{way}")
        command = ["segment", str(images / f"{picture}.png"), f"--{way}", name, "--out", str(folder), "--report"]
        print("microtome", *command, flush=True)
        start = time.perf_counter()
        told = microtome(*command, "--overwrite", "--json")
        seconds = f"{time.perf_counter() - start:.1f} s"
        results.append((picture, f"{way} {name}", found(told, folder), shows, seconds, told["report"]))

    print()
    for row in [("picture", "by", "found", "what it shows", "time", "report"), *results]:
        print("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths(results), strict=True)).rstrip())
    print(f"\nOpen a report in a browser: {Path(results[0][-1]).resolve()}")
    return 0


def pixels_of(picture: str) -> NDArray[np.uint8]:
    """A picture of ours, or of scikit-image's."""
    own = Path(__file__).parent / "images" / f"{picture}.png"
    return np.asarray(Image.open(own)) if own.exists() else getattr(data, picture)()


def microtome(*arguments: str) -> dict[str, object]:
    """Run the command line as a user would, and read what it printed."""
    run = subprocess.run([sys.executable, "-m", "microtome.app.cli.main", *arguments], stdout=subprocess.PIPE, text=True)
    if run.returncode:
        sys.exit(run.returncode)
    return json.loads(run.stdout)


def found(told: dict[str, object], out: Path) -> str:
    """What a run came to: objects, or, where the recipe gives classes, how much of the picture they take."""
    if told["objects"]:
        return f"{told['objects']} object{'s' if told['objects'] != 1 else ''}"
    with (out / "objects.csv").open(newline="", encoding="utf-8") as file:
        classes = list(csv.DictReader(file))
    with (out / "images.csv").open(newline="", encoding="utf-8") as file:
        part = float(next(csv.DictReader(file))["area_fraction"])
    return f"{len(classes)} class{'es' if len(classes) != 1 else ''}, {part:.0%} of the picture"


def widths(rows: list[tuple[str, ...]]) -> list[int]:
    return [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]


if __name__ == "__main__":
    sys.exit(main())
