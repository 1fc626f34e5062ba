"""The how-to page on masks runs from top to bottom."""

import re
from pathlib import Path

import numpy as np

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "masks.md"


def test_the_page_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        exec(block, names)
    for back in (names["again"], names["ids"], names["mask"]):
        np.testing.assert_array_equal(np.asarray(back), np.asarray(names["cells"]))
    assert capsys.readouterr().out == "cells.zip: 2 objects\n"
    assert names["path"].name == "well.03.png"
