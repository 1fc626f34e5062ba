"""Fitting the settings of a decoder: on scores that are known, the best value is found and the middle of equals is taken."""

from __future__ import annotations

from typing import Annotated

import pytest

pytest.importorskip("torch")

from microtome.core.parameters import Range
from microtome.core.raster import ScoreMap, SemanticMap
from microtome.core.step import step
from microtome.core.tiling import Local
from microtome.learn.training.decoding import fit_decoding


@step(tiling=Local(0), channels="joint")
def decode(
    scores: ScoreMap,
    *,
    cut: Annotated[float, Range(0, 1, search=(0.1, 0.9))] = 0.5,
    size: Annotated[int, Range(0, 100, search=(0, 40))] = 0,
    fill: bool = True,
    mode: float = 2.0,
) -> SemanticMap:
    """Decodes nothing.

    Parameters
    ----------
    cut : number
    size : int
    fill : bool
    mode : number
    """
    raise AssertionError("the score alone is asked")


def test_the_best_of_two_settings_is_found_one_after_the_other():
    fitted = fit_decoding(decode, {}, lambda s: -abs(s.get("cut", 0.5) - 0.33) - abs(s.get("size", 0) - 22) / 100)
    assert fitted.settings["cut"] == pytest.approx(0.33, abs=0.02)
    assert abs(fitted.settings["size"] - 22) <= 1
    assert isinstance(fitted.settings["size"], int)
    assert fitted.before == pytest.approx(-0.17 - 0.22)
    assert fitted.after > -0.03
    assert set(fitted.settings) == {"cut", "size"}  # those without a range worth searching are left alone


def test_where_nothing_is_better_the_first_settings_stay():
    fitted = fit_decoding(decode, {"cut": 0.7, "mode": 3.0}, lambda s: 1.0)
    assert fitted.settings == {"cut": 0.7, "mode": 3.0}
    assert fitted.before == fitted.after == 1.0


def test_of_equal_values_the_middle_one_is_taken():
    fitted = fit_decoding(decode, {"cut": 0.9}, lambda s: float(0.15 < s["cut"] < 0.65))
    assert fitted.settings["cut"] == pytest.approx(0.4, abs=0.1)  # of those from 0.2 to 0.6


def test_every_asking_is_counted():
    asked = []
    fitted = fit_decoding(decode, {}, lambda s: float(asked.append(dict(s)) or 0))
    assert fitted.tried == len(asked)
    assert all(0.1 <= s.get("cut", 0.5) <= 0.9 for s in asked)
    assert all(0 <= s.get("size", 0) <= 40 for s in asked)
