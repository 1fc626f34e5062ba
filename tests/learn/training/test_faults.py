"""What goes wrong around a training: told before hours are lost where it can be, and nothing lost where it cannot."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile

torch = pytest.importorskip("torch")

from tests.learn.training.launch import arguments, data_folder, lines, recipe_file, started, wait_for  # noqa: E402
from tests.learn.training.tiny import recipe, samples  # noqa: E402

from microtome.core.errors import InputError, MissingExtra, RecipeError, RunError  # noqa: E402
from microtome.core.raster import Image, InstanceMap  # noqa: E402
from microtome.core.result import Sample  # noqa: E402
from microtome.learn.data.find import find_dataset  # noqa: E402
from microtome.learn.training import checkpoint, extra, room  # noqa: E402
from microtome.learn.training.checkpoint import load_checkpoint  # noqa: E402
from microtome.learn.training.events import Chosen, Saved, Stepped, Stopped, Validated, Warned  # noqa: E402
from microtome.learn.training.loop import Loop  # noqa: E402
from microtome.learn.training.run_folder import read_history, record  # noqa: E402
from microtome.learn.training.train import train  # noqa: E402
from microtome.run import yaml_text  # noqa: E402

FEW = recipe(budget={"steps": 4}, validation={"every": 2, "pictures": 0})
WITHIN = 90
REAL = checkpoint.save_file


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def until(events, kind):
    """Follow a training to the first event of this kind, and close it."""
    found = next((event for event in events if isinstance(event, kind)), None)
    events.close()
    return found


def dataset(folder):
    return find_dataset(folder, kind="instance")


# ---- the disk


def test_a_disk_without_room_is_told_before_the_first_step(tmp_path, monkeypatch):
    monkeypatch.setattr(room.shutil, "disk_usage", lambda place: shutil._ntuple_diskusage(10**9, 10**9 - 1000, 1000))
    told = []
    with pytest.raises(RunError, match=r"need [\d.]+ MB, the disk has 0\.0 MB left; make room"):
        told.extend(train(samples(), out=tmp_path, recipe=FEW))
    assert not (tmp_path / "checkpoints").exists()


def full_for(refused):
    """A disk that is full for the checkpoints that `refused` says, of how many and whether of the best weights."""
    count = {True: 0, False: 0}

    def write(tensors, path, metadata):
        best = not json.loads(metadata["microtome"])["optimisers"]
        count[best] += 1
        if refused(count[best], best):
            path.write_bytes(b"half of it")
            raise OSError(errno.ENOSPC, "No space left on device", os.fspath(path))
        REAL(tensors, path, metadata=metadata)

    return write


def test_a_disk_that_fills_up_leaves_the_former_checkpoint_and_the_run_goes_on_from_it(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "save_file", full_for(lambda number, best: number > 1))
    given = recipe(budget={"steps": 6}, validation={"every": 2, "pictures": 0})
    with pytest.raises(RunError, match=r"safetensors: the disk is full .*free some space"):
        list(record(tmp_path, train(samples(), out=tmp_path, recipe=given)))
    last = tmp_path / "checkpoints" / "last.safetensors"
    assert load_checkpoint(last)[0].step == 2
    assert {path.name for path in last.parent.iterdir()} == {"last.safetensors", "best.safetensors"}
    assert read_history(tmp_path).state == "broken off"
    monkeypatch.setattr(checkpoint, "save_file", REAL)
    assert until(train(samples(), out=tmp_path, resume=True), Saved).step == 4


def test_a_score_whose_weights_the_disk_refused_is_not_the_best(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "save_file", full_for(lambda number, best: best))
    with pytest.raises(RunError, match=r"best\.safetensors: the disk is full"):
        list(train(samples(), out=tmp_path, recipe=FEW))
    assert load_checkpoint(tmp_path / "checkpoints" / "last.safetensors")[0].best is None
    write_settled(tmp_path)
    monkeypatch.setattr(checkpoint, "save_file", REAL)
    assert until(train(samples(), out=tmp_path, resume=True), Validated).best


def write_settled(folder):
    chosen = until(train(samples(), out=folder / "other", recipe=FEW), Chosen)
    (folder / "train.yaml").write_text(yaml_text.dump(chosen.document))


def test_a_place_that_cannot_be_written_to_is_told_at_once(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(RunError, match="cannot be written"):
        next(record(tmp_path / "file" / "run", train(samples(), out=tmp_path / "file" / "run", recipe=FEW)))
    with pytest.raises(RunError, match="cannot be written"):
        next(train(samples(), out=tmp_path / "file" / "run", recipe=FEW))


def test_a_disk_that_may_only_be_read_is_told_at_once(tmp_path, monkeypatch):
    def refuse(self, *args, **options):
        raise OSError(errno.EROFS, "Read-only file system", os.fspath(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(RunError, match="cannot be written: Read-only file system; check the permissions or choose another place"):
        next(record(tmp_path / "run", train(samples(), out=tmp_path / "run", recipe=FEW)))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_told_at_once(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(RunError, match="cannot be written: Permission denied; check the permissions"):
        next(train(samples(), out=tmp_path / "run", recipe=FEW))


def test_a_run_within_the_data_is_refused(tmp_path):
    folder = data_folder(tmp_path / "data")
    for out in (folder / "run", folder, folder / "images" / ".." / "run"):
        with pytest.raises(InputError, match=r"lies inside the data .*choose a folder beside it"):
            train(dataset(folder), out=out, recipe=FEW)
    assert until(train(dataset(folder), out=tmp_path / "data run", recipe=FEW), Chosen)


def test_what_only_the_end_needs_is_missed_at_the_beginning(tmp_path, monkeypatch):
    monkeypatch.setattr(extra, "find_spec", lambda name: None if name == "onnxscript" else object())
    with pytest.raises(MissingExtra, match=r"training needs onnxscript: pip install 'microtome\[deep\]'"):
        train(samples(), out=tmp_path, recipe=FEW)


# ---- the data


def test_a_mask_of_another_size_and_one_that_cannot_be_read_are_named_and_must_be_allowed(tmp_path):
    folder = data_folder(tmp_path / "data")
    masks = sorted((folder / "masks").iterdir())
    tifffile.imwrite(masks[1], np.zeros((20, 30), np.uint16))
    masks[3].write_bytes(masks[3].read_bytes()[:150])
    data = dataset(folder)
    with pytest.raises(InputError, match="some of the data would be dropped") as caught:
        list(train(data, out=tmp_path / "a", recipe=FEW))
    assert f"{masks[1].stem}: the image is (48, 48), its labels (20, 30)" in str(caught.value)
    assert masks[3].stem in str(caught.value)
    assert "--allow-dropped" in str(caught.value)
    assert not (tmp_path / "a" / "checkpoints").exists()
    events = train(data, out=tmp_path / "b", recipe=FEW, allow_dropped=True)
    told = []
    for event in events:
        told.append(event)
        if isinstance(event, Stepped):
            break
    events.close()
    assert sum("left out" in event.message for event in told if isinstance(event, Warned)) == 2


def test_images_of_two_depths_are_learned_together(tmp_path):
    mixed = [
        Sample(Image(one.image.pixels.astype(np.uint16) * 257), one.truth, one.group, one.name) if number % 2 else one
        for number, one in enumerate(samples())
    ]
    plain = until(train(samples(), out=tmp_path / "a", recipe=FEW), Stepped)
    both = until(train(mixed, out=tmp_path / "b", recipe=FEW), Stepped)
    assert both.loss == pytest.approx(plain.loss, rel=1e-4)  # normalised, 257 times as bright is the same picture


def test_images_of_many_sizes_are_learned_together(tmp_path):
    cut = [
        Sample(Image(one.image.pixels[: 48 - number]), InstanceMap(one.truth.pixels[: 48 - number]), one.group, one.name)
        for number, one in enumerate(samples())
    ]
    assert until(train(cut, out=tmp_path, recipe=FEW), Stepped)


def volume():
    pixels = np.zeros((4, 48, 48), np.uint8)
    labels = np.zeros((4, 48, 48), np.int32)
    labels[1:3, 8:20, 8:20] = 1
    return Sample(Image(pixels, axes="zyx"), InstanceMap(labels, axes="zyx"), "stack", "stack of slices")


def test_flat_images_and_volumes_together_are_refused_by_name(tmp_path):
    with pytest.raises(InputError, match=r"some images are flat and some are volumes \(image \d, stack of slices\)"):
        list(train([*samples(6), volume(), replace(volume(), name="another")], out=tmp_path / "a", recipe=FEW, held=samples(8)[6:]))
    with pytest.raises(InputError, match=r"of another kind than the held-out ones: image 0 \(flat.*stack of slices \(a volume"):
        list(train(samples(6), out=tmp_path / "b", recipe=FEW, held=[volume()]))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_is_not_finite_is_refused_with_its_image(tmp_path, value):
    given = samples()
    pixels = given[5].image.pixels.astype(np.float32)
    pixels[3, 4:6] = value
    given[5] = Sample(Image(pixels), given[5].truth, given[5].group, given[5].name)
    with pytest.raises(InputError, match=r"1 of \d images have values that are not finite.*: image 5 \(2 of them\)"):
        list(train(given, out=tmp_path, recipe=FEW))
    assert not (tmp_path / "checkpoints").exists()


def test_a_network_for_whole_images_is_refused_where_labels_are_of_pixels(tmp_path):
    with pytest.raises(RecipeError, match="network: encoder_classifier answers for a whole image, and labels are of pixels"):
        list(train(samples(), out=tmp_path, recipe=recipe(network={"encoder_classifier": {}})))


# ---- going on


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A run of twenty steps that was stopped after six."""
    folder = tmp_path_factory.mktemp("stopped")
    asked = iter(range(100))
    events = train(samples(), out=folder, recipe=recipe(budget={"steps": 20}, validation={"every": 4, "pictures": 0}),
                   stop=lambda: next(asked) == 5)  # fmt: skip
    assert isinstance(list(record(folder, events))[-1], Stopped)
    return folder


