"""The page of a finished training shows how sure the model is; one that goes on does not show what an earlier one left."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from microtome.app.report.train import write_page
from microtome.learn.calibrate.reliability import RELIABILITY, reliability_picture
from microtome.learn.calibrate.temperature import Said, calibrate
from microtome.learn.training.events import Finished, Planned, Stepped
from microtome.learn.training.run_folder import record

Open = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    sure = [Said(np.full(10, 0.9), (np.arange(10) < 6).astype(int), name) for name in "ab"]
    (tmp_path / RELIABILITY).write_text(reliability_picture({"interior_border": calibrate(sure)}))
    return tmp_path


def step() -> Stepped:
    return Stepped(10, 10, 1.0, 0.5, {"mask": 0.5}, 1e-3, 1.0)


def test_the_picture_is_on_the_page_of_a_finished_training(run: Path, open_page: Open) -> None:
    list(record(run, iter((Planned(10, 10, "x"), step(), Finished(10, 0.9, run / "model.zip", 1.0)))))
    page = open_page(write_page(run), "html[data-ready]")
    shown = page.locator("#reliability img")
    assert shown.evaluate("image => image.decode().then(() => image.naturalWidth)") == 440
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_before_the_end_there_is_none(run: Path) -> None:
    list(record(run, iter((Planned(10, 10, "x"), step()))))
    assert 'id="reliability"' not in write_page(run).read_text()
