"""The command line as its users call it: outputs, exit codes, and messages that help."""

import json
import os
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest
import skimage.data
import tifffile
from typer.testing import CliRunner

from microtome.app.cli.main import app
from microtome.core.errors import MicrotomeError


def microtome(*arguments: object) -> tuple[int, str, str]:
    """Call the command line in this process: its exit code, standard output and standard error."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if isinstance(result.exception, MicrotomeError):
        return 2, result.stdout, str(result.exception)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def coins_png(tmp_path):
    path = tmp_path / "my coins.png"
    cv2.imwrite(str(path), skimage.data.coins())
    return path


def test_segment_prints_one_json_object_and_nothing_else(coins_png, tmp_path):
    code, out, _ = microtome("segment", coins_png, "--recipe", "coins", "--out", tmp_path / "out", "--json")
    told = json.loads(out)
    assert code == 0
    assert told["counts"] == {"my coins.png": 24}
    assert (tmp_path / "out" / "masks" / "my coins.png").is_file()


def test_steps_in_the_shell_do_what_a_recipe_does(coins_png, tmp_path):
    code, out, _ = microtome("segment", coins_png, "--step", "gaussian:sigma=2", "--step", "otsu", "--step", "connected_components",
                             "--measure", "area,centroid", "--out", tmp_path / "out", "--json")  # fmt: skip
    assert code == 0
    assert json.loads(out)["objects"] > 10
    header = (tmp_path / "out" / "objects.csv").read_text().splitlines()[0]
    assert header == "image,group,output,label,area_px,centroid_y_px,centroid_x_px"


def test_quiet_prints_nothing(coins_png, tmp_path):
    assert microtome("segment", coins_png, "--recipe", "coins", "--out", tmp_path / "out", "--quiet") == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.png", "--recipe", "coins"], "missing.png"),
        (["{coins}", "--recipe", "coin"], "did you mean coins"),
        (["{coins}", "--step", "ostu"], "did you mean otsu"),
        (["{coins}", "--step", "otsu:clases=3"], "did you mean classes"),
        (["{coins}", "--step", "otsu:classes=nine"], "expected a whole number"),
        (["{coins}", "--step", "otsu:classes"], "not key=value"),
        (["{coins}"], "--recipe"),
        (["{coins}", "--recipe", "coins", "--step", "otsu"], "--recipe and --step were given"),
        (["{coins}", "--recipe", "coins", "--executor", "serail"], "did you mean serial"),
        (["{coins}", "--recipe", "coins", "--measure", "aera"], "did you mean area"),
        (["{coins}", "--recipe", "coins", "--spacing", "0.65"], "no unit"),
        (["{coins}", "--recipe", "coins", "--axes", "xy"], "axes"),
        (["{coins}", "--recipe", "coins", "--overwrite", "--resume"], "choose one"),
    ],
)
def test_wrong_use_exits_2_and_says_the_way_out(arguments, message, coins_png, tmp_path):
    code, _, error = microtome("segment", *(a.format(coins=coins_png) for a in arguments), "--out", tmp_path / "out")
    assert code == 2
    assert message in error
    assert not (tmp_path / "out").exists()


def test_an_unknown_option_exits_2(coins_png, tmp_path):
    assert microtome("segment", coins_png, "--recipe", "coins", "--out", tmp_path / "out", "--colour")[0] == 2


def test_a_folder_without_images_exits_2(tmp_path):
    (tmp_path / "empty").mkdir()
    code, _, error = microtome("segment", tmp_path / "empty", "--recipe", "coins", "--out", tmp_path / "out")
    assert code == 2
    assert "empty" in error


def test_an_output_that_exists_exits_2_and_overwrite_replaces_it(coins_png, tmp_path):
    arguments = ("segment", coins_png, "--recipe", "coins", "--out", tmp_path / "out")
    assert microtome(*arguments)[0] == 0
    code, _, error = microtome(*arguments)
    assert code == 2
    assert "--overwrite" in error
    assert microtome(*arguments, "--overwrite")[0] == 0
    assert "kept from before" in microtome(*arguments, "--resume")[2]


def test_an_unreadable_image_exits_1_and_the_others_are_done(coins_png, tmp_path):
    (tmp_path / "text.png").write_text("this is no picture")
    (tmp_path / "nothing.png").write_bytes(b"")
    code, out, error = microtome(
        "segment", coins_png, tmp_path / "text.png", tmp_path / "nothing.png", "--recipe", "coins", "--out", tmp_path / "out", "--json"
    )
    told = json.loads(out)
    assert code == 1
    assert told["done"] == 1
    assert set(told["failures"]) == {"text.png", "nothing.png"}
    assert "failed  text.png" in error


def test_channel_and_spacing_reach_the_table(tmp_path):
    colour = np.dstack([np.zeros((303, 384), np.uint8), skimage.data.coins(), np.zeros((303, 384), np.uint8)])
    cv2.imwrite(str(tmp_path / "c.png"), colour)
    code, out, _ = microtome(
        "segment", tmp_path / "c.png", "--recipe", "coins", "--channel", "1", "--spacing", "0.5 mm", "--out", tmp_path / "out", "--json"
    )
    assert code == 0
    assert json.loads(out)["objects"] == 24
    assert "area_mm2" in (tmp_path / "out" / "objects.csv").read_text().splitlines()[0]


def test_steps_lists_and_describes(tmp_path):
    code, out, _ = microtome("steps")
    assert code == 0
    assert "otsu" in out
    described = json.loads(microtome("steps", "otsu", "--json")[1])
    assert described["settings"]["classes"]["range"] == "from 2 to 5"
    assert "classes" in microtome("steps", "otsu")[1]
    assert microtome("steps", "ostu")[0] == 2


def test_recipes_lists_shows_and_checks(tmp_path):
    assert "coins" in json.loads(microtome("recipes", "--json")[1])
    shown = microtome("recipes", "show", "coins")[1]
    assert "microtome: 1" in shown
    assert "Recipe.of(" in shown
    (tmp_path / "mine.yaml").write_text(shown)
    assert microtome("recipes", "check", tmp_path / "mine.yaml")[0] == 0
    (tmp_path / "bad.yaml").write_text("microtome: 1\nsteps: [ostu]\n")
    code, _, error = microtome("recipes", "check", tmp_path / "bad.yaml")
    assert code == 2
    assert "did you mean otsu" in error


def test_measure_gives_the_table_segment_gave(coins_png, tmp_path):
    microtome("segment", coins_png, "--recipe", "coins", "--out", tmp_path / "out")
    code, out, _ = microtome(
        "measure", coins_png, "--masks", tmp_path / "out" / "masks", "--measure", "area", "--out", tmp_path / "again", "--json"
    )
    assert code == 0
    assert json.loads(out)["objects"] == 24
    areas = [line.split(",")[-1] for line in (tmp_path / "again" / "objects.csv").read_text().splitlines()]
    assert areas[0] == "area_px"
    assert len(areas) == 25


def test_measure_without_a_mask_fails_that_image(coins_png, tmp_path):
    (tmp_path / "masks").mkdir()
    code, _, error = microtome("measure", coins_png, "--masks", tmp_path / "masks", "--out", tmp_path / "again")
    assert code == 1
    assert "no mask" in error


@pytest.mark.parametrize(("option", "value"), [("--spacing", "foo"), ("--axes", "foo"), ("--masks", "missing")])
def test_measure_refuses_wrong_options_before_anything_is_written(option, value, coins_png, tmp_path):
    (tmp_path / "masks").mkdir()
    arguments = ["measure", coins_png, "--masks", tmp_path / "masks", "--out", tmp_path / "again", option, value]
    assert microtome(*arguments)[0] == 2
    assert not (tmp_path / "again").exists()


def test_measure_takes_no_mask_of_another_folder(coins_png, tmp_path):
    (tmp_path / "in" / "sub").mkdir(parents=True)
    (tmp_path / "in" / "sub" / "a.png").write_bytes(coins_png.read_bytes())
    (tmp_path / "masks").mkdir()
    cv2.imwrite(str(tmp_path / "masks" / "a.png"), np.ones((303, 384), np.uint8))
    assert microtome("measure", tmp_path / "in", "--masks", tmp_path / "masks", "--out", tmp_path / "again")[0] == 1


def test_a_spacing_said_by_the_user_goes_before_the_masks_own(coins_png, tmp_path):
    microtome("segment", coins_png, "--recipe", "coins", "--spacing", "1 um", "--out", tmp_path / "out")
    microtome(
        "measure", coins_png, "--masks", tmp_path / "out" / "masks", "--measure", "area", "--spacing", "2 um", "--out", tmp_path / "again"
    )
    header, first = (tmp_path / "again" / "objects.csv").read_text().splitlines()[:2]
    assert header == "image,label,area_px,area_um2"
    assert float(first.split(",")[3]) == 4 * float(first.split(",")[2])


def test_evaluate_of_a_mask_against_itself_is_perfect(coins_png, tmp_path):
    microtome("segment", coins_png, "--recipe", "coins", "--out", tmp_path / "out")
    masks = tmp_path / "out" / "masks"
    code, out, _ = microtome("evaluate", masks, masks, "--task", "instance", "--json")
    assert code == 0
    scores = json.loads(out)
    assert scores["ap_50"] == 1.0
    assert scores["map_50_95"] == 1.0
    assert "TP/(TP+FP+FN)" in microtome("evaluate", masks, masks)[1]


def test_evaluate_refuses_masks_of_different_size_jpeg_masks_and_missing_predictions(tmp_path):
    for name in ("pred", "truth"):
        (tmp_path / name).mkdir()
    cv2.imwrite(str(tmp_path / "pred" / "a.png"), np.ones((4, 4), np.uint8))
    cv2.imwrite(str(tmp_path / "truth" / "a.png"), np.ones((4, 5), np.uint8))
    cv2.imwrite(str(tmp_path / "truth" / "b.png"), np.ones((4, 5), np.uint8))
    code, out, _ = microtome("evaluate", tmp_path / "pred", tmp_path / "truth", "--json")
    failures = json.loads(out)["failures"]
    assert code == 1
    assert "(4, 4)" in failures["a"]
    assert "no prediction" in failures["b"]
    assert microtome("evaluate", tmp_path / "none", tmp_path / "truth")[0] == 2
    assert microtome("evaluate", tmp_path / "pred", tmp_path / "truth", "--task", "instances")[0] == 2
    cv2.imwrite(str(tmp_path / "m.jpg"), np.ones((4, 4), np.uint8))
    code, out, _ = microtome("evaluate", tmp_path / "m.jpg", tmp_path / "truth" / "a.png", "--json")
    assert code == 1
    assert "JPEG" in json.loads(out)["failures"]["a.png"]


def test_doctor_looks_for_everything_that_is_installed_with_microtome():
    import re
    import tomllib
    from pathlib import Path

    from microtome.app.cli.doctor import BASE

    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    assert set(BASE) == {re.split(r"[<>=]", one)[0] for one in project["dependencies"]}


def test_doctor_names_versions():
    code, out, _ = microtome("doctor", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["packages"]["numpy"] == np.__version__


def test_version():
    assert microtome("--version")[1].startswith("microtome ")


def test_pages_that_are_channels_are_named_as_the_message_says(tmp_path):
    planes = np.stack([np.zeros((60, 80), np.uint8), skimage.data.coins()[:60, :80], np.full((60, 80), 9, np.uint8)])
    tifffile.imwrite(tmp_path / "stack.tif", planes, photometric="minisblack", metadata=None)
    given = ("segment", tmp_path / "stack.tif", "--step", "otsu", "--out", tmp_path / "out")
    assert "axes='cyx'" in microtome(*given)[2]
    assert microtome(*given, "--axes", "cyx", "--channel", "1", "--overwrite")[0] == 0


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_ctrl_c_leaves_finished_outputs_whole_and_no_partial_file(tmp_path):
    for number in range(40):
        cv2.imwrite(str(tmp_path / f"{number:02}.png"), np.tile(skimage.data.coins(), (3, 3)))
    out = tmp_path / "out"
    command = [
        sys.executable,
        "-m",
        "microtome.app.cli.main",
        "segment",
        str(tmp_path),
        "--recipe",
        "coins",
        "--out",
        str(out),
        "--executor",
        "serial",
    ]

    def heed_ctrl_c() -> None:  # which a shell makes its background jobs, and so a suite among them, ignore
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heed_ctrl_c) as running:
        journal = out / "journal.jsonl"
        while not (journal.exists() and journal.stat().st_size) and running.poll() is None:  # until one image is done
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        _, error = running.communicate(timeout=60)
    assert running.returncode == 130, error
    assert "--resume" in error
    document = json.loads((out / "run.json").read_text())
    done = [image for image in document["images"] if image["status"] == "done"]
    assert 1 <= len(done) < 40
    assert not document["complete"]
    assert not list(out.rglob(".microtome-*"))
    for image in done:
        assert cv2.imread(str(out / image["outputs"]["mask"]["file"]), cv2.IMREAD_UNCHANGED).max() >= 24
