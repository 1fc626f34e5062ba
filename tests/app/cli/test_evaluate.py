"""The command: tables, a page, two results side by side, a recipe's score; what is wrong is named and the rest is scored."""

from __future__ import annotations

import csv
import json
import zipfile

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from microtome.app.cli.main import app
from microtome.core.errors import MicrotomeError
from microtome.core.raster import InstanceMap
from microtome.io.masks import write_mask

RUNNER = CliRunner()


def microtome(*arguments):
    """Exit code, standard output and standard error; an error of ours is code 2, as `run` has it."""
    result = RUNNER.invoke(app, [str(argument) for argument in arguments])
    if isinstance(result.exception, MicrotomeError):
        return 2, result.stdout, str(result.exception)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def discs(*centres, shape=(60, 80), radius=8):
    labels = np.zeros(shape, np.int32)
    for number, (y, x) in enumerate(centres, 1):
        labels[np.hypot(*np.ogrid[-y : shape[0] - y, -x : shape[1] - x]) < radius] = number
    return labels


@pytest.fixture
def data(tmp_path):
    """Two bright pictures with their labels, laid out as a data set."""
    for number, centres in enumerate([((20, 20), (40, 60)), ((30, 40),)]):
        labels = discs(*centres)
        for folder in ("images", "labels"):
            (tmp_path / "data" / folder).mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / "data" / "images" / f"well{number}.png"), np.where(labels > 0, 200, 20).astype(np.uint8))
        write_mask(InstanceMap(labels), tmp_path / "data" / "labels" / f"well{number}")
    return tmp_path / "data"


@pytest.fixture
def pred(tmp_path):
    """One object found, one missed, one added."""
    (tmp_path / "pred").mkdir()
    write_mask(InstanceMap(discs((20, 20), (10, 70))), tmp_path / "pred" / "well0")
    write_mask(InstanceMap(discs((30, 40))), tmp_path / "pred" / "well1")
    return tmp_path / "pred"


def test_out_holds_scores_tables_and_a_page(data, pred, tmp_path):
    out = tmp_path / "out"
    code, printed, told = microtome("evaluate", pred, data / "labels", "--out", out, "--metrics", "all")
    assert code == 0
    scores = json.loads((out / "scores.json").read_text())
    assert scores["metrics"]["ap_50"]["value"] == pytest.approx((1 / 3 + 1) / 2)
    assert scores["objects"] == {"objects_true": 3, "objects_predicted": 3, "matched": 2, "missed": 1, "merged": 0, "split": 0, "added": 1,
                                 "merges": 0, "splits": 0}  # fmt: skip
    assert all(one["definition"].endswith(".") for one in scores["metrics"].values())
    with (out / "objects.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["image"], row["side"], row["fate"]) for row in rows if row["fate"] != "matched"] == [
        ("well0", "truth", "missed"), ("well0", "pred", "added")]  # fmt: skip
    page = (out / "evaluate.html").read_text()
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert str(out / "evaluate.html") in printed
    assert "coco_ap" in told


def test_json_keeps_its_keys_and_says_more(data, pred):
    code, printed, _ = microtome("evaluate", pred, data / "labels", "--json")
    found = json.loads(printed)
    assert code == 0
    assert found["tp_50"] == 2
    assert isinstance(found["tp_50"], int)
    assert (found["images"], found["failures"]) == (2, {})
    low, high = found["intervals"]["ap_50"]
    assert low <= found["ap_50"] <= high
    assert "tp_50" not in found["intervals"]


def test_a_data_set_is_segmented_by_a_recipe_and_scored(data, tmp_path):
    recipe = tmp_path / "discs.yaml"
    recipe.write_text("microtome: 1\nsteps: [otsu, connected_components]\n")
    out = tmp_path / "out"
    code, printed, _ = microtome("evaluate", data, "--recipe", recipe, "--out", out, "--json")
    assert code == 0
    assert json.loads(printed)["ap_90"] == 1
    assert (out / "segmented" / "run.json").exists()
    assert microtome("evaluate", data, "--recipe", recipe, "--out", out)[0] == 0  # again, over the first
    assert json.loads(microtome("evaluate", data, "--recipe", recipe, "--json")[1])["ap_90"] == 1


