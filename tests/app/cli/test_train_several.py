"""Several trainings in the terminal: which one it is, and the table at their end."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from microtome.app.cli.train_several import show_several, train_several  # noqa: E402
from microtome.core.classes import ClassTable  # noqa: E402
from microtome.core.errors import RecipeError  # noqa: E402
from microtome.learn.training.events import Finished, Planned, Stepped, Stopped  # noqa: E402
from microtome.learn.training.folds import Folded  # noqa: E402
from microtome.learn.training.look import Look  # noqa: E402
from microtome.learn.training.pooled import Judged, Pooled  # noqa: E402
from microtome.learn.training.seeds import Spread  # noqa: E402
from microtome.learn.training.several import OfPart  # noqa: E402
from microtome.measure.metrics.bootstrap import Interval  # noqa: E402


def parts(count, score):
    for number in range(1, count + 1):
        name, folder = f"fold {number} of {count}", Path(f"out/fold-{number}")
        yield OfPart(name, folder, Planned(10, 5, "asked for"))
        yield OfPart(name, folder, Stepped(10, 10, 1.0, 0.5, {}, 1e-3, 2.0))
        yield OfPart(name, folder, Finished(10, score + number / 100, folder / "model.zip", 3.0))


def folded(out):
    look = Look(12, 6, 2, {1: 12}, {"uint8": 12}, np.zeros((12, 2), int), "instance", ClassTable(()), np.zeros(0), {}, None, "px", 1)
    pooled = Pooled("ap_50", {"ap_50": Interval(0.625, 0.5, 0.75)}, (Judged("a", "g", 1, 0.5),), {}, look)
    path = out / "folds.json"
    path.write_text(json.dumps({"microtome": "folds", "k": 2, "recipe": {}, "pooled": {"mean": 0.625}}))
    return Folded(pooled, (0.61, 0.62), (7, 5), out / "model.zip", path)


def test_each_fold_is_named_and_the_table_ends_with_the_pooled_score(tmp_path, capsys):
    assert show_several(iter([*parts(2, 0.6), folded(tmp_path)]))
    out, err = capsys.readouterr()
    assert [line for line in err.splitlines() if line.startswith("fold")] == [
        "fold 1 of 2: out/fold-1", "fold 1 of 2: 0.6100 on its held-out images, 3 s",
        "fold 2 of 2: out/fold-2", "fold 2 of 2: 0.6200 on its held-out images, 3 s",
    ]  # fmt: skip
    assert out.splitlines() == [
        "        images   ap_50",
        "fold 1       7  0.6100",
        "fold 2       5  0.6200",
        "pooled      12  0.6250",
        "each image by the model that did not see it, 95 % interval 0.5000 to 0.7500 (6 groups)",
        f"Model: {tmp_path / 'model.zip'} (2 networks)",
    ]


def test_the_spread_over_seeds_is_a_line(tmp_path, capsys):
    assert show_several(iter([Spread("miou_set", {0: 0.5, 1: 0.75}, 0.625, 0.5, 0.75, tmp_path / "seeds.json")]), quiet=True)
    assert capsys.readouterr().out.splitlines() == [
        "        miou_set",
        "seed 0    0.5000",
        "seed 1    0.7500",
        "mean 0.6250, least 0.5000, greatest 0.7500",
        f"Written down: {tmp_path / 'seeds.json'}",
    ]


def test_json_is_one_object_and_nothing_else(tmp_path, capsys):
    show_several(iter([*parts(2, 0.6), folded(tmp_path)]), as_json=True)
    out, err = capsys.readouterr()
    assert json.loads(out) == {"state": "finished", "microtome": "folds", "k": 2, "pooled": {"mean": 0.625}, "folder": str(tmp_path)}
    assert err == ""


def test_what_was_stopped_says_how_to_go_on(capsys):
    assert not show_several(iter([*parts(1, 0.6), OfPart("fold 2 of 2", Path("out/fold-2"), Stopped(4, "asked to stop"))]))
    assert "go on with --resume" in capsys.readouterr().err


def test_options_that_do_not_go_together_are_refused(tmp_path, monkeypatch):
    options = {"out": tmp_path, "held": None, "tensorboard": False, "quiet": True, "as_json": False}
    with pytest.raises(RecipeError, match="one at a time"):
        train_several([], folds=2, seeds=2, **options)
    with pytest.raises(RecipeError, match="--validate"):
        train_several([], folds=2, seeds=None, **{**options, "held": []})
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(RecipeError, match="by one process"):
        train_several([], folds=2, seeds=None, **options)
