"""``microtome check`` as its users call it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from typer.testing import CliRunner

from microtome.app.cli.main import app
from microtome.core.errors import MicrotomeError


def check(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["check", *map(str, arguments)])
    if isinstance(result.exception, MicrotomeError):
        return 2, result.stdout, str(result.exception)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Six pictures of squares and their masks of classes."""
    for name in ("images", "masks"):
        (tmp_path / "squares" / name).mkdir(parents=True)
    for number in range(6):
        labels = np.zeros((64, 80), np.uint8)
        labels[10 + number : 40, 10:50], labels[30:60, 55 : 72 - number] = 1, 2
        noise = np.random.default_rng(number).integers(0, 9, labels.shape)
        PIL.Image.fromarray((60 * labels + noise + 20).astype(np.uint8)).save(tmp_path / "squares" / "images" / f"s{number}.png")
        PIL.Image.fromarray(labels).save(tmp_path / "squares" / "masks" / f"s{number}.png")
    return tmp_path / "squares"


def test_a_sound_set_ends_with_0(data: Path) -> None:
    code, out, _ = check(data, "--task", "semantic")
    assert code == 0
    assert "6 images, 6 labelled (classes)" in out
    assert "0 problems in 0 files" in out


def test_problems_are_told_by_kind_with_cause_remedy_file_value_and_place(data: Path) -> None:
    (data / "classes.json").write_text(json.dumps(["ground", "one", "two"]))
    mask = data / "masks" / "s3.png"
    pixels = np.array(PIL.Image.open(mask))
    pixels[20:24, 70:75] = 9
    PIL.Image.fromarray(pixels).save(mask)
    (data / "masks" / "s5.png").unlink()
    code, out, _ = check(data)
    assert code == 1
    assert "unknown-values (1)" in out
    assert "masks/s3.png: 9 (20 pixels): not in the class list (0 to 2)" in out
    assert "at (21, 71)" in out
    assert "image-without-mask (1)" in out
    assert "likely cause: " in out
    assert "2 problems in 2 files" in out


def test_json_says_the_same(data: Path) -> None:
    (data / "images" / "s1.png").unlink()
    code, out, _ = check(data, "--task", "semantic", "--json")
    found = json.loads(out)
    assert code == 1
    assert [(problem["kind"], problem["file"]) for problem in found["problems"]] == [("mask-without-image", "masks/s1.png")]
    assert found["summary"]["images"] == 5
    assert [one["value"] for one in found["summary"]["classes"]] == [0, 1, 2]
    assert found["task"] == "semantic"


def test_fix_writes_a_copy_that_is_sound(data: Path, tmp_path: Path) -> None:
    for path in (data / "masks").iterdir():
        PIL.Image.fromarray(np.array([0, 3, 7], np.uint8)[np.array(PIL.Image.open(path))]).save(path)
    code, out, _ = check(data, "--task", "semantic", "--fix", tmp_path / "out")
    assert code == 1
    assert "6 masks mended" in out
    record = json.loads((tmp_path / "out" / "fixes.json").read_text())
    assert record["files"]["masks/s0.png"]["changes"] == [{"fault": "gaps-in-ids", "values": {"3": 1, "7": 2}}]
    assert check(tmp_path / "out", "--task", "semantic")[0] == 0


def test_the_page_is_written_beside_other_output(data: Path, tmp_path: Path) -> None:
    (data / "images" / "s1.png").write_bytes(b"")
    code, _, _ = check(data, "--task", "semantic", "--html", tmp_path / "page.html")
    assert code == 1
    assert "cut off file" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_wrong_use_is_2(data: Path, tmp_path: Path) -> None:
    assert check(tmp_path / "nowhere")[0] == 2
    assert check(data, "--group", "(")[0] == 2
    code, _, message = check(data, "--task", "semantic", "--fix", data / "out")
    assert code == 2
    assert "inside the data folder" in message


