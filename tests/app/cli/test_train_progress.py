"""What training shows in the terminal, and what it prints at the end."""

from __future__ import annotations

import io
import json
import math
import sys
from pathlib import Path

import pytest

from microtome.app.cli.train_progress import show
from microtome.learn.training.events import Choice, Chosen, Finished, Planned, Saved, Stepped, Stopped, Validated, Warned

CHOSEN = Chosen((Choice("window", [256, 256], "the smallest image has [256, 300]"), Choice("batch", 8, "asked for")), {})


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def step(number: int, loss: float = 0.5) -> Stepped:
    return Stepped(number, 100, number / 10, loss, {}, 1e-3, number * 2.0)


def validation(number: int, score: float, *, best: bool = True) -> Validated:
    return Validated(number, "ap_50", score, best, {"ap_50": score, "f1_50": math.nan}, 0.4)


WHOLE = (CHOSEN, Warned("a mask is missing"), Warned("a mask is missing"), Planned(100, 50, "asked for"), step(50), validation(50, 0.5),
         step(100), validation(100, 0.4, best=False), Finished(50, 0.55, Path("run/model.zip"), 200.0))  # fmt: skip


def test_choices_come_with_their_reasons_and_each_validation_has_a_line(capsys):
    assert show(iter(WHOLE)) == WHOLE[-1]
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert lines[0].split(maxsplit=3) == ["window", "[256,", "256]", "the smallest image has [256, 300]"]
    assert lines.count("note    a mask is missing") == 1
    assert [line for line in lines if line.startswith("step")] == [
        "step  50 of 100  ap_50 0.5000  loss held out 0.4  best so far",
        "step 100 of 100  ap_50 0.4000  loss held out 0.4",
    ]
    assert out.splitlines() == ["ap_50 0.5500 on held-out images (weights of step 50), 3 min 20 s", "Model: run/model.zip"]


def test_a_terminal_shows_a_bar_with_the_best_score_and_the_time_left(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "140")
    monkeypatch.setenv("TERM", "xterm")
    show(iter((*WHOLE[:6], step(60), validation(60, 0.25, best=False), step(75))))
    shown = terminal.getvalue()
    assert "75/100" in shown
    assert "ap_50 0.2500 (best 0.5000)" in shown
    assert "50 s left" in shown  # 75 steps took 150 s
    assert "the smallest image has [256, 300]" in shown


def test_the_best_of_an_earlier_session_is_not_invented(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "140")
    show(iter((Planned(100, 50, "x"), step(50), validation(50, 0.25, best=False), step(60))))
    assert "ap_50 0.2500" in terminal.getvalue()
    assert "(best" not in terminal.getvalue()


def test_json_is_the_only_thing_printed(capsys):
    show(iter(WHOLE), as_json=True)
    out, err = capsys.readouterr()
    assert err == ""
    told = json.loads(out, parse_constant=lambda word: pytest.fail(word))
    assert told == {
        "state": "finished", "notes": ["a mask is missing"], "choices": {"window": [256, 256], "batch": 8}, "steps": 100, "step": 100,
        "loss": 0.5, "seconds": 200.0, "metric": "ap_50", "best": {"step": 50, "score": 0.5, "scores": {"ap_50": 0.5, "f1_50": None}},
        "score": 0.55, "model": "run/model.zip", "model_step": 50,
    }  # fmt: skip


def test_quiet_shows_the_result_only(capsys):
    show(iter(WHOLE), quiet=True)
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("ap_50 0.5500")


def test_a_training_that_ends_early_says_how_to_go_on(capsys):
    assert show(iter((step(10), Stopped(10, "asked to stop")))) == Stopped(10, "asked to stop")
    assert capsys.readouterr().err.splitlines()[-1] == "stopped at step 10: asked to stop; go on with --resume"


def test_ctrl_c_closes_the_training_and_keeps_what_came_before(capsys):
    closed = []

    def events():
        try:
            yield Saved(5, Path("run/checkpoints/last.safetensors"))
            yield step(10)
            raise KeyboardInterrupt
        finally:
            closed.append(True)

    assert show(events()) == step(10)
    assert closed == [True]
    assert "go on with --resume" in capsys.readouterr().err


def test_ctrl_c_before_the_first_checkpoint_does_not_promise_one(capsys):
    def events():
        yield step(10)
        raise KeyboardInterrupt

    show(events())
    told = capsys.readouterr().err
    assert "begin anew" in told
    assert "--resume" not in told
    show(events(), saved=True)
    assert "go on with --resume" in capsys.readouterr().err


def test_any_other_error_is_passed_on():
    def events():
        yield step(10)
        raise ValueError("torn")

    with pytest.raises(ValueError, match="torn"):
        show(events(), as_json=True)
