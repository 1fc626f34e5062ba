"""Several processes train together over gloo: one split, one writer, the score of one process, and a clean end when one is lost."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess

import pytest

pytest.importorskip("torch")

from tests.learn.training.launch import ALONE, arguments, data_folder, lines, of_rank, recipe_file, started, torchrun, wait_for

from microtome.learn.training.checkpoint import load_checkpoint
from microtome.learn.training.crew import Crew
from microtome.learn.training.precision import choose

WITHIN = 60
"""Seconds in which all must have ended: torchrun itself ends a process that does not within 30."""

TWO = """
import sys
import torch
from microtome.learn.training.crew import Crew, LostProcess

def main():  # what is wrapped is gone before the interpreter is, as in a training
    crew = Crew("cpu")
    line = [crew.rank, crew.count, str(crew.device), *crew.mean([crew.rank, 3.0]), *crew.from_first([0.1 + crew.rank])]
    layer = torch.nn.Linear(1, 1, bias=False)
    wrapped = crew.wrap(layer)
    wrapped(torch.full((1, 1), 1.0 + 2 * crew.rank)).sum().backward()
    sys.stdout.write(" ".join(map(str, [*line, layer.weight.grad.item()])) + "\\n")
    sys.stdout.flush()
    crew.wait()
    crew.close()

main()
"""


def test_two_processes_agree_on_means_on_what_the_first_says_and_on_gradients(tmp_path):
    script = tmp_path / "two.py"
    script.write_text(TWO)
    ended = subprocess.run([*torchrun(2), str(script)], capture_output=True, text=True, env={**os.environ, **ALONE}, timeout=WITHIN)
    assert ended.returncode == 0, ended.stderr
    said = sorted(line.split() for line in ended.stdout.splitlines())
    assert said == [["0", "2", "cpu", "0.5", "3.0", "0.1", "2.0"], ["1", "2", "cpu", "0.5", "3.0", "0.1", "2.0"]]
    assert "strides" not in ended.stderr


def test_one_process_alone_needs_no_other(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    crew = Crew("cpu")
    crew.wait()
    assert (crew.rank, crew.count, crew.device.type, crew.mean([2.5]), crew.from_first([0.1])) == (0, 1, "cpu", [2.5], [0.1])
    crew.close()


def finished(process):
    out, error = process.communicate(timeout=WITHIN)
    return process.returncode, out, error


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return data_folder(tmp_path_factory.mktemp("data"))


@pytest.mark.slow
def test_two_processes_learn_what_one_learns(data, tmp_path):
    given = recipe_file(tmp_path / "tiny.yaml", budget={"steps": 200}, validation={"every": 50, "pictures": 1})
    code, _, error = finished(started(*arguments(data, tmp_path / "one", "--recipe", given)))
    assert code == 0, error
    code, out, error = finished(started(*arguments(data, tmp_path / "two", "--recipe", given), launcher=torchrun(2)))
    assert code == 0, error
    assert out.count("Model:") == 1
    one, two = lines(tmp_path / "one"), lines(tmp_path / "two")
    assert [line["event"] for line in one] == [line["event"] for line in two]
    for name in ("train.yaml", "split.csv", "plan.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    # The windows are the same; statistics of batch normalisation and the overlap of dice are of half a batch.
    assert abs(one[-1]["score"] - two[-1]["score"]) < 0.2
    assert two[-1]["score"] > 0.5
    with (tmp_path / "two" / "split.csv").open() as file:
        assert {row["split"] for row in csv.DictReader(file)} == {"train", "val"}
    assert sorted(path.name for path in (tmp_path / "two").iterdir()) == sorted(path.name for path in (tmp_path / "one").iterdir())


@pytest.mark.slow
@pytest.mark.skipif(choose("cpu").name != "bf16", reason="the processor has no bfloat16")
def test_bfloat16_is_shared_too(data, tmp_path):
    given = recipe_file(tmp_path / "tiny.yaml", precision="bf16", budget={"steps": 4}, validation={"every": 4, "pictures": 0})
    code, _, error = finished(started(*arguments(data, tmp_path / "run", "--recipe", given), launcher=torchrun(2)))
    assert code == 0, error
    choices = json.loads((tmp_path / "run" / "choices.json").read_text())
    assert next(choice for choice in choices if choice["place"] == "precision")["value"] == "bf16"


@pytest.mark.slow
def test_a_batch_that_does_not_divide_is_refused_before_training(data, tmp_path):
    given = recipe_file(tmp_path / "tiny.yaml", batch=3)
    code, _, error = finished(started(*arguments(data, tmp_path / "run", "--recipe", given), launcher=torchrun(2)))
    assert code != 0
    assert "batch: found 3, expected a multiple of 2" in error


@pytest.mark.slow
def test_whoever_is_lost_the_run_ends_soon_is_saved_and_goes_on(data, tmp_path):
    out = tmp_path / "run"
    given = recipe_file(tmp_path / "tiny.yaml", budget={"steps": 1500}, validation={"every": 1000, "pictures": 0})
    last = out / "checkpoints" / "last.safetensors"

    process = started(*arguments(data, out, "--recipe", given), launcher=torchrun(2))
    wait_for(process, out, 20)
    os.kill(of_rank(process, 1), signal.SIGKILL)
    code, _, error = finished(process)
    assert code != 0
    assert "another of the 2 processes that train together was lost; step" in error
    assert "is saved: start all of them again with --resume" in error
    first = load_checkpoint(last)[0].step
    assert 20 <= first < 1000
    assert f"step {first} is saved" in error
    assert lines(out)[-1]["event"] == "broken off"

    process = started(*arguments(data, out, "--resume"), launcher=torchrun(2))
    wait_for(process, out, first + 20)
    process.send_signal(signal.SIGTERM)  # torchrun passes it on to all
    _, _, error = finished(process)
    second = load_checkpoint(last)[0].step
    assert first + 20 <= second < 1500
    assert f"stopped at step {second}: asked to stop; go on with --resume" in error
    assert lines(out)[-1]["event"] == "stop"

    process = started(*arguments(data, out, "--resume"), launcher=torchrun(2))
    wait_for(process, out, second + 10)
    os.kill(of_rank(process, 0), signal.SIGKILL)  # the one who writes: what it saved last is there
    _, _, error = finished(process)
    assert "the last checkpoint is kept: start all of them again with --resume" in error
    assert load_checkpoint(last)[0].step >= second

    code, told, error = finished(started(*arguments(data, out, "--resume")))  # one goes on alone with what two began
    assert code == 0, error
    assert "Model:" in told
    steps = [line["step"] for line in lines(out) if line["event"] == "step"]
    assert steps == sorted(set(steps))
    assert steps[-1] == 1500