@pytest.fixture
def run(stopped, tmp_path):
    """A copy of it, to be damaged."""
    return shutil.copytree(stopped, tmp_path / "run")


def go_on(folder):
    return train(samples(), out=folder, resume=True)


def test_a_run_goes_on_where_it_stopped(run):
    assert until(go_on(run), Stepped).step == 10


@pytest.mark.parametrize("left", [0, 100, -10])
def test_a_damaged_checkpoint_is_refused_with_its_name(run, left):
    path = run / "checkpoints" / "last.safetensors"
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(InputError, match=r"last\.safetensors: is no checkpoint, or is damaged"):
        list(go_on(run))


def test_a_recipe_that_was_cut_short_is_refused_wherever_the_cut_is(run):
    path = run / "train.yaml"
    text = path.read_text()
    for cut in range(0, len(text) - 1, 23):
        path.write_text(text[:cut])
        with pytest.raises((InputError, RecipeError), match=r"train\.yaml"):
            until(go_on(run), Chosen)
    lines = text.splitlines(keepends=True)
    for number in range(2, len(lines)):
        name = lines[number].partition(":")[0]
        if name.startswith("  ") and not name.startswith("   ") and name.strip() != "workers":
            path.write_text("".join(lines[:number] + lines[number + 1 :]))
            with pytest.raises((InputError, RecipeError), match=r"train\.yaml"):
                until(go_on(run), Chosen)
    path.unlink()
    with pytest.raises(InputError, match=r"there is no run to go on with \(no train\.yaml\)"):
        go_on(run)


