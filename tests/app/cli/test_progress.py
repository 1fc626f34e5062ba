"""What the terminal shows of long work, and what Tab offers."""

import io
import sys

from microtome.app.cli.complete import complete_recipe, complete_step
from microtome.app.cli.progress import Follower
from microtome.core.events import Failed, Progress, Started, Warned


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def follow(monkeypatch, *events, quiet=False) -> str:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "120")
    with Follower(quiet=quiet) as follower:
        for event in events:
            follower.see(event)
    return terminal.getvalue()


def test_long_work_shows_its_rate_and_the_time_left(monkeypatch):
    shown = follow(monkeypatch, Started(100), Progress(50, 100, 10.0))
    assert "50/100" in shown
    assert "5.0 images/s" in shown
    assert "left" in shown


def test_a_failure_is_shown_even_when_quiet_and_a_note_is_not(monkeypatch):
    shown = follow(monkeypatch, Started(2), Warned("assumed", "a.png"), Failed("b.png", "torn"), quiet=True)
    assert shown == "failed  b.png: torn\n"


def test_tab_offers_recipes_steps_and_a_steps_settings():
    assert complete_recipe("co") == ["coins", "colours"]
    assert "otsu" in complete_step("ot")
    assert complete_step("otsu:cl") == ["otsu:classes="]
    assert complete_step("otsu:classes=3,fo") == ["otsu:classes=3,foreground="]
    assert complete_step("nothing:") == []
