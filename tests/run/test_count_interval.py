"""An interval about counts reaches the table of a run, for bundles that have one and for no other."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from typer.testing import CliRunner

pytest.importorskip("onnx")

from tests.learn.noisy.planted import FOREGROUND, RECIPE, onnx_of
from tests.learn.training.tiny import discs

from microtome.app.cli.main import app
from microtome.core.raster import InstanceMap
from microtome.core.result import Result
from microtome.io.images import write
from microtome.run.bundle import open_bundle, write_bundle
from microtome.run.count_interval import CountInterval, count_interval, count_remarks
from microtome.run.pipeline import run

INTERVAL = CountInterval(0.9, 0.8, 12, 12, 0.92, 9)


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    root = tmp_path_factory.mktemp("bundles")
    for name, facts in (("with", INTERVAL.facts()), ("without", {})):
        write_bundle(root / f"{name}.zip", RECIPE, {"main": onnx_of(FOREGROUND)}, card="discs", facts=facts)
    for number in range(3):
        write(discs(number, count=3 + number)[0], root / "images" / f"p{number % 2}_{number}.png")
    return root


def table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_columns_stand_behind_the_count(bundles, tmp_path):
    options = ["--model", str(bundles / "with.zip"), "--out", str(tmp_path / "out"), "--group", "(p.)_"]
    done = CliRunner().invoke(app, ["segment", str(bundles / "images"), *options])
    assert done.exit_code == 0, done.output
    rows = table(tmp_path / "out" / "images.csv")
    names = list(rows[0])
    assert names[names.index("count") :][:3] == ["count", "count_low", "count_high"]
    for row in rows:
        assert (int(row["count_low"]), int(row["count_high"])) == INTERVAL.around(int(row["count"]))
    assert not [name for name in table(tmp_path / "out" / "groups.csv")[0] if "count_" in name]


def test_a_bundle_that_says_nothing_of_counts_has_no_such_column(bundles, tmp_path):
    done = CliRunner().invoke(
        app, ["segment", str(bundles / "images"), "--model", str(bundles / "without.zip"), "--out", str(tmp_path / "out")]
    )
    assert done.exit_code == 0, done.output
    assert "count_low" not in table(tmp_path / "out" / "images.csv")[0]


def test_workers_write_the_same_table(bundles, tmp_path):
    bundle = open_bundle(bundles / "with.zip")
    rows = []
    for executor in ("serial", "processes"):
        options = {"executor": executor, "workers": 2, "counts": count_interval(bundle.facts)}
        list(run(bundle.recipe, [bundles / "images"], out=tmp_path / executor, **options))
        rows.append([{**row, "seconds": ""} for row in table(tmp_path / executor / "images.csv")])
    assert rows[0] == rows[1]


def test_another_interval_is_another_run(bundles, tmp_path):
    """--resume must not keep rows of the model's former card."""
    recipe = open_bundle(bundles / "with.zip").recipe
    list(run(recipe, [bundles / "images"], out=tmp_path, executor="serial", counts=INTERVAL))
    wider = CountInterval(0.9, 3.0, 12, 12, None, 9)
    list(run(recipe, [bundles / "images"], out=tmp_path, executor="serial", counts=wider, resume=True))
    assert all((int(row["count_low"]), int(row["count_high"])) == wider.around(int(row["count"])) for row in table(tmp_path / "images.csv"))


def test_counts_far_above_those_of_the_held_out_images_are_remarked_on():
    def result(count):
        return Result("a", {"mask": InstanceMap(np.arange(count + 1).reshape(1, -1))})

    assert count_remarks(INTERVAL, result(18)) == []
    (said,) = count_remarks(INTERVAL, result(19))
    assert said.startswith("19 objects, and at most 9")
