"""The examples run, and come to what they are said to come to."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name: str, *arguments: str) -> str:
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    done = subprocess.run(command, env={**os.environ, "MPLBACKEND": "Agg"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_demo_finds_the_24_coins_and_most_of_the_102_nuclei_and_writes_its_reports(tmp_path):
    printed = run("demo.py", "--out", str(tmp_path / "demo"))
    assert re.search(r"^coins +recipe coins +24 objects", printed, re.MULTILINE)
    assert 92 <= int(re.search(r"^nuclei +model nuclei +(\d+) objects", printed, re.MULTILINE)[1]) <= 112
    assert len(list(tmp_path.glob("demo/*/report.html"))) == 7


def test_a_folder_is_counted_though_one_image_is_broken(tmp_path):
    printed = run("count_a_folder.py", str(tmp_path))
    assert "plate2_3.png: failed" in printed
    assert re.search(r"^plate1: 3 images, \d+ objects", printed, re.MULTILINE)
    assert "plate2: 3 images" in printed


def test_splitting_finds_more_of_the_truth():
    pieces, split = (float(score) for score in re.findall(r"of 60 +([\d.]+)$", run("compare_with_truth.py"), re.MULTILINE))
    assert split > 0.95 > pieces


def test_otsu_says_what_it_saw(tmp_path):
    assert "thresholds: 87 176" in run("listen_to_a_step.py", str(tmp_path / "picture.png"))
    assert (tmp_path / "picture.png").stat().st_size > 1000


def test_training_on_images_in_memory_ends_in_a_model_that_finds_discs(tmp_path):
    pytest.importorskip("torch")
    printed = run("train_in_python.py", str(tmp_path))
    assert re.search(r"^step  40  loss \d", printed, re.MULTILINE)
    assert (tmp_path / "model.zip").exists()
    assert int(re.search(r"a new image: (\d+) of 6 discs", printed)[1]) >= 4


def test_whole_images_are_told_apart(tmp_path):
    pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    for kind, rows in (("lying", np.s_[6:10, :]), ("standing", np.s_[:, 6:10])):
        (tmp_path / "data" / kind).mkdir(parents=True)
        for number in range(10):
            picture = rng.integers(0, 60, (16, 16), np.uint8)
            picture[rows] += 120
            PIL.Image.fromarray(picture).save(tmp_path / "data" / kind / f"{number}.png")
    printed = run("classify_images.py", str(tmp_path / "data"), str(tmp_path / "run"))
    assert re.search(r"^step 400: 100% of 4 held-out images are right \(2 classes\)", printed, re.MULTILINE)


def test_every_example_is_tested():
    text = Path(__file__).read_text(encoding="utf-8")
    assert all(f'"{path.name}"' in text for path in EXAMPLES.glob("*.py"))