def test_a_recipe_of_another_network_is_refused(run):
    path = run / "train.yaml"
    path.write_text(path.read_text().replace("root: 4", "root: 6"))
    with pytest.raises(InputError, match=r"is of another network than train\.yaml beside it"):
        list(go_on(run))


def test_a_damaged_plan_is_refused_with_the_way_out(run):
    (run / "plan.json").write_text('{"steps": 2')
    with pytest.raises(InputError, match=r"plan\.json: is damaged .*remove it"):
        list(go_on(run))


def test_a_run_that_has_no_checkpoint_says_to_begin_anew(run):
    shutil.rmtree(run / "checkpoints")
    with pytest.raises(InputError, match="begin anew without --resume"):
        list(go_on(run))


def test_a_run_killed_between_the_first_best_and_the_first_last_is_begun_anew(tmp_path, monkeypatch):
    def killed(self):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Loop, "_save", killed)
        with pytest.raises(KeyboardInterrupt):
            list(train(samples(), out=tmp_path, recipe=FEW))
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["best.safetensors"]
    with pytest.raises(InputError, match="begin anew without --resume"):
        list(go_on(tmp_path))
    assert until(train(samples(), out=tmp_path, recipe=FEW), Saved).step == 2
    with pytest.raises(InputError, match="holds a run already"):
        train(samples(), out=tmp_path, recipe=FEW)


