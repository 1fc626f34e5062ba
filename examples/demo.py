"""Five real pictures, five recipes, five reports.

Copies pictures that come with scikit-image into demo/images, then runs the same commands you would type. Nothing is
downloaded. Run it by `make demo`, or with another folder: `python examples/demo.py --out FOLDER`.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import time
from pathlib import Path

from PIL import Image
from skimage import data

# picture, recipe, what the picture shows
PAIRS = (
    ("coins", "coins", "24 coins"),
    ("page", "page", "letters and dots, one by one"),
    ("cell", "nuclei", "a single cell"),
    ("astronaut", "colours", "a photograph in five colours"),
    ("immunohistochemistry", "tissue", "the strongly stained part"),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--out", type=Path, default=Path("demo"), help="folder for pictures and results (default: demo)")
    out = parser.parse_args().out
    images = out / "images"
    images.mkdir(parents=True, exist_ok=True)

    results = []
    for picture, recipe, shows in PAIRS:
        Image.fromarray(getattr(data, picture)()).save(images / f"{picture}.png")
        command = ["segment", str(images / f"{picture}.png"), "--recipe", recipe, "--out", str(out / picture), "--report"]
        print("microtome", *command, flush=True)
        start = time.perf_counter()
        told = microtome(*command, "--overwrite", "--json")
        results.append((picture, recipe, found(told, out / picture), shows, f"{time.perf_counter() - start:.1f} s", told["report"]))

    print()
    for row in [("picture", "recipe", "found", "what it shows", "time", "report"), *results]:
        print("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths(results), strict=True)).rstrip())
    print(f"\nOpen a report in a browser: {Path(results[0][-1]).resolve()}")
    return 0


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
