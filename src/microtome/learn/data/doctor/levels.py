"""The few values a mask was meant to have, found again among those that drawing, blurring or JPEG added."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.learn.data.doctor.values import Values

__all__ = ["main_colours", "main_values", "nearest"]

_MOST = 32


def main_values(values: Values) -> tuple[int, ...]:
    """The values that stand out: each has far more pixels near it than the values around.

    Parameters
    ----------
    values : Values
        Of a grey mask.

    Returns
    -------
    tuple of int
        Ascending; empty where no few values hold most of the pixels, as in a photograph.

    Examples
    --------
    >>> from microtome.learn.data.doctor.values import values_of
    >>> soft = np.repeat([[0] * 40 + [60, 128, 190] + [255] * 40], 9, axis=0)
    >>> main_values(values_of(soft))
    (0, 255)
    """
    if not len(values):
        return ()
    span = int(values.value[-1] - values.value[0])
    width = max(span // 16, 1)
    left = values.counts.astype(np.float64)
    found: list[int] = []
    even = values.pixels * width / max(span, 1)  # what a window would hold if all values were as common
    while len(found) < _MOST and left.max() > 0:
        value = int(values.value[int(left.argmax())])
        window = abs(values.value - value) <= width
        if left[window].sum() < max(0.02 * even, 0.0005 * values.pixels) or not _stands_out(values, left, value, width):
            break
        found.append(value)
        left[window] = 0
    return _snapped(sorted(found)) if 0 < len(found) < _MOST and _are_most(values, found, width) else ()


def _snapped(found: list[int]) -> tuple[int, ...]:
    """Black and white as they were meant: compression leaves 1 and 253 of them as the commonest values."""
    if len(found) > 1 and found[-1] - found[0] > 128 and found[-1] <= 255:
        found = [0 if value <= 8 else 255 if value >= 247 else value for value in found]
    return tuple(found)


def _are_most(values: Values, found: list[int], width: int) -> bool:
    """Most pixels are near them, or whatever fills areas is them: thin objects drawn softly are all border."""
    near = np.min([abs(values.value - value) for value in found], axis=0) <= width
    solid = int(values.solid.sum())
    filled = int(values.solid[np.isin(values.value, found)].sum())
    return values.counts[near].sum() >= 0.8 * values.pixels or (len(found) > 1 and filled >= 0.98 * solid and solid >= 0.2 * values.pixels)


def _stands_out(values: Values, left: NDArray[np.float64], value: int, width: int) -> bool:
    """A quarter of a window's pixels in one value, or half of them within an eighth of the window: a spike, not a slope."""
    window = abs(values.value - value) <= width
    close = abs(values.value - value) <= max(width // 8, 1)
    total = left[window].sum()
    solid = values.solid[window].sum() > 0
    return bool((left[values.value == value].sum() >= 0.25 * total or left[close].sum() >= 0.5 * total) and solid)


def main_colours(values: Values) -> tuple[int, ...]:
    """The colours that fill areas; those that occur only along borders were made by drawing or compression."""
    area = values.solid > 0
    common = values.counts >= 0.0005 * values.pixels
    rows = np.flatnonzero(area & common) if (area & common).any() else np.arange(len(values))
    rows = rows[np.argsort(-values.counts[rows], kind="stable")]
    kept: list[int] = []
    for row in rows.tolist():
        colour = int(values.value[row])
        if all(_distance(colour, other) > 24 for other in kept):
            kept.append(colour)
    return tuple(kept)


def _distance(one: int, other: int) -> int:
    return max(abs((one >> shift & 255) - (other >> shift & 255)) for shift in (0, 8, 16))


def nearest(pixels: NDArray[Any], levels: tuple[int, ...]) -> NDArray[Any]:
    """Each pixel moved to the level nearest to it; half-way ones go down.

    >>> nearest(np.array([3, 130, 250], np.uint8), (0, 255)).tolist()
    [0, 255, 255]
    """
    ordered = np.array(levels, np.int64)
    cuts = (ordered[1:] + ordered[:-1]) / 2
    return ordered[np.searchsorted(cuts, pixels)].astype(pixels.dtype)