def test_what_is_asked_for_in_going_on_and_not_taken_is_told(run):
    asked = recipe(batch=8, validation={"metric": "f1_50", "pictures": 0})  # pictures, window and others are as in the run
    asked["train"] = {**asked["train"], "budget": {"steps": 20}}
    events = train(samples(), out=run, resume=True, recipe=asked)
    assert "not taken: batch, validation.metric;" in until(events, Warned).message
    same = train(samples(), out=run, resume=True, recipe={"microtome": 1, "train": {"batch": 4, "network": {"unet": {"depth": 2}}}})
    assert isinstance(next(same), Chosen)
    same.close()


def test_going_on_keeps_the_reasons_of_the_choices(run):
    before = {one.place: one.reason for one in read_history(run).choices}
    assert before["loss"] != "as you said"
    path = run / "train.yaml"
    path.write_text(path.read_text().replace("rate: 0.01", "rate: 0.005"))
    after = {one.place: one.reason for one in until(go_on(run), Chosen).choices}
    assert after["loss"] == before["loss"]
    assert after["optimiser"] == "as you said"
    (run / "choices.json").write_text("[{")
    assert until(go_on(run), Chosen)


# ---- signals: the command line in a process of its own


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """Data, and a recipe of a run that does not end by itself."""
    folder = tmp_path_factory.mktemp("long")
    given = recipe_file(folder / "long.yaml", budget={"steps": 100000}, validation={"every": 20, "pictures": 0})
    return data_folder(folder / "data"), given


def ended(process):
    out, error = process.communicate(timeout=WITHIN)
    return process.returncode, out, error


@pytest.mark.slow
def test_ctrl_c_saves_and_says_how_to_go_on_and_kill_9_loses_no_more_than_since_the_last_checkpoint(long, tmp_path):
    data, given = long
    out = tmp_path / "run"
    last = out / "checkpoints" / "last.safetensors"
    process = started(*arguments(data, out, "--recipe", given))
    wait_for(process, out, 10)
    process.send_signal(signal.SIGINT)
    code, _, error = ended(process)
    assert code == 130
    first = load_checkpoint(last)[0].step
    assert f"stopped at step {first}: asked to stop; go on with --resume" in error
    assert read_history(out).state == "stopped"

    process = started(*arguments(data, out, "--resume"))
    wait_for(process, out, first + 50)
    process.kill()
    process.communicate()
    kept = load_checkpoint(last)[0].step
    assert kept > first
    assert kept % 20 == 0

    process = started(*arguments(data, out, "--resume"))
    wait_for(process, out, kept + 20)
    process.send_signal(signal.SIGTERM)
    code, _, error = ended(process)
    assert code == 130
    steps = [line["step"] for line in lines(out) if line["event"] == "step"]
    assert steps == sorted(set(steps))
    assert not list(out.rglob(".microtome-*last.safetensors"))


SECOND = """
import os, signal, sys
from microtome.learn.training import loop
real = loop.Loop.step
def step(self, number, drawn):
    if number == 25:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
    return real(self, number, drawn)
loop.Loop.step = step
from microtome.app.cli.main import run
run()
"""


@pytest.mark.slow
def test_a_second_ctrl_c_breaks_off_within_the_step_and_keeps_the_last_checkpoint(long, tmp_path):
    data, given = long
    script = tmp_path / "second.py"
    script.write_text(SECOND)
    process = started(*arguments(data, tmp_path / "run", "--recipe", given), script=script)
    code, _, error = ended(process)
    assert code == 130
    assert "once more to break off" in error
    assert "broken off; the last checkpoint is kept: go on with --resume" in error
    assert "Traceback" not in error
    assert load_checkpoint(tmp_path / "run" / "checkpoints" / "last.safetensors")[0].step == 20
    assert read_history(tmp_path / "run").state == "broken off"


SETTING_UP = """
import os, signal
from microtome.learn.training import set_up
real = set_up.look_at
def look_at(*given, **options):
    os.kill(os.getpid(), signal.SIGINT)
    return real(*given, **options)
set_up.look_at = look_at
from microtome.app.cli.main import run
run()
"""


@pytest.mark.slow
def test_ctrl_c_before_the_first_step_ends_at_once_and_promises_nothing(long, tmp_path):
    data, given = long
    script = tmp_path / "setting_up.py"
    script.write_text(SETTING_UP)
    code, _, error = ended(started(*arguments(data, tmp_path / "run", "--recipe", given), script=script))
    assert code == 130
    assert "broken off before anything was saved; begin anew" in error
    assert "Traceback" not in error
    assert not (tmp_path / "run" / "checkpoints").exists()
