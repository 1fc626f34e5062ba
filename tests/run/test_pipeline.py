"""The loop: every image gets its event, every output is whole, and nothing depends on who did the work."""

import csv
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from microtome.core.errors import InputError, RecipeError, RunError
from microtome.core.events import Done, Failed, Progress, Started, Warned
from microtome.core.raster import Image
from microtome.run import journal
from microtome.run.pipeline import run, segment
from microtome.run.recipe import Recipe
from microtome.run.worker import Job

sys.path.insert(0, str(Path(__file__).parent))
from networks import brightness_network

RECIPE = Recipe.of("otsu", "connected_components", measure=["area", "mean_intensity"])


def picture(seed: int, objects: int = 5) -> np.ndarray:
    rng = np.random.default_rng(seed)
    canvas = np.full((64, 96), 20, np.uint8)
    for k in range(objects):
        cv2.circle(canvas, (10 + 18 * k, int(rng.integers(15, 50))), 6, int(rng.integers(150, 250)), -1)
    return canvas


@pytest.fixture
def folder(tmp_path):
    for number in range(4):
        place = tmp_path / "in" / f"plate {number % 2}"
        place.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(place / f"wéll {number}.png"), picture(number))
    return tmp_path / "in"


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def outputs(out: Path) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted((out / "masks").rglob("*.*"))} | {
        "objects.csv": (out / "objects.csv").read_bytes()
    }


def test_events_come_in_the_order_a_face_needs():
    events = list(run(RECIPE, [Image(picture(1)), Image(picture(2))]))
    assert events[0] == Started(2)
    assert [type(event) for event in events[1:]] == [Done, Progress, Done, Progress]
    assert [event.done for event in events if isinstance(event, Progress)] == [1, 2]


def test_masks_tables_and_run_json_lie_where_they_belong(folder, tmp_path):
    out = tmp_path / "out"
    list(run(RECIPE, [folder], out=out, group=r"plate \d"))
    assert (out / "masks" / "plate 0" / "wéll 0.png").is_file()
    rows = table(out / "objects.csv")
    assert [row["image"] for row in rows[:5]] == ["plate 0/wéll 0.png"] * 5
    assert {row["group"] for row in rows} == {"plate 0", "plate 1"}
    assert [int(row["count"]) for row in table(out / "images.csv")] == [5] * 4
    assert [int(row["count"]) for row in table(out / "groups.csv")] == [10, 10]
    document = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert document["complete"]
    assert document["recipe"] == RECIPE.document()
    assert [image["status"] for image in document["images"]] == ["done"] * 4
    assert not list(out.rglob(".microtome-*"))


def test_processes_and_serial_give_the_same_bytes(folder, tmp_path):
    list(run(RECIPE, [folder], out=tmp_path / "a", executor="serial"))
    list(run(RECIPE, [folder], out=tmp_path / "b", executor="processes", workers=2))
    assert outputs(tmp_path / "a") == outputs(tmp_path / "b")


def test_a_bad_image_fails_alone_and_is_told_everywhere(folder, tmp_path):
    (folder / "plate 0" / "torn.png").write_bytes((folder / "plate 0" / "wéll 0.png").read_bytes()[:60])
    events = list(run(RECIPE, [folder], out=tmp_path / "out"))
    failed = [event for event in events if isinstance(event, Failed)]
    assert [event.image for event in failed] == ["plate 0/torn.png"]
    assert failed[0].kind == "InputError"
    assert "torn.png" in failed[0].error
    assert "Traceback" in failed[0].details
    assert sum(isinstance(event, Done) for event in events) == 4
    row = next(row for row in table(tmp_path / "out" / "images.csv") if row["image"] == "plate 0/torn.png")
    assert row["status"] == "failed"
    assert row["error"] == failed[0].error


