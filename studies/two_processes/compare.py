"""The validations of several runs side by side. See README.md beside this file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path


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
    if options.out:
        options.out.write_text(json.dumps(found, indent=1) + "\n")


def _validations(run: Path) -> dict[int, float]:
    """The score at each step that was validated."""
    events = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return {event["step"]: round(event["score"], 5) for event in events if event["event"] == "validation"}


if __name__ == "__main__":
    main()
