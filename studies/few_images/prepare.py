"""Another microscope: the 360 x 360 pictures of DSB 2018 apart, and 5, 10 and 30 of them to learn from. See README.md beside this."""

from __future__ import annotations

import csv
import os
import shutil
import sys
from pathlib import Path

UNSEEN = ("g0171", "g0172", "g0174")  # fields of view that no training sees
COUNTS = (5, 10, 30)


def main() -> None:
    """Write ``OUT/base``, ``OUT/few_N`` and ``OUT/unseen``, each with images, labels and ``groups.csv``."""
    root = os.environ.get("MICROTOME_DATA")
    if not root or len(sys.argv) != 2:
        sys.exit("MICROTOME_DATA=/path/to/data python studies/few_images/prepare.py OUT")
    source, out = Path(root) / "dsb2018_nuclei", Path(sys.argv[1])
    with (source / "manifest.csv").open(newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if (row["kind"], row["split"]) == ("fluorescence", "train")]
    here = [row for row in rows if (row["height"], row["width"]) == ("360", "360")]
    _write(out / "base", [row for row in rows if row not in here], source)
    _write(out / "unseen", [row for row in here if row["group"] in UNSEEN], source)
    few = _dealt([row for row in here if row["group"] not in UNSEEN])
    for count in COUNTS:
        _write(out / f"few_{count}", few[:count], source)


def _dealt(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """One of each group, then the next of each: a few pictures are of as many fields as there are."""
    groups: dict[str, list[dict[str, str]]] = {}
    for row in sorted(rows, key=lambda row: row["file"]):
        groups.setdefault(row["group"], []).append(row)
    longest = max(map(len, groups.values()))
    return [members[turn] for turn in range(longest) for _, members in sorted(groups.items()) if turn < len(members)]


def _write(folder: Path, rows: list[dict[str, str]], source: Path) -> None:
    for kind in ("images", "labels"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for row in rows:
            shutil.copyfile(source / "fluorescence" / "train" / kind / row["file"], folder / kind / row["file"])
    with (folder / "groups.csv").open("w", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerows([("image", "group"), *((Path(row["file"]).stem, row["group"]) for row in rows)])
    print(f"{folder}: {len(rows)} images, {len({row['group'] for row in rows})} groups")


if __name__ == "__main__":
    main()