def test_outputs_that_exist_are_refused_and_overwrite_leaves_what_is_not_ours(folder, tmp_path):
    out = tmp_path / "out"
    list(run(RECIPE, [folder], out=out))
    (out / "masks" / "mine.png").write_bytes(b"mine")
    with pytest.raises(RecipeError, match=r"--resume.*--overwrite"):
        run(RECIPE, [folder], out=out)
    list(run(RECIPE, [folder / "plate 0"], out=out, overwrite=True))
    assert (out / "masks" / "mine.png").read_bytes() == b"mine"
    assert not (out / "masks" / "plate 1").exists() or not list((out / "masks" / "plate 1").iterdir())
    assert len(table(out / "images.csv")) == 2


def test_resume_does_only_what_is_missing_or_changed(folder, tmp_path):
    out = tmp_path / "out"
    list(run(RECIPE, [folder], out=out))
    before = outputs(out)
    (out / "masks" / "plate 0" / "wéll 0.png").unlink()
    cv2.imwrite(str(folder / "plate 1" / "wéll 1.png"), picture(99, objects=3))
    done = {event.image: event.resumed for event in run(RECIPE, [folder], out=out, resume=True) if isinstance(event, Done)}
    assert done == {"plate 0/wéll 0.png": False, "plate 1/wéll 1.png": False, "plate 0/wéll 2.png": True, "plate 1/wéll 3.png": True}
    assert outputs(out)["masks/plate 0/wéll 0.png"] == before["masks/plate 0/wéll 0.png"]
    assert [row["count"] for row in table(out / "images.csv")] == ["5", "5", "3", "5"]


def test_resume_does_everything_after_another_network_lies_in_its_place(folder, tmp_path):
    out, network = tmp_path / "out", tmp_path / "n.onnx"
    recipe = Recipe.of(("network", {"weights": str(network), "layers": ["background", "interior", "border"]}), "interior_border")
    network.write_bytes(brightness_network())
    list(run(recipe, [folder], out=out))
    for low, resumed in ((80.0, True), (60.0, False)):
        network.write_bytes(brightness_network(low=low))
        done = [event.resumed for event in run(recipe, [folder], out=out, resume=True) if isinstance(event, Done)]
        assert done == [resumed] * len(done)


def test_resume_after_another_recipe_does_everything(folder, tmp_path):
    out = tmp_path / "out"
    list(run(RECIPE, [folder], out=out))
    other = Recipe.of("otsu", "connected_components", ("drop_small", {"min_area": 10}))
    assert not any(event.resumed for event in run(other, [folder], out=out, resume=True) if isinstance(event, Done))


def test_stopping_half_way_leaves_whole_outputs_that_resume_goes_on_with(folder, tmp_path):
    out = tmp_path / "out"
    events = run(RECIPE, [folder], out=out)
    for event in events:
        if isinstance(event, Done):
            break
    events.close()
    assert len(table(out / "images.csv")) == 1
    assert not json.loads((out / "run.json").read_text(encoding="utf-8"))["complete"]
    resumed = [event.resumed for event in run(RECIPE, [folder], out=out, resume=True) if isinstance(event, Done)]
    assert resumed == [True, False, False, False]
    list(run(RECIPE, [folder], out=tmp_path / "fresh"))
    assert outputs(out) == outputs(tmp_path / "fresh")


def test_a_torn_journal_line_is_done_again(folder, tmp_path):
    out = tmp_path / "out"
    list(run(RECIPE, [folder], out=out))
    path = out / journal.JOURNAL
    path.write_bytes(path.read_bytes()[:-40])
    resumed = [event.resumed for event in run(RECIPE, [folder], out=out, resume=True) if isinstance(event, Done)]
    assert sorted(resumed) == [False, True, True, True]


