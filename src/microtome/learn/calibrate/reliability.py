"""The reliability picture: how often a network is right where it is so sure, before and after its temperature."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.learn.calibrate.temperature import Calibration
from microtome.measure.metrics.calibration import Reliability, brier, ece

__all__ = ["RELIABILITY", "reliability_picture"]

RELIABILITY = "reliability.svg"
"""What a run folder calls the picture."""

_WIDE, _HIGH = 440, 480
_LEFT, _TOP, _SIDE = 56, 42, 300
_BARS = 44
_INK, _QUIET, _LINE = "#1f2933", "#5b6770", "#d5dade"
_BEFORE, _AFTER = "#d55e00", "#0072b2"  # vermilion and blue of Okabe and Ito: apart for any colour vision


def reliability_picture(found: Mapping[str, Calibration]) -> str:
    """Draw an SVG, a panel for each of a network's outputs.

    Parameters
    ----------
    found : mapping of str to Calibration
        By the output's name.

    Returns
    -------
    str
        The share of pixels that is right over the mean probability they were given, in bins of equal width; where both are the same,
        on the diagonal, probabilities can be taken at their word. Bars below show how many pixels each bin has, on a logarithmic
        scale. It needs no other file, and has no script and no style sheet.

    Raises
    ------
    InputError
        If there is no output to draw.

    Examples
    --------
    >>> from microtome.learn.calibrate.temperature import Said, calibrate
    >>> sure = Said(np.full(4, 0.9), np.array([1, 1, 1, 0]), "a")
    >>> picture = reliability_picture({"cell": calibrate([sure, Said(sure.probabilities, sure.truth, "b")])})
    >>> picture.startswith("<svg"), "temperature 2" in picture
    (True, True)
    """
    if not found:
        raise InputError("there is no output with probabilities, so there is no reliability to draw")
    width = _WIDE * len(found)
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {_HIGH}" width="{width}" height="{_HIGH}" '
             f'font-family="system-ui, sans-serif" font-size="12" fill="{_INK}">',
             f"<title>{escape(_in_words(found))}</title>",
             f'<rect width="{width}" height="{_HIGH}" rx="8" fill="#ffffff"/>']  # fmt: skip
    for number, (name, one) in enumerate(found.items()):
        lines += [f'<g transform="translate({_WIDE * number} 0)">', *_panel(name, one), "</g>"]
    return "\n".join([*lines, "</svg>"]) + "\n"


def _in_words(found: Mapping[str, Calibration]) -> str:
    return "; ".join(f"{name}: temperature {one.temperature:g}, expected calibration error {ece(one.before):.4f} before and "
                     f"{ece(one.after):.4f} after" for name, one in found.items())  # fmt: skip


def _panel(name: str, one: Calibration) -> Iterator[str]:
    yield f'<text x="{_LEFT}" y="26" font-size="14" font-weight="600">{escape(name)}</text>'
    yield from _axes()
    yield f'<line x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}" stroke="{_QUIET}" stroke-dasharray="4 4"/>'
    changed = one.temperature != 1
    yield from _bars((one.after if changed else one.before).count)
    yield from _curve(one.before, _BEFORE, "temperature 1")
    if changed:
        yield from _curve(one.after, _AFTER, f"temperature {one.temperature:g}")
    yield from _legend(one, changed)


def _axes() -> Iterator[str]:
    for tick in (0, 0.25, 0.5, 0.75, 1):
        yield f'<line x1="{_x(0)}" x2="{_x(1)}" y1="{_y(tick)}" y2="{_y(tick)}" stroke="{_LINE}"/>'
        yield f'<line x1="{_x(tick)}" x2="{_x(tick)}" y1="{_y(0)}" y2="{_y(1)}" stroke="{_LINE}"/>'
        yield f'<text x="{_LEFT - 8}" y="{_y(tick) + 4}" text-anchor="end" fill="{_QUIET}">{tick:g}</text>'
        yield f'<text x="{_x(tick)}" y="{_y(0) + _BARS + 22}" text-anchor="middle" fill="{_QUIET}">{tick:g}</text>'
    middle = _TOP + _SIDE / 2
    yield f'<text x="14" y="{middle}" text-anchor="middle" transform="rotate(-90 14 {middle})" fill="{_QUIET}">share that is right</text>'
    yield f'<text x="{_x(0.5)}" y="{_y(0) + _BARS + 38}" text-anchor="middle" fill="{_QUIET}">probability given</text>'


def _bars(count: NDArray[np.int64]) -> Iterator[str]:
    """Below the panel, by the logarithm of their number."""
    top = np.log1p(count.max(initial=1))
    step = _SIDE / len(count)
    for number, pixels in enumerate(count.tolist()):
        if pixels:
            high = round(float((_BARS - 6) * np.log1p(pixels) / top), 1)
            yield (f'<rect x="{round(_LEFT + number * step + 1, 1)}" y="{_y(0) + 5}" width="{round(step - 2, 1)}" height="{high}" '
                   f'fill="{_LINE}"><title>{pixels:,} pixels</title></rect>')  # fmt: skip


def _curve(table: Reliability, colour: str, told: str) -> Iterator[str]:
    used = np.flatnonzero(table.count)
    points = [(_x(float(table.confidence[k])), _y(float(table.accuracy[k])), k) for k in used]
    yield f'<polyline points="{" ".join(f"{x},{y}" for x, y, _ in points)}" fill="none" stroke="{colour}" stroke-width="2"/>'
    for x, y, k in points:
        words = f"{told}: {table.accuracy[k]:.3f} right of {table.count[k]:,} pixels at {table.confidence[k]:.3f}"
        yield f'<circle cx="{x}" cy="{y}" r="3.5" fill="{colour}"><title>{escape(words)}</title></circle>'


def _legend(one: Calibration, changed: bool) -> Iterator[str]:
    rows = [("temperature 1", one.before, one.entropy_before, _BEFORE)]
    rows += [(f"temperature {one.temperature:g}", one.after, one.entropy_after, _AFTER)] if changed else []
    for number, (words, table, entropy, colour) in enumerate(rows):
        y = _y(0) + _BARS + 62 + 18 * number
        yield f'<line x1="{_LEFT}" x2="{_LEFT + 18}" y1="{y - 4}" y2="{y - 4}" stroke="{colour}" stroke-width="2"/>'
        yield (f'<text x="{_LEFT + 24}" y="{y}">{words}: ECE {ece(table):.3f}, Brier {brier(table):.3f}, '
               f"NLL {entropy:.3f}</text>")  # fmt: skip


def _x(value: float) -> float:
    return round(_LEFT + _SIDE * value, 1)


def _y(value: float) -> float:
    return round(_TOP + _SIDE * (1 - value), 1)