def test_the_channel_that_is_segmented_can_be_chosen(data, tmp_path):
    for path in sorted((data / "images").iterdir()):
        grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        cv2.imwrite(str(path), np.stack([255 - grey, grey, 255 - grey], -1))
    recipe = tmp_path / "discs.yaml"
    recipe.write_text("microtome: 1\nsteps: [otsu, connected_components]\n")
    assert microtome("evaluate", data, "--recipe", recipe, "--json")[0] == 1
    assert json.loads(microtome("evaluate", data, "--recipe", recipe, "--channel", "1", "--json")[1])["ap_90"] == 1
    assert "--channel: is what --recipe or --model segments" in microtome("evaluate", data, data, "--channel", "1")[2]


def test_an_image_the_recipe_cannot_segment_is_named_with_its_reason(data):
    (data / "images" / "well1.png").write_bytes(b"no picture")
    code, printed, _ = microtome("evaluate", data, "--recipe", "nuclei", "--json")
    assert code == 1
    found = json.loads(printed)
    assert list(found["failures"]) == ["images/well1"]
    (reason,) = (note for note in found["notes"] if "well1.png" in note)
    assert reason in microtome("evaluate", data, "--recipe", "nuclei")[2]


def test_two_results_stand_side_by_side(data, pred, tmp_path):
    code, printed, _ = microtome("evaluate", data / "labels", data / "labels", "--against", pred, "--out", tmp_path / "out")
    assert code == 0
    line = next(line for line in printed.splitlines() if line.startswith("ap_50"))
    assert "1.0000" in line
    assert "against 0.6667" in line
    assert "difference +0.3333 [0.0000, 0.6667]" in line
    assert "the other result" in (tmp_path / "out" / "evaluate.html").read_text()


def test_sizes_groups_and_classes_are_told_apart(data, pred, tmp_path):
    arguments = ("--sizes", "100,400", "--group", r"(well\d)", "--out", tmp_path / "out")
    assert microtome("evaluate", pred, data / "labels", *arguments)[0] == 0
    with (tmp_path / "out" / "groups.csv").open() as file:
        assert [row["group"] for row in csv.DictReader(file)] == ["well0", "well1"]
    with (tmp_path / "out" / "sizes.csv").open() as file:
        assert [(row["size"], row["true"]) for row in csv.DictReader(file)] == [
            ("below 100 px", "0"), ("100 to below 400 px", "3"), ("400 px and more", "0")]  # fmt: skip


def test_a_run_folder_stands_for_its_masks(data, tmp_path):
    assert microtome("segment", data / "images", "--recipe", "nuclei", "--out", tmp_path / "run", "-q")[0] == 0
    assert microtome("evaluate", tmp_path / "run", data / "labels", "--json")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--metrics", "ap50"], "did you mean"),
        (["--metrics", "boundary"], "not for task"),
        (["--sizes", "5,a"], "--sizes"),
        (["--sizes", "5,2"], "ascending"),
        (["--recipe", "nuclei"], "one argument too many"),
        (["--split", "val"], "not a data set"),
        (["--ignore", "255"], "no meaning"),
    ],
)
def test_wrong_use_is_told_before_the_work(data, pred, arguments, word):
    code, _, told = microtome("evaluate", pred, data / "labels", *arguments)
    if word == "no meaning":
        assert code == 1  # it is told of each pair
    else:
        assert code == 2
    assert word in told


def test_a_truth_or_a_recipe_is_needed(data):
    assert "--recipe" in microtome("evaluate", data)[2]


def test_zips_are_looked_into(tmp_path):
    labels = np.zeros((20, 20), np.int32)
    labels[2:8, 2:8] = 1
    for side in ("pred", "truth"):
        path = write_mask(InstanceMap(labels), tmp_path / side / "a")
        with zipfile.ZipFile(tmp_path / f"{side}.zip", "w") as archive:
            archive.write(path, f"{side}/a.png")
    code, out, _ = microtome("evaluate", tmp_path / "pred.zip", tmp_path / "truth.zip", "--json")
    assert code == 0
    assert json.loads(out)["ap_50"] == 1