def test_two_inputs_with_one_output_are_refused_before_anything_is_done(tmp_path):
    for name in ("a.png", "a.bmp"):
        cv2.imwrite(str(tmp_path / name), picture(1))
    with pytest.raises(InputError, match="would write the same mask"):
        run(RECIPE, [tmp_path / "a.png", tmp_path / "a.bmp"], out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_output_place_that_is_a_file_is_refused(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), picture(1))
    (tmp_path / "out").write_text("x")
    with pytest.raises(RecipeError, match="is a file"):
        run(RECIPE, [tmp_path / "a.png"], out=tmp_path / "out")


def test_an_output_folder_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    cv2.imwrite(str(tmp_path / "a.png"), picture(1))
    monkeypatch.setattr(os, "access", lambda *_: False)  # as root everything is writable
    with pytest.raises(RunError, match="cannot be written"):
        run(RECIPE, [tmp_path / "a.png"], out=tmp_path / "out")


def test_a_full_disk_fails_the_image_and_leaves_nothing_partial(folder, tmp_path, monkeypatch):
    real = os.replace

    def full(source, target):
        if str(target).endswith("wéll 2.png"):
            raise OSError(28, "No space left on device", str(target))
        real(source, target)

    monkeypatch.setattr(os, "replace", full)
    events = list(run(RECIPE, [folder], out=tmp_path / "out", executor="serial"))
    failed = [event for event in events if isinstance(event, Failed)]
    assert [event.image for event in failed] == ["plate 0/wéll 2.png"]
    assert failed[0].kind == "RunError"
    assert not list((tmp_path / "out").rglob(".microtome-*"))
    assert len(list((tmp_path / "out" / "masks").rglob("*.png"))) == 3


def test_a_killed_worker_is_explained_and_takes_no_other_image_with_it(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))  # workers import the function by its module's name
    deadly = importlib.import_module("deadly")
    jobs = [Job(name, Path(name)) for name in ("a.png", "deadly.png", "b.png", "c.png")]
    events = dict(deadly.run(jobs))
    assert {name for name, event in events.items() if isinstance(event, Done)} == {"a.png", "b.png", "c.png"}
    assert events["deadly.png"].kind == "RunError"
    assert "memory" in events["deadly.png"].error


def test_a_threshold_over_the_set_is_one_decision():
    dim, bright = picture(1) // 2, picture(2)
    alone = [event.result.mask.pixels for event in run(Recipe.of("otsu"), [Image(dim), Image(bright)]) if isinstance(event, Done)]
    together = Recipe.of({"otsu": {}, "over": "set"})
    shared = [event.result.mask.pixels for event in run(together, [Image(dim), Image(bright)]) if isinstance(event, Done)]
    both = segment(Image(np.vstack([dim, bright])), Recipe.of("otsu")).mask.pixels
    assert np.array_equal(np.vstack(shared), both)
    assert not np.array_equal(np.vstack(alone), both)


def test_an_image_that_does_not_go_with_the_others_is_named(tmp_path):
    grey = np.arange(64, dtype=np.uint8).reshape(8, 8)
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"a{number}.png"), grey)
    cv2.imwrite(str(tmp_path / "odd.png"), np.stack([grey, grey[::-1], grey.T], -1))
    recipe = Recipe.of({"normalise": {}, "over": "set"}, "to_grey", "otsu")
    with pytest.raises(InputError, match=r"steps\[0\] normalise, over set: odd\.png: images of 1 and of 3 channels"):
        list(run(recipe, sorted(tmp_path.glob("*.png")), out=tmp_path / "out", workers=1))


