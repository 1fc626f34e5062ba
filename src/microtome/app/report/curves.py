"""Curves over the steps of training as lines of an SVG: thinned, on axes that fit, with round ticks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["HEIGHT", "WIDTH", "Chart", "Curve", "Drawn", "chart"]

WIDTH, HEIGHT = 560, 270
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 12, 30
_POINTS = 240
_WIDE_RANGE = 8.0  # from the least to the greatest value: above it, positive values get a logarithmic axis

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Curve:
    """Values over steps. `dotted`: each value is a point of its own, such as a validation; such a curve is not thinned."""

    name: str
    steps: Sequence[float]
    values: Sequence[float]
    dotted: bool = False


@dataclass(frozen=True)
class Drawn:
    """One curve in the SVG's units.

    Attributes
    ----------
    name : str
    paths : tuple of str
        The points of each unbroken stretch, as ``"x,y x,y"``.
    dots : tuple of (float, float, str)
        Places, with what they are.
    last : str
        The last value, in words.
    """

    name: str
    paths: tuple[str, ...]
    dots: tuple[tuple[float, float, str], ...]
    last: str


@dataclass(frozen=True)
class Chart:
    """Curves on one pair of axes, in units of an SVG of `WIDTH` x `HEIGHT`.

    Attributes
    ----------
    title : str
    curves : tuple of Drawn
    across, up : tuple of (float, str)
        Ticks: place and words.
    logarithmic : bool
        Of the upward axis.
    mark : (float, float, str) or None
        A point that stands out, with its words.
    """

    title: str
    curves: tuple[Drawn, ...]
    across: tuple[tuple[float, str], ...]
    up: tuple[tuple[float, str], ...]
    logarithmic: bool
    mark: tuple[float, float, str] | None = None
    left: float = _LEFT
    right: float = WIDTH - _RIGHT
    top: float = _TOP
    bottom: float = HEIGHT - _BOTTOM


def chart(
    title: str, curves: Sequence[Curve], *, steps: float, mark: tuple[float, float] | None = None, linear: bool = False
) -> Chart | None:
    """Draw curves.

    Parameters
    ----------
    title : str
    curves : sequence of Curve
        Values that are not finite are gaps.
    steps : float
        Where the axis of steps ends, at least.
    mark : (float, float), optional
        The step and value of a point that stands out.
    linear : bool
        Never a logarithmic axis, which positive values of a wide range get otherwise.

    Returns
    -------
    Chart or None
        None where no curve has a finite value.

    Examples
    --------
    >>> drawn = chart("loss", [Curve("train", [0, 50, 100], [1.0, 0.1, 0.01])], steps=100)
    >>> drawn.logarithmic, [words for _, words in drawn.up]
    (True, ['0.01', '0.02', '0.05', '0.1', '0.2', '0.5', '1'])
    """
    values = np.array([v for one in curves for v in one.values if math.isfinite(v)], float)
    if not len(values):
        return None
    logarithmic = bool(not linear and values.min() > 0 and values.max() / values.min() > _WIDE_RANGE)
    low, high = _range(values, logarithmic)
    end = max([steps, *(step for one in curves for step in one.steps)]) or 1.0

    def x(step: float) -> float:
        return round(_LEFT + (WIDTH - _LEFT - _RIGHT) * step / end, 1)

    def y(value: float) -> float:
        part = math.log(value / low) / math.log(high / low) if logarithmic else (value - low) / (high - low)
        return round(HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * part, 1)

    drawn = []
    for one in curves:
        at, found = (one.steps, one.values) if one.dotted else _thinned(one)
        points = [(x(s), y(v)) if math.isfinite(v) else None for s, v in zip(at, found, strict=True)]
        told = zip(points, at, found, strict=True)
        dots = tuple((*point, f"{one.name} {_words(v)} at step {s:,.0f}") for point, s, v in told if point and one.dotted)
        drawn.append(Drawn(one.name, tuple(_stretches(points)), dots, _words(one.values[-1]) if one.values else ""))
    up = _log_ticks(low, high) if logarithmic else _ticks(low, high, 5)
    return Chart(
        title, tuple(drawn),
        across=tuple((x(at), f"{at:,.0f}") for at in _ticks(0, end, 5)),
        up=tuple((y(at), f"{at:g}") for at in up),
        logarithmic=logarithmic,
        mark=(x(mark[0]), y(mark[1]), _words(mark[1])) if mark and math.isfinite(mark[1]) else None,
    )  # fmt: skip


def _words(value: float) -> str:
    return f"{value:.3g}" if math.isfinite(value) else "not finite"


def _range(values: Floats, logarithmic: bool) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    if logarithmic:
        return low / 1.1, high * 1.1
    if low >= 0 and low < 0.5 * high:
        low = 0.0
    if low == high:
        low, high = low - 0.5 * (abs(low) or 1), high + 0.5 * (abs(high) or 1)
    return low, high + 0.04 * (high - low)


def _thinned(curve: Curve) -> tuple[Sequence[float], Sequence[float]]:
    """The means of even parts where there are too many points to see."""
    if len(curve.steps) <= _POINTS:
        return curve.steps, curve.values
    parts = np.array_split(np.arange(len(curve.steps)), _POINTS)
    steps, values = np.asarray(curve.steps, float), np.asarray(curve.values, float)
    return [float(steps[part].mean()) for part in parts], [float(values[part].mean()) for part in parts]


def _stretches(points: Sequence[tuple[float, float] | None]) -> list[str]:
    stretches: list[list[str]] = [[]]
    for point in points:
        if point is None:
            stretches.append([])
        else:
            stretches[-1].append(f"{point[0]:g},{point[1]:g}")
    return [" ".join(one) for one in stretches if len(one) > 1]


def _ticks(low: float, high: float, count: int) -> list[float]:
    raw = (high - low) / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor for factor in (1, 2, 5, 10) if factor * power >= raw * 0.999) * power
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{k * step:.12g}") for k in range(first, last + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten, with 2 and 5 between them where there is room."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    between = (1, 2, 5) if high / low < 300 else (1,)
    return [at for power in powers for factor in between if low <= (at := float(f"{factor}e{power}")) <= high]
