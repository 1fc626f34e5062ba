"""All colours turned around the colour circle."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numba import njit
from numpy.random import Generator

from microtome.core.parameters import Range
from microtome.learn.augment._colour import rgb_only
from microtome.learn.augment.example import Example, Frame

__all__ = ["apply", "draw"]


def draw(rng: Generator, frame: Frame, *, shift: Annotated[tuple[float, float], Range(-0.5, 0.5)] = (-0.02, 0.02)) -> dict[str, Any]:
    """Draw a shift.

    Parameters
    ----------
    rng : Generator
    frame : Frame
        Of three channels: red, green, blue.
    shift : pair of float
        From, to, in turns of the colour circle: one third makes red green.

    Returns
    -------
    dict
        ``shift``.

    Examples
    --------
    >>> draw(np.random.default_rng(0), Frame((8, 8), 3), shift=(0.25, 0.25))
    {'shift': 0.25}
    """
    return {"shift": float(rng.uniform(*shift))}


def apply(parameters: dict[str, Any], example: Example) -> Example:
    """Add to the hue of the hexagonal model (HSV); value and saturation stay. Grey stays grey.

    Raises
    ------
    InputError
        If the image has not three channels.
    """
    rgb_only(example, "hue")
    image = np.ascontiguousarray(example.image)
    out = np.empty_like(image)
    _turn(image.reshape(-1, 3), np.float32(6 * parameters["shift"]), image.dtype.kind == "u", out.reshape(-1, 3))
    return example.with_image(out)


@njit(cache=True, nogil=True)
def _turn(pixels, shift, whole, out):  # type: ignore[no-untyped-def]
    half = np.float32(0.5) if whole else np.float32(0)
    for p in range(len(pixels)):
        red, green, blue = np.float32(pixels[p, 0]), np.float32(pixels[p, 1]), np.float32(pixels[p, 2])
        high, low = max(red, green, blue), min(red, green, blue)
        width = high - low
        if width == 0:
            out[p] = pixels[p]
            continue
        if high == red:
            hue = (green - blue) / width
        elif high == green:
            hue = (blue - red) / width + np.float32(2)
        else:
            hue = (red - green) / width + np.float32(4)
        hue += shift
        for c in range(3):  # red is full within one sixth of the circle around 0, green around 2, blue around 4
            away = abs(hue - np.float32(2 * c))
            away = away - np.float32(6) if away > 6 else away
            away = np.float32(6) - away if away > 3 else away
            share = min(max(np.float32(2) - away, np.float32(0)), np.float32(1))
            out[p, c] = low + width * share + half