def test_a_threshold_over_groups_decides_in_each(tmp_path):
    for name, scale in (("a 1.png", 2), ("a 2.png", 2), ("b 1.png", 1)):
        cv2.imwrite(str(tmp_path / name), picture(3) // scale)
    recipe = Recipe.of({"otsu": {}, "over": "group"}, measure=[])
    found = {event.image: event.result.mask.pixels for event in run(recipe, [tmp_path], group="^.") if isinstance(event, Done)}
    assert np.array_equal(found["a 1.png"], segment(tmp_path / "a 1.png", Recipe.of("otsu")).mask.pixels)
    assert np.array_equal(found["b 1.png"], segment(tmp_path / "b 1.png", Recipe.of("otsu")).mask.pixels)


def test_a_group_pattern_that_finds_nothing_is_a_warning(folder):
    warned = [event.message for event in run(RECIPE, [folder], group="nothing") if isinstance(event, Warned)]
    assert any("not found in 4 of 4 names" in message for message in warned)
    with pytest.raises(RecipeError, match="not a regular expression"):
        run(RECIPE, [folder], group="(")


def test_warnings_reach_the_events_and_the_run_file(tmp_path):
    cv2.imwrite(str(tmp_path / "flat.png"), np.full((20, 20), 7, np.uint8))
    events = list(run(RECIPE, [tmp_path / "flat.png"], out=tmp_path / "out"))
    messages = [event.message for event in events if isinstance(event, Warned)]
    assert messages
    assert json.loads((tmp_path / "out" / "run.json").read_text())["images"][0]["warnings"] == messages


def test_measurements_read_the_image_as_it_was_read_not_the_smoothed_copy():
    image = Image(picture(4))
    result = segment(image, Recipe.of(("gaussian", {"sigma": 3}), "otsu", "connected_components", measure=["mean_intensity"]))
    expected = [image.pixels[result.mask.pixels == label].mean() for label in result.objects["label"]]
    np.testing.assert_allclose(result.objects["mean_intensity"], expected)


def test_explanations_are_written_and_name_their_steps(folder, tmp_path):
    list(run(RECIPE, [folder / "plate 0"], out=tmp_path / "out", explain=True))
    entry = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))["images"][0]
    with np.load(tmp_path / "out" / entry["explain"], allow_pickle=False) as data:
        meta = json.loads(str(data["meta"]))
    assert meta[0]["step"] == "1 otsu"
    assert meta[0]["kind"] == "histogram"


def test_exports_are_written_beside_the_masks(folder, tmp_path):
    list(run(RECIPE, [folder / "plate 0"], out=tmp_path / "out", extras=("geojson", "imagej", "colour")))
    assert (tmp_path / "out" / "annotations" / "wéll 0.geojson").is_file()
    assert (tmp_path / "out" / "annotations" / "wéll 0.zip").is_file()
    assert (tmp_path / "out" / "colour" / "wéll 0.png").is_file()
    with pytest.raises(RecipeError, match="did you mean geojson"):
        run(RECIPE, [folder], out=tmp_path / "x", extras=("geojsn",))


def test_a_script_without_a_main_guard_is_not_run_again_by_its_workers(tmp_path):
    for number in range(4):
        cv2.imwrite(str(tmp_path / f"{number}.png"), picture(number))
    script = tmp_path / "script.py"
    script.write_text(f"""
from microtome.core.events import Done
from microtome.run.pipeline import run
from microtome.run.recipe import Recipe
print("begin")
events = run(Recipe.of("otsu", "connected_components"), [{str(tmp_path)!r}], out={str(tmp_path / "out")!r}, executor="processes", workers=2)
print(sum(isinstance(event, Done) for event in events))
""")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["begin", "4"]


def test_a_journal_torn_inside_a_character_or_naming_odd_ones_is_read(tmp_path):
    for name in ("a\u2028b.png", "ü.png"):
        cv2.imwrite(str(tmp_path / "plain.png"), picture(1))
        (tmp_path / "plain.png").rename(tmp_path / name)
    out = tmp_path / "out"
    list(run(RECIPE, [tmp_path / "a\u2028b.png", tmp_path / "ü.png"], out=out))
    with (out / journal.JOURNAL).open("ab") as file:
        file.write(b'{"name": "\xc3')
    resumed = [
        event.resumed
        for event in run(RECIPE, [tmp_path / "a\u2028b.png", tmp_path / "ü.png"], out=out, resume=True)
        if isinstance(event, Done)
    ]
    assert resumed == [True, True]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a name hold any bytes")