def test_groups_in_two_splits(data: Path, tmp_path: Path) -> None:
    for number in range(6):
        split = tmp_path / "split" / ("train" if number < 3 else "test")
        for name in ("images", "masks"):
            (split / name).mkdir(parents=True, exist_ok=True)
            (split / name / f"a{number % 2}_{number}.png").write_bytes((data / name / f"s{number}.png").read_bytes())
    assert check(tmp_path / "split", "--task", "semantic")[0] == 0
    code, out, _ = check(tmp_path / "split", "--task", "semantic", "--group", r"(a\d)_")
    assert code == 1
    assert "group-in-two-splits (2)" in out


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; from microtome.app.cli.main import app; print(any(m in sys.modules for m in ('numpy', 'cv2', 'scipy', 'PIL')))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "False"


def test_a_faulty_annotation_is_a_problem_and_the_rest_is_read(tmp_path):
    (tmp_path / "images").mkdir()
    PIL.Image.fromarray(np.arange(400, dtype=np.uint8).reshape(20, 20) % 199).save(tmp_path / "images" / "a.png")
    ring = [2, 2, 8, 2, 8, 8, 2, 8]
    one = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [ring], "area": 36, "bbox": [2, 2, 6, 6], "iscrowd": 0}
    (tmp_path / "labels.json").write_text(json.dumps({
        "images": [{"id": 1, "file_name": "a.png", "width": 20, "height": 20}],
        "categories": [{"id": 1, "name": "cell"}],
        "annotations": [one, {**one, "id": 2, "category_id": 9}],
    }))  # fmt: skip
    code, out, _ = check(tmp_path, "--json")
    (problem,) = [one for one in json.loads(out)["problems"] if one["kind"] == "faulty-annotation"]
    assert code == 1
    assert problem["file"] == "labels.json"
    assert "annotations[1] (id 2)" in problem["message"]
    assert json.loads(out)["summary"]["objects"]["count"] == 1


def test_pictures_are_a_png_beside_the_page_and_on_it(data: Path, tmp_path: Path) -> None:
    code, out, _ = check(data, "--task", "semantic", "--html", tmp_path / "out" / "page.html", "--pictures")
    assert code == 0
    assert f"{tmp_path / 'out' / 'page.png'}: Windows of 64 x 80 pixels" in out
    with PIL.Image.open(tmp_path / "out" / "page.png") as sheet:
        assert sheet.size == (4 + 6 * (80 + 4), 4 + 6 * (64 + 4))
    page = (tmp_path / "out" / "page.html").read_text(encoding="utf-8")
    assert "What a network will see" in page
    assert page.split('id="seen"')[1].count("data:image/webp") == 6
    assert "<dt>gaussian noise</dt><dd>short exposures are noisy</dd>" in page


def test_pictures_without_a_page_lie_here_and_show_the_steps_asked_for(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "steps.yaml").write_text("- flips\n- gaussian_noise: {sigma: [0.2, 0.2]}\n", encoding="utf-8")
    code, out, _ = check(data, "--task", "semantic", "--pictures", "--augment", "steps.yaml", "--json")
    assert code == 0
    assert json.loads(out)["pictures"] == "squares-pictures.png"
    assert (tmp_path / "squares-pictures.png").exists()


def test_steps_that_are_wrong_are_refused_before_anything_is_read(data: Path, tmp_path: Path) -> None:
    steps = tmp_path / "steps.yaml"
    for text, said in (("- flipz", "did you mean flips"), ("- flips: {turns: 3}", r"turns"), ("flips: {}", "a list of steps")):
        steps.write_text(text, encoding="utf-8")
        code, _, message = check(data, "--pictures", "--augment", steps)
        assert code == 2
        assert said in message
        assert "steps.yaml" in message
    code, _, message = check(data, "--augment", steps)
    assert code == 2
    assert "give both" in message
    assert check(data, "--pictures", "--augment", tmp_path / "none.yaml")[0] == 2


def test_what_the_check_found_is_told_where_nothing_can_be_shown(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "steps.yaml").write_text("- hed_jitter", encoding="utf-8")
    code, out, message = check(data, "--task", "semantic", "--pictures", "--augment", "steps.yaml")
    assert code == 2
    assert "0 problems in 0 files" in out
    assert "hed_jitter needs red, green and blue" in message
    assert not (tmp_path / "squares-pictures.png").exists()
