"""What docs/how-to/data.md shows is true: its Python runs on folders laid out as it says."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from microtome.core.events import collect_warnings

PAGE = (Path(__file__).parents[3] / "docs" / "how-to" / "data.md").read_text(encoding="utf-8")


def blocks(language):
    return [textwrap.dedent(block) for block in re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)]


def test_its_python_runs(folder, monkeypatch, capsys):
    stems = ("p17_a01", "p17_b03", "p18_a01")
    folder.picture(*(f"cells/images/{stem}.png" for stem in stems), shape=(70, 80))
    folder.mask(*(f"cells/masks/{stem}.png" for stem in stems))
    for stem in stems:
        folder.save(f"cells/masks/{stem}.png", cells())
    folder.picture("stained/images/a_dapi.png", "stained/images/a_actin.png", "plates/images/plate 1/a01.png")
    folder.mask("stained/masks/a.png", "plates/masks/plate 1/a01.png")
    monkeypatch.chdir(folder.root)
    names = {}
    with collect_warnings() as said:
        for block in blocks("python"):
            exec(block, names)
    assert capsys.readouterr().out.startswith("images/ and masks/ (or labels/) by name instance () 3")
    assert [entry.group for entry in names["by_name"]] == ["p17", "p17", "p18"]
    assert [entry.group for entry in names["by_folder"]] == ["plate 1"]
    assert names["parts"].splits == ("train", "val")
    assert all("nothing says what the labels are" in message or "do not divide as asked" in message for message in said)


def cells():
    import numpy as np

    pixels = np.zeros((70, 80), np.uint8)
    pixels[10:20, 10:20], pixels[40:50, 30:60] = 1, 2
    return pixels


def test_its_class_list_is_read(folder):
    from microtome.learn.data.class_list import read_class_list

    (text,) = blocks("json")
    found = read_class_list(folder.text("classes.json", text))
    assert [(entry.value, entry.name, entry.role) for entry in found.classes] == [
        (0, "Sky", "thing"),
        (1, "Building", "thing"),
        (11, "ignored", "ignore"),
    ]


def test_the_layouts_it_draws_are_found(folder):
    from microtome.learn.data.find import find_dataset

    drawn = re.search(r"```text\n(.*?)```", PAGE, re.DOTALL)[1]
    columns = list(zip(*(line.split() for line in drawn.splitlines()), strict=True))
    for number, (image, mask) in enumerate(columns):
        place = f"{number}/"
        folder.picture(place + image)
        folder.mask(place + mask)
        (entry,) = find_dataset(folder.root / place / "cells", kind="instance")
        assert entry.truth is not None
        assert entry.split == ("train" if number else "")


def test_every_kind_of_leak_it_names_exists():
    source = (Path(__file__).parents[3] / "src" / "microtome" / "learn" / "data" / "leaks.py").read_text(encoding="utf-8")
    named = re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.MULTILINE)
    assert len(named) == 4
    assert all(f'"{kind}"' in source for kind in named)
