"""``microtome tune`` as its users call it."""

import json
import zipfile

from typer.testing import CliRunner

from microtome.app.cli.main import app
from microtome.core.errors import MicrotomeError

STEPS = ("--step", "gaussian:sigma=0", "--step", "threshold:value=90", "--step", "connected_components")
SEARCH = ("--task", "instance", "--group", r"(p\d+)_", "--only", "gaussian", "--range", "gaussian.sigma=0:4", "--trials", "6",
          "--folds", "2", "--workers", "1")  # fmt: skip


def tune(*arguments):
    result = CliRunner().invoke(app, ["tune", *map(str, arguments)])
    if isinstance(result.exception, MicrotomeError):
        return 2, result.stdout, str(result.exception)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def test_it_tells_what_was_gained_and_what_each_setting_is_worth(disc_folder, tmp_path):
    code, out, err = tune(disc_folder, *STEPS, *SEARCH, "--out", tmp_path / "out")
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "ap_50 over 12 images in 6 groups; 95 % intervals over groups"
    assert any(line.startswith("  paired gain                         +0.") for line in lines)
    setting = next(line for line in lines if "gaussian.sigma" in line)
    assert "0 -> " in setting
    assert "without fold 1: best" in err
    assert (tmp_path / "out" / "recipe.yaml").is_file()

    code, out, _ = tune(disc_folder, *STEPS, *SEARCH, "--out", tmp_path / "out", "--resume", "--json")
    assert code == 0
    assert json.loads(out)["groups"] == 6


def test_wrong_use(disc_folder, tmp_path):
    out = ("--out", tmp_path / "out")
    assert tune(disc_folder, *SEARCH, *out)[0] == 2
    code, _, message = tune(disc_folder, *STEPS, "--range", "gaussian.sigma=1", *out)
    assert (code, "write STEP.SETTING=LOW:HIGH" in message) == (2, True)
    code, _, message = tune(disc_folder, *STEPS, "--split", "train", *out)
    assert (code, "no split 'train'" in message) == (2, True)


def test_a_zip_is_searched_like_its_folder_and_only_json_is_printed(disc_folder, tmp_path):
    packed = tmp_path / "discs.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(disc_folder.rglob("*.png")):
            archive.write(path, path.relative_to(disc_folder))
    told = {}
    for data in (packed, disc_folder):
        code, out, _ = tune(data, *STEPS, *SEARCH, "--trials", 2, "--out", tmp_path / f"out {len(told)}", "--json")
        assert code == 0
        told[data] = {**json.loads(out), "seconds": 0}
    assert told[packed] == told[disc_folder]


def test_values_that_mean_not_labelled_are_named(disc_folder, tmp_path):
    out = ("--out", tmp_path / "out", "--folds", "2", "--trials", "1", "--workers", "1")
    code, _, message = tune(disc_folder, *STEPS, "--task", "instance", "--ignore", "255", *out)
    assert (code, "has no meaning for objects" in message) == (2, True)
