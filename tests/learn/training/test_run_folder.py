"""The folder of a training: what is written is what is read, over errors, kills and resumes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from microtome.core.errors import InputError, RunError
from microtome.learn.training.events import (
    Choice,
    Chosen,
    Event,
    Finished,
    Planned,
    Saved,
    Stepped,
    Stopped,
    Validated,
    Warned,
)
from microtome.learn.training.run_folder import read_history, record
from microtome.run import yaml_text


def step(number: int, loss: float = 0.5) -> Stepped:
    return Stepped(number, 100, number / 10, loss, {"mask.dice": loss}, 1e-3, number * 2.0)


def validation(number: int, score: float, *, best: bool = True) -> Validated:
    pictures = {"a": f"pictures/a/{number}.png"}
    return Validated(number, "ap_50", score, best, {"ap_50": score}, 0.4, {"a": score}, pictures)


def write(folder: Path, *events: Event, resumed: int = 0) -> list[Event]:
    return list(record(folder, iter(events), resumed=resumed))


def lines(folder: Path) -> list[str]:
    return (folder / "metrics.jsonl").read_text().splitlines()


def test_everything_told_is_read_back_as_it_was(tmp_path):
    told = (
        Warned("no mask", "b.png"),
        Planned(100, 50, "asked for"),
        step(50),
        validation(50, 0.25),
        Saved(50, tmp_path / "checkpoints" / "last.safetensors"),
        step(100),
        validation(100, 0.2, best=False),
        Finished(50, 0.3, tmp_path / "model.zip", 201.5),
    )
    assert write(tmp_path, *told) == [*told]
    history = read_history(tmp_path)
    assert history.state == "finished"
    assert history.planned == told[1]
    assert history.steps == (told[2], told[5])
    assert history.validations == (told[3], told[6])
    assert history.best == told[3]
    assert history.finished == told[7]
    assert history.notes == ("b.png: no mask",)


def test_choices_and_the_recipe_are_files_of_their_own(tmp_path):
    document = {"microtome": 1, "train": {"network": {"unet": {"root": 16}}, "loss": [{"dice": {"squared": True}}], "window": (64, 64)}}
    choice = Choice("window", (64, 64), "the smallest image")
    write(tmp_path, Chosen((choice,), document))
    text = (tmp_path / "train.yaml").read_text()
    assert yaml_text.load(text) == json.loads(json.dumps(document))
    assert max(map(len, text.splitlines())) < 60  # people read it
    assert json.loads((tmp_path / "choices.json").read_text()) == [{"place": "window", "value": [64, 64], "reason": "the smallest image"}]
    assert read_history(tmp_path).choices == (Choice("window", [64, 64], "the smallest image"),)


def test_the_environment_names_no_machine_and_no_user(tmp_path, monkeypatch):
    import getpass
    import platform

    write(tmp_path, Chosen((), {}))
    found = json.loads((tmp_path / "environment.json").read_text())
    assert found["packages"]["numpy"] == np.__version__
    assert found["cores"] >= 1
    words = json.dumps(found)
    assert platform.node() not in words
    assert f"/{getpass.getuser()}" not in words
    assert str(Path.home()) not in words


def test_no_path_of_the_machine_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = tmp_path / "run"
    write(Path("run"), Saved(5, run / "checkpoints" / "last.safetensors"), Finished(5, 0.5, run / "model.zip", 1.0))
    assert str(tmp_path) not in "".join(lines(run))
    assert read_history("run").finished.bundle == Path("run/model.zip")
    assert read_history(run).finished.bundle == run / "model.zip"


def test_a_line_is_on_the_disk_before_the_event_goes_on(tmp_path):
    for number, _ in enumerate(record(tmp_path, iter([step(10), step(20)])), 1):
        assert len(lines(tmp_path)) == number


def test_a_resumed_training_has_one_history(tmp_path):
    write(tmp_path, Planned(100, 20, "x"), step(10), step(20), validation(20, 0.5), Saved(20, tmp_path / "c"), Warned("late"),
          step(30, 9.0), validation(40, 0.9), Stopped(40, "asked"))  # fmt: skip
    assert read_history(tmp_path).state == "stopped"
    write(tmp_path, step(30, 0.4), validation(40, 0.6), Finished(40, 0.6, tmp_path / "model.zip", 1.0), resumed=20)
    history = read_history(tmp_path)
    assert [(one.step, one.loss) for one in history.steps] == [(10, 0.5), (20, 0.5), (30, 0.4)]
    assert [(one.step, one.score) for one in history.validations] == [(20, 0.5), (40, 0.6)]
    assert history.planned == Planned(100, 20, "x")
    assert history.state == "finished"


def test_a_training_that_goes_on_after_it_was_stopped_runs_again(tmp_path):
    write(tmp_path, Planned(100, 20, "x"), step(20), Stopped(20, "asked"))
    going = record(tmp_path, iter([step(40), step(60)]), resumed=20)
    next(going)
    assert read_history(tmp_path).state == "running"
    assert read_history(tmp_path).stopped is None
    going.close()


def test_a_new_training_forgets_the_one_before(tmp_path):
    write(tmp_path, step(10), step(20))
    write(tmp_path, step(10, 0.1))
    assert [one.loss for one in read_history(tmp_path).steps] == [0.1]


def test_half_a_last_line_is_left_out_and_does_not_spoil_the_next(tmp_path):
    write(tmp_path, step(10), step(20))
    path = tmp_path / "metrics.jsonl"
    whole = path.read_text().splitlines(keepends=True)[:2]
    for cut in range(1, len(whole[1]) - 1):  # killed at any byte
        path.write_text(whole[0] + whole[1][:cut])
        assert [one.step for one in read_history(tmp_path).steps] == [10]
    write(tmp_path, step(20, 0.3), resumed=10)
    assert [one.loss for one in read_history(tmp_path).steps] == [0.5, 0.3]


@pytest.mark.parametrize("bad", ["{", "[]", '{"event": "step", "loss": 1}', '{"event": "step", "step": 3}'])
def test_a_damaged_line_is_named(tmp_path, bad):
    write(tmp_path, step(10), step(20))
    path = tmp_path / "metrics.jsonl"
    text = path.read_text().splitlines()
    text[1] = bad
    path.write_text("\n".join(text) + "\n")
    with pytest.raises(InputError, match=r"metrics\.jsonl:2"):
        read_history(tmp_path)


def test_numbers_that_are_not_finite_keep_the_file_json(tmp_path):
    write(tmp_path, step(10, math.inf), validation(10, math.nan), step(20, float(np.float32(0.25))))
    for line in lines(tmp_path):
        json.loads(line, parse_constant=lambda word: pytest.fail(word))
    history = read_history(tmp_path)
    assert math.isnan(history.steps[0].loss)
    assert math.isnan(history.steps[0].parts["mask.dice"])
    assert math.isnan(history.validations[0].images["a"])
    assert history.steps[1].loss == 0.25


def test_numbers_of_numpy_are_plain(tmp_path):
    write(tmp_path, Stepped(np.int64(10), 100, 1.0, np.float32(0.5), {"a": np.float64(0.5)}, 0.1, 1.0))
    assert read_history(tmp_path).steps[0].loss == 0.5


def test_an_error_is_told_and_passed_on_and_the_training_closed(tmp_path):
    closed = []

    def broken() -> Iterator[Event]:
        yield step(10)
        raise RunError("the loss is inf")

    with pytest.raises(RunError, match="the loss is inf"):
        list(record(tmp_path, broken()))
    assert read_history(tmp_path).state == "broken off"

    def endless() -> Iterator[Event]:
        try:
            while True:
                yield step(10)
        finally:
            closed.append(True)

    going = record(tmp_path, endless())
    next(going)
    going.close()
    assert closed == [True]


def test_the_time_left_is_by_the_pace_so_far(tmp_path):
    assert read_history(tmp_path).seconds_left is None
    write(tmp_path, step(10), step(25))
    assert read_history(tmp_path).seconds_left == 150.0  # 25 of 100 steps in 50 s


def test_a_full_disk_is_told_with_the_way_out(tmp_path):
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    from microtome.learn.training.run_folder import _append

    with full.open("wb", buffering=0) as file, pytest.raises(RunError, match="--resume"):
        _append(file, {"event": "step"})


def test_no_folder_is_told(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        read_history(tmp_path / "none")


def test_a_disk_that_fills_up_during_training_ends_it_with_that_error(tmp_path):
    resource, signal = pytest.importorskip("resource"), pytest.importorskip("signal")
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
        with pytest.raises(RunError, match=r"metrics\.jsonl: cannot be written"):
            write(tmp_path, *(step(k) for k in range(1, 100)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert (tmp_path / "metrics.jsonl").read_bytes().endswith(b"\n")
    done = read_history(tmp_path).steps  # what was whole is read
    assert [one.step for one in done] == list(range(1, len(done) + 1))
    assert len(done) > 2
