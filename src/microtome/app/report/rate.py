"""The curve of a range test as an SVG of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from microtome.io.whole import whole_file
from microtome.learn.training.rate_finder import RangeTest

__all__ = ["write_rate_curve"]

_WIDTH, _HEIGHT = 640, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 40, 48
_TICKS = 5


def write_rate_curve(path: Path, found: RangeTest) -> Path:
    """Draw the losses of a range test over their rates, as they were and smoothed, with the suggestion.

    Parameters
    ----------
    path : Path
    found : RangeTest

    Returns
    -------
    Path
        The file. It appears whole or not at all.

    Raises
    ------
    RunError
        If the disk refuses.
    """
    first, last = math.log10(found.rates[0]), math.log10(found.rates[-1])
    low, high = min(found.losses), min(max(found.losses), 1.25 * max(found.smoothed))
    high = high if high > low else low + 1.0

    def x(rate: float) -> float:
        return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * (math.log10(rate) - first) / (last - first), 1)

    def y(loss: float) -> float:
        return round(_HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * (min(loss, high) - low) / (high - low), 1)

    def line(losses: Sequence[float], style: str) -> str:
        points = " ".join(f"{x(rate)},{y(loss)}" for rate, loss in zip(found.rates, losses, strict=True))
        return f'<polyline points="{points}" fill="none" {style}/>'

    bottom = _HEIGHT - _BOTTOM
    across = [10.0**power for power in range(math.ceil(first), math.floor(last) + 1)]
    up = [low + (high - low) * k / (_TICKS - 1) for k in range(_TICKS)]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" font-size="12" fill="#333">',
        f'<title>Range test: {found.rate:.2g} is suggested</title><rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="24" font-size="14">Loss over the learning rate: {found.rate:.2g} is suggested</text>',
        *(f'<path d="M{x(rate)} {_TOP}V{bottom}" stroke="#ddd"/><text x="{x(rate)}" y="{bottom + 18}" text-anchor="middle">{rate:g}</text>'
          for rate in across),
        *(f'<path d="M{_LEFT} {y(loss)}H{_WIDTH - _RIGHT}" stroke="#ddd"/><text x="{_LEFT - 6}" y="{y(loss) + 4}" text-anchor="end">'
          f"{loss:.3g}</text>" for loss in up),
        line(found.losses, 'stroke="#bbb"'),
        line(found.smoothed, 'stroke="#0072b2" stroke-width="2"'),
        f'<path d="M{x(max(found.rate, found.rates[0]))} {_TOP}V{bottom}" stroke="#d55e00" stroke-width="2" stroke-dasharray="4 3"/>',
        f'<text x="{(_LEFT + _WIDTH - _RIGHT) / 2}" y="{_HEIGHT - 10}" text-anchor="middle">learning rate'
        f'{f" of {found.optimiser}" if found.optimiser else ""}; grey: the loss of each step, blue: smoothed</text></svg>',
    ]  # fmt: skip
    with whole_file(path) as temporary:
        temporary.write_text("\n".join(parts) + "\n", encoding="utf-8", newline="\n")
    return path
