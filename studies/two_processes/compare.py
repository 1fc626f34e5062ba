"""The validations of several runs side by side, and how far the last ones differ. See README.md beside this file."""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

import numpy as np


def main() -> None:
    """Print a line a validation, and write ``--out``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    found = {run.name: _validations(run) for run in options.runs}
    print(f"{'step':>6}", *(f"{name:>8}" for name in found))
    for step in next(iter(found.values())):
        print(f"{step:>6}", *(f"{scores[step]:8.4f}" if step in scores else " " * 8 for scores in found.values()))
    first, apart = options.runs[0], {}
    for run in options.runs[1:]:
        mean, low, high = apart[run.name] = _difference(first, run)
        print(f"{run.name} - {first.name}: {mean:+.4f} ({low:+.4f} to {high:+.4f})")
    if options.out:
        options.out.write_text(json.dumps({"validations": found, "differences": apart}, indent=1) + "\n")


def _difference(first: Path, second: Path, draws: int = 10_000) -> list[float]:
    """Of the last validations: the mean over images of what the second has more, with 95 % by bootstrap over groups."""
    mine, theirs = _last(first), _last(second)
    with (first / "split.csv").open(newline="") as lines:
        group = {row["name"]: row["group"] or row["name"] for row in csv.DictReader(lines)}
    members: dict[str, list[float]] = {}
    for name, score in mine.items():
        members.setdefault(group[name], []).append(theirs[name] - score)
    sums, counts = (np.array([how(one) for one in members.values()]) for how in (sum, len))
    drawn = np.random.default_rng(0).integers(len(sums), size=(draws, len(sums)))
    means = sums[drawn].sum(1) / counts[drawn].sum(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return [round(float(one), 4) for one in (sums.sum() / counts.sum(), low, high)]


def _last(run: Path) -> dict[str, float]:
    """Each held-out image's score at the last validation."""
    events = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [event["images"] for event in events if event["event"] == "validation"][-1]


def _validations(run: Path) -> dict[int, float]:
    """The score at each step that was validated."""
    events = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return {event["step"]: round(event["score"], 5) for event in events if event["event"] == "validation"}


if __name__ == "__main__":
    main()
