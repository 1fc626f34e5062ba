"""Every page that is a script runs, draws something, and every step has one."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import numpy as np
import onnx
import onnx.numpy_helper
import pytest

from microtome.run import catalogue

DOCS = Path(__file__).parents[2] / "docs"
SCRIPTS = sorted([*(DOCS / "gallery").rglob("*.py"), *(DOCS / "learn").glob("*.py")])


@pytest.fixture(scope="module")
def run():
    return runpy.run_path(str(DOCS / "make" / "scripts.py"))["run"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_script_runs_and_draws(script, run, monkeypatch):
    monkeypatch.setattr(sys, "argv", [str(script)])
    page = run(script)
    assert page.figures
    assert page.text.startswith("# ")
    assert len(page.text.split("\n\n")[1]) > 40, "a page begins with a title and a reason"


def test_the_network_of_the_gallery_holds_what_its_page_says():
    graph = onnx.load(DOCS / "gallery" / "steps" / "local_contrast.onnx").graph
    weights, bias = (onnx.numpy_helper.to_array(values) for values in graph.initializer)
    contrast = np.full((31, 31), -1 / 31**2)
    contrast[15, 15] += 1
    np.testing.assert_allclose(weights[0, 0], 0.2 * contrast, rtol=1e-6)
    assert (bias.tolist(), [node.op_type for node in graph.node]) == ([-1], ["Conv"])


def test_every_step_has_a_page():
    shown = {f"{path.parent.name}/{path.stem}" for path in (DOCS / "gallery").rglob("*.py")}
    steps = {"/".join(place.split(":")[0].split(".")[-2:]) for place in catalogue.places().values() if place.startswith("microtome.")}
    assert steps <= shown
