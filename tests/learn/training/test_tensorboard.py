"""Curves for TensorBoard: what is logged, and what is told where it is not installed."""

from __future__ import annotations

import math
import sys
import types

import pytest

from microtome.core.errors import MissingExtra
from microtome.learn.training.events import Finished, Stepped, Validated
from microtome.learn.training.tensorboard import log_to_tensorboard


class Writer:
    """Stands in for torch's: it keeps what it is told."""

    def __init__(self, folder: str) -> None:
        self.said: list[tuple[str, float, int]] = []
        self.closed = False
        Writer.last = self

    def add_scalar(self, name: str, value: float, step: int) -> None:
        self.said.append((name, value, step))

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True


def test_it_is_told_before_training_that_it_is_not_installed(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(MissingExtra, match="pip install tensorboard"):
        log_to_tensorboard(tmp_path, iter(()))


def test_losses_rates_and_scores_are_logged_by_step(monkeypatch, tmp_path):
    fake = types.ModuleType("torch.utils.tensorboard")
    fake.SummaryWriter = Writer
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", fake)
    told = [
        Stepped(10, 20, 1.0, 0.5, {"mask.dice": math.nan, "mask.focal": 0.25}, 0.01, 1.0),
        Validated(10, "ap_50", 0.75, True, {"ap_50": 0.75, "f1_50": 0.8}, 0.375, {}, {}),
        Finished(10, 0.77, tmp_path / "model.zip", 2.0),
    ]
    assert list(log_to_tensorboard(tmp_path, iter(told))) == told
    assert Writer.last.said == [
        ("train/loss", 0.5, 10), ("train/rate", 0.01, 10), ("train/mask.focal", 0.25, 10),
        ("held_out/loss", 0.375, 10), ("held_out/ap_50", 0.75, 10), ("held_out/f1_50", 0.8, 10), ("model/ap_50", 0.77, 10),
    ]  # fmt: skip
    assert Writer.last.closed
