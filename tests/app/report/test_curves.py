"""Curves on axes that fit."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from microtome.app.report.curves import HEIGHT, WIDTH, Curve, chart


def points(drawn: Any) -> np.ndarray:
    return np.array([[float(n) for n in point.split(",")] for path in drawn.paths for point in path.split()])


@given(values=st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), min_size=1, max_size=600), linear=st.booleans())
def test_whatever_the_values_the_curve_lies_within_its_axes(values, linear):
    drawn = chart("loss", [Curve("a", list(range(1, len(values) + 1)), values, dotted=True)], steps=1000, linear=linear)
    finite = [value for value in values if math.isfinite(value)]
    assert (drawn is None) == (not finite)
    if drawn:
        assert len(drawn.curves[0].dots) == len(finite)
        places = np.array([dot[:2] for dot in drawn.curves[0].dots])
        assert (places[:, 0] >= drawn.left).all()
        assert (places[:, 0] <= drawn.right).all()
        assert (places[:, 1] >= drawn.top).all()
        assert (places[:, 1] <= drawn.bottom).all()
        assert all(0 <= y <= HEIGHT for y, _ in drawn.up)
        assert all(0 <= x <= WIDTH for x, _ in drawn.across)


def test_a_linear_axis_is_even_and_ends_where_training_will():
    drawn = chart("score", [Curve("a", [0, 50, 100], [0.0, 0.5, 1.0], dotted=True)], steps=200, mark=(100, 1.0))
    (x0, y0), (x1, y1), (x2, y2) = points(drawn.curves[0])
    assert not drawn.logarithmic
    assert abs((x1 - x0) - (x2 - x1)) <= 0.2
    assert abs((y0 - y1) - (y1 - y2)) <= 0.2
    assert abs(x2 - (drawn.left + drawn.right) / 2) <= 0.1
    assert [words for _, words in drawn.across] == ["0", "50", "100", "150", "200"]
    assert drawn.mark == (x2, y2, "1")


def test_a_wide_range_gets_decades_of_equal_height():
    drawn = chart("loss", [Curve("a", [0, 1, 2], [1.0, 0.1, 0.01], dotted=True)], steps=2)
    ys = points(drawn.curves[0])[:, 1]
    assert drawn.logarithmic
    assert abs((ys[1] - ys[0]) - (ys[2] - ys[1])) <= 0.2
    assert not chart("loss", [Curve("a", [0, 1], [1.0, 0.0])], steps=1).logarithmic
    assert not chart("loss", [Curve("a", [0, 1, 2], [1.0, 0.1, 0.01])], steps=2, linear=True).logarithmic


def test_many_points_are_thinned_by_their_means():
    noise = np.random.default_rng(0).normal(10, 1, 50_000)
    drawn = chart("loss", [Curve("a", list(range(50_000)), noise.tolist())], steps=50_000)
    ys = points(drawn.curves[0])
    assert len(ys) <= 400
    assert sum(len(path) for path in drawn.curves[0].paths) < 6000


def test_a_gap_is_a_gap():
    drawn = chart("loss", [Curve("a", range(6), [1, 2, math.nan, 2, 3, 4], dotted=True)], steps=6)
    assert [len(re.findall(",", path)) for path in drawn.curves[0].paths] == [2, 3]
    assert "not finite" not in drawn.curves[0].last
