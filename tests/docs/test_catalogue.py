"""docs/catalogue.md tells the truth: each row is built, at a path that exists, or planned; and no step is missing."""

from __future__ import annotations

import re
from pathlib import Path

from microtome.run import catalogue

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "catalogue.md").read_text(encoding="utf-8")
ROWS = [
    (name.strip(), where.strip())
    for name, where in re.findall(r"^\| (.+) \| (.+) \|$", TEXT, re.MULTILINE)
    if name not in ("method", "network")
]


def test_every_row_is_built_or_planned():
    assert len(ROWS) > 200
    for name, where in ROWS:
        path = re.fullmatch(r"`(src/microtome/[\w/.]+)`", where)
        assert where == "planned" or (path and (ROOT / path[1]).exists()), f"{name}: {where}"


def test_every_step_has_its_row():
    listed = {where.strip("`") for _, where in ROWS}
    ours = [place.split(":")[0] for place in catalogue.places().values() if place.startswith("microtome.")]
    missing = [path for path in (f"src/{module.replace('.', '/')}.py" for module in ours) if path not in listed]
    assert not missing
