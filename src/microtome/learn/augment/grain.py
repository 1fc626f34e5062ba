"""The grain of pictures: whether brightness changes more along one axis than along the other, as on ground metal, wood, or layers."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log

import numpy as np

from microtome.core.raster import Image

__all__ = ["grain_of", "have_grain"]

_BLOCK = 4  # pixels a side that are averaged first: noise of a scanner's lines is no grain
_FEWEST = 12  # pictures or groups; of fewer all may lie alike by chance
_STRONG = 1.4
_ALIKE = 0.9


def grain_of(image: Image) -> float:
    """How much more brightness changes from left to right than from top to bottom, as the logarithm of the ratio.

    Parameters
    ----------
    image : Image
        Of a volume the planes count; channels count alike.

    Returns
    -------
    float
        0 where there is no grain, above for upright stripes, below for level ones; NaN where the picture is one colour, has values that
        are not finite, or is smaller than 8 x 8 pixels.

    Examples
    --------
    >>> stripes = np.tile(np.repeat(np.arange(8) % 2, 4), (32, 1)).astype(np.uint8)
    >>> grain_of(Image(stripes)) > 1, grain_of(Image(stripes.T)) < -1, grain_of(Image(stripes * 0))
    (True, True, nan)
    """
    pixels = np.moveaxis(image.pixels, -1, 0) if image.axes.endswith("c") else image.pixels
    height, width = (side // _BLOCK for side in pixels.shape[-2:])
    if min(height, width) < 2 or image.not_finite:
        return float("nan")
    whole = pixels[..., : height * _BLOCK, : width * _BLOCK]
    with np.errstate(over="ignore", invalid="ignore"):  # values near the largest that a float holds say nothing
        coarse = whole.reshape(*pixels.shape[:-2], height, _BLOCK, width, _BLOCK).mean(axis=(-3, -1), dtype=np.float64)
        across, down = (float(np.abs(np.diff(coarse, axis=axis)).mean()) for axis in (-1, -2))
    least = 1e-6 * max(across, down)
    return log((across + least) / (down + least)) if 0 < least < np.inf else float("nan")


def have_grain(grains: Sequence[float]) -> tuple[bool, str]:
    """Whether the pictures of a set have one grain in common, so that turned ones look like none of them.

    Parameters
    ----------
    grains : sequence of float
        Of each picture (`grain_of`), or the median of each group: pictures of one thing are one witness.

    Returns
    -------
    bool
        True if their median is a ratio of 1.4 or more, and nine tenths of twelve or more agree which way it runs.
    reason : str

    Examples
    --------
    >>> have_grain([0.5, 0.6, 0.7] * 4)
    (True, 'brightness changes 1.8 times as much across as down, in 100% of 12 pictures or groups: they are hardly turned')
    >>> have_grain([0.5, -0.6, 0.7] * 4)
    (False, 'brightness changes 1.6 times as much across as down, but only in 67% of 12 pictures or groups: they are turned')
    """
    known = np.array([one for one in grains if np.isfinite(one)])
    if len(known) < _FEWEST:
        return False, f"fewer than {_FEWEST} pictures or groups that would show a grain: they are turned"
    middle = float(np.median(known))
    alike = float((known * middle > 0).mean())
    times = f"{exp(abs(middle)):.1f}" if abs(middle) < log(10) else "more than 10"
    found = f"brightness changes {times} times as much {'across as down' if middle > 0 else 'down as across'}"
    if abs(middle) < log(_STRONG):
        return False, f"{found}, no more: they are turned"
    if alike < _ALIKE:
        return False, f"{found}, but only in {alike:.0%} of {len(known)} pictures or groups: they are turned"
    return True, f"{found}, in {alike:.0%} of {len(known)} pictures or groups: they are hardly turned"
