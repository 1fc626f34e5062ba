"""The how-to page on annotations: its commands print what it says, its Python runs."""

import json
import re
import shlex
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

import microtome.io.annotations as annotations
from microtome.app.cli.main import app
from microtome.core.errors import MicrotomeError
from microtome.core.kernels.run_lengths import encode
from microtome.core.objects import Object, Objects

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "annotations.md"


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The files that the page speaks of: a ring, a bar over it, and a spot in a second image."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images").mkdir()
    for name in ("a.png", "b.png"):
        cv2.imwrite(f"images/{name}", np.zeros((30, 40), np.uint8))
    masks = np.zeros((3, 30, 40), bool)
    masks[0, 4:14, 5:16] = True
    masks[0, 6:12, 7:14] = False
    masks[1, 11:16, 9:13] = True
    masks[2, 20:26, 20:26] = True
    ring, bar, spot = (Object(k, runs=encode(mask), class_name="cell") for k, mask in enumerate(masks, 1))
    images = [Objects((30, 40), (ring, bar), "a.png"), Objects((30, 40), (spot,), "b.png")]
    annotations.write("cells.json", images, format="coco")
    annotations.write("rois", images, format="imagej")
    points = [[[2, 2], [8, 2], [8, 8]], [[2, 2], [8, 2], [float("nan"), 8]]]
    shapes = [{"label": "cell", "points": one, "shape_type": "polygon"} for one in points]
    document = {"version": "5.5.0", "shapes": shapes, "imagePath": "a.png", "imageData": None, "imageHeight": 30, "imageWidth": 40}
    (tmp_path / "damaged.json").write_text(json.dumps(document))


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("block", blocks("sh"))
def test_commands_print_what_the_page_says(block):
    for command, printed in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
        result = CliRunner().invoke(app, shlex.split(command)[1:])
        if isinstance(result.exception, MicrotomeError):
            assert printed == f"microtome: {result.exception}\n"
        else:
            assert result.exit_code == (1 if "bad  " in printed else 0)
            assert result.output == printed


@pytest.mark.usefixtures("place")
def test_the_python_runs(capsys):
    names: dict[str, object] = {}
    for block in blocks("python"):
        exec(block.replace('"rois"', '"rois again"'), names)
    assert capsys.readouterr().out.splitlines() == [
        "a.png (30, 40) [(1, 'cell', 'runs'), (2, 'cell', 'runs')]",
        "b.png (30, 40) [(3, 'cell', 'runs')]",
        "{'holes filled in': 1, 'pixels gained by filled holes': 42}",
    ]
    assert int((np.asarray(names["labels"]) == 3).sum()) == 36
    assert names["done"].objects == 3


def test_every_format_is_in_the_table():
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in annotations.FORMATS if f"| `{name}` |" not in text] == []
