"""Faults planted in labels come first, with what they are; sound labels come last."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from typer.testing import CliRunner

pytest.importorskip("onnx")

from tests.learn.noisy.planted import RECIPE, faulty, sound, write_data, write_folds

from microtome.app.cli.main import app
from microtome.core.errors import InputError
from microtome.io.masks import read_mask
from microtome.learn.data.find import find_dataset
from microtome.learn.noisy.folds import folds_of
from microtome.learn.noisy.judge import safe


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    root = tmp_path_factory.mktemp("planted")
    made, done = faulty()
    write_data(root / "data", made)
    names = [entry.name for entry in find_dataset(root / "data")]
    write_folds(root / "run", names)
    return root, {f"images/{name}": kind for name, kind in done.items()}


@pytest.fixture(scope="module")
def ranked(planted):
    root, _ = planted
    done = CliRunner().invoke(app, ["noisy", str(root / "data"), "--folds", str(root / "run"), "--out", str(root / "out")])
    assert done.exit_code == 0, done.output
    return done


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_images_with_planted_faults_come_first(planted, ranked):
    root, kinds = planted
    images = rows(root / "out" / "noisy.csv")
    assert len(images) == 12
    assert {row["image"] for row in images[:4]} == set(kinds)
    assert all(float(row["disagreement"]) < 0.25 for row in images[4:])
    for row in images[:4]:
        assert int(row[kinds[row["image"]].replace(" ", "_")]) >= (4 if kinds[row["image"]] == "outline" else 1)


def test_objects_are_named_with_their_kind_and_place(planted, ranked):
    root, kinds = planted
    objects = rows(root / "out" / "noisy_objects.csv")
    first = {}
    for row in objects:
        first.setdefault(row["image"], row)
    assert {name: first[name]["kind"] for name in kinds} == kinds
    bogus = next(row for row in objects if row["kind"] == "not found")
    assert (bogus["label"], bogus["found"]) == ("90", "0")
    labels = read_mask(root / "data" / "masks" / f"{bogus['image'].split('/')[1]}.png").pixels
    inside = np.argwhere(labels == 90)
    assert [float(bogus["y"]), float(bogus["x"])] == inside.mean(0).tolist()
    assert [int(bogus[name]) for name in ("y0", "x0", "y1", "x1")] == [*inside.min(0), *(inside.max(0) + 1)]


def test_the_page_shows_them_with_pictures_and_holds_no_script(planted, ranked):
    root, kinds = planted
    text = (root / "out" / "noisy.html").read_text()
    assert text.count("data:image/png") == 2 * 12 + 2 * 8
    assert "<script" not in text
    assert all(name in text for name in kinds)
    assert "noisy.html" in ranked.output


def test_predictions_are_kept_and_no_input_changes(planted, ranked):
    root, _ = planted
    assert len(list((root / "out" / "predicted").rglob("*.png"))) == 12
    assert len(list((root / "data").rglob("*.png"))) == 24


def test_as_json(planted, tmp_path):
    root, kinds = planted
    done = CliRunner().invoke(app, ["noisy", str(root / "data"), "--folds", str(root / "run" / "fold-2"), "--out", str(tmp_path), "--json"])
    told = json.loads(done.stdout)
    assert len(told["images"]) == 4
    assert told["warnings"] == ["8 labelled images were held out by none of the models and are not judged"]
    assert told["images"][0]["image"] in kinds


def test_an_image_that_cannot_be_read_is_told_and_the_others_are_judged(planted, tmp_path):
    import shutil

    root, _ = planted
    shutil.copytree(root / "data", tmp_path / "data")
    (tmp_path / "data" / "images" / "image-3.png").write_bytes(b"no picture")
    done = CliRunner().invoke(app, ["noisy", str(tmp_path / "data"), "--folds", str(root / "run"), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0
    assert len(rows(tmp_path / "out" / "noisy.csv")) == 11
    assert "images/image-3: not judged" in done.output


def test_class_masks_too(tmp_path):
    """One disc is called background, in one image of four."""
    from microtome.core.raster import SemanticMap
    from microtome.io.images import write
    from microtome.io.masks import write_mask

    for name, image, labels in sound(4):
        write(image, tmp_path / "data" / "images" / f"{name}.png")
        wrong = (labels == 1) if name == "image-2" else (labels < 0)
        write_mask(SemanticMap(np.where(wrong, 0, labels > 0).astype(np.uint8)), tmp_path / "data" / "masks" / name)
    names = [entry.name for entry in find_dataset(tmp_path / "data", kind="semantic")]
    write_folds(tmp_path / "run", names, folds=2, steps=RECIPE["steps"][:2])
    options = ["--folds", str(tmp_path / "run"), "--out", str(tmp_path / "out"), "--task", "semantic"]
    done = CliRunner().invoke(app, ["noisy", str(tmp_path / "data"), *options])
    assert done.exit_code == 0, done.output
    (row,) = rows(tmp_path / "out" / "noisy_objects.csv")
    assert (row["image"], row["kind"], row["label"], row["found"]) == ("images/image-2", "other class", "0", "1")
    assert rows(tmp_path / "out" / "noisy.csv")[0]["image"] == "images/image-2"


def test_of_a_volume_the_page_shows_the_plane_of_the_object():
    from microtome.app.report.noisy import _around, _cut
    from microtome.core.raster import InstanceMap
    from microtome.learn.noisy.rank import doubts

    labels = np.zeros((6, 60, 90), int)
    labels[3:6, 10:20, 70:80] = 1
    (row,) = doubts(InstanceMap(np.zeros_like(labels), axes="zyx"), InstanceMap(labels, axes="zyx"))
    shown = _cut(InstanceMap(labels, axes="zyx"), _around(row, labels.shape))
    assert shown.axes == "yx"
    assert (shown.pixels == 1).sum() == 100


def test_what_is_wrong_is_named(planted, tmp_path):
    root, _ = planted
    with pytest.raises(InputError, match="no such folder"):
        folds_of(tmp_path / "none")
    (tmp_path / "fold-1").mkdir()
    with pytest.raises(InputError, match=r"fold-1: has no split\.csv and no model\.zip"):
        folds_of(tmp_path)
    import shutil

    shutil.copytree(root / "run", tmp_path / "twice")
    shutil.copy(tmp_path / "twice" / "fold-1" / "split.csv", tmp_path / "twice" / "fold-2" / "split.csv")
    with pytest.raises(InputError, match="fold-1 and fold-2 have both held out"):
        folds_of(tmp_path / "twice")
    (tmp_path / "twice" / "fold-2" / "split.csv").write_text("name,group,split\na,,train\n")
    with pytest.raises(InputError, match="has no image with the split 'val'"):
        folds_of(tmp_path / "twice")
    inside = CliRunner().invoke(app, ["noisy", str(root / "data"), "--folds", str(root / "run"), "--out", str(root / "data" / "out")])
    assert "lies inside the data" in str(inside.exception)


def test_another_data_set_is_refused(planted, tmp_path):
    root, _ = planted
    made, _ = faulty()
    write_data(tmp_path / "data", [(f"other-{name}", image, labels) for name, image, labels in made[:2]])
    done = CliRunner().invoke(app, ["noisy", str(tmp_path / "data"), "--folds", str(root / "run"), "--out", str(tmp_path / "out")])
    assert "none of its labelled images was held out" in str(done.exception)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a/../b", "..", "C:\\x\\..\\y"])
def test_no_name_leads_out_of_the_folder(name, tmp_path):
    assert (tmp_path / safe(name)).resolve().is_relative_to(tmp_path.resolve())