def test_a_name_that_is_no_text_does_not_stop_the_others(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    cv2.imwrite(str(folder / "good.png"), picture(1))
    (folder / "good.png").with_name(os.fsdecode(b"bad\xff.png")).write_bytes((folder / "good.png").read_bytes())
    events = list(run(RECIPE, [folder], out=tmp_path / "out"))
    assert sum(isinstance(event, Done) for event in events) == 2
    assert json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))["complete"]


def test_resume_gives_the_same_table_even_when_an_image_has_no_object(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    cv2.imwrite(str(folder / "a.png"), np.zeros((20, 20), np.uint8))
    cv2.imwrite(str(folder / "b.png"), picture(1))
    recipe = Recipe.of(("threshold", {"value": 100}), "connected_components")
    list(run(recipe, [folder], out=tmp_path / "out"))
    before = outputs(tmp_path / "out")
    list(run(recipe, [folder], out=tmp_path / "out", resume=True))
    assert outputs(tmp_path / "out") == before


def test_results_inside_the_searched_folder_are_not_read_again(folder):
    out = folder / "results"
    list(run(RECIPE, [folder], out=out))
    assert sum(isinstance(event, Done) for event in run(RECIPE, [folder], out=out, resume=True)) == 4
    with pytest.raises(RecipeError, match="where results go"):
        run(RECIPE, [out / "masks"], out=out, overwrite=True)
    assert len(list((out / "masks").rglob("*.png"))) == 4


def test_an_image_that_cannot_be_decided_by_fails_alone(folder, tmp_path):
    cv2.imwrite(str(folder / "colour.png"), np.dstack([picture(1)] * 2 + [picture(2)]))
    recipe = Recipe.of({"otsu": {}, "over": "set"}, "connected_components")
    events = list(run(recipe, [folder], out=tmp_path / "out"))
    assert [event.image for event in events if isinstance(event, Failed)] == ["colour.png"]
    assert sum(isinstance(event, Done) for event in events) == 4


def test_a_glob_that_climbs_writes_inside_the_results_folder(folder, tmp_path):
    cv2.imwrite(str(tmp_path / "x.png"), picture(1))
    list(run(RECIPE, [str(folder / "*" / ".." / ".." / "x.png")], out=tmp_path / "deep" / "out"))
    assert (tmp_path / "deep" / "out" / "masks" / "x.png").is_file()


def test_what_an_image_cannot_have_is_left_out_and_told(tmp_path):
    volume = np.stack([picture(1)] * 3)
    np.save(tmp_path / "v.npy", volume)
    recipe = Recipe.of("otsu", "connected_components", input={"axes": "zyx"})
    events = list(run(recipe, [tmp_path / "v.npy"], out=tmp_path / "out", extras=("colour", "geojson")))
    assert sum(isinstance(event, Done) for event in events) == 1
    assert sum("left out" in event.message for event in events if isinstance(event, Warned)) == 2


def test_images_of_one_name_are_told_apart():
    image = Image(picture(1), source="a.png")
    assert [event.image for event in run(RECIPE, [image, image, picture(2)]) if isinstance(event, Done)] == [
        "1 a.png",
        "2 a.png",
        "image 3",
    ]


def test_an_image_that_memory_does_not_hold_is_told_with_a_way_out(monkeypatch):
    def short_of_memory(order, job):
        raise MemoryError("Unable to allocate 9 GiB")

    monkeypatch.setattr("microtome.run.worker._result", short_of_memory)
    done, failed = ([e for e in run("coins", [Image(picture(0))]) if isinstance(e, kind)] for kind in (Done, Failed))
    assert not done
    assert "does not fit in memory (Unable to allocate 9 GiB): cut it into pieces" in failed[0].error
