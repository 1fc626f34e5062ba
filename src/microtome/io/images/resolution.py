"""Pixel density to spacing: what a density tag says of the world, and when it says nothing.

Cameras, scanners and drawing programs write a printing resolution (72, 96, 300 dpi, ...) into every file. It is not
the size of a pixel in the specimen, so densities in `PRINTING` are no spacing. A real spacing that happens to fall
on one of these must be given by the user.
"""

from __future__ import annotations

import math

__all__ = ["PRINTING", "spacing_of", "tidy"]

# 1 dpi is what programs write that do not know better.
PRINTING = (1, 72, 75, 90, 96, 100, 120, 144, 150, 160, 180, 192, 200, 216, 220, 240, 288, 300, 320, 326, 350, 360, 400, 450,
            480, 600, 720, 800, 900, 1000, 1200, 1440, 1800, 2400, 2880, 3200, 3600, 4800, 6400, 7200, 9600)  # fmt: skip
_TOLERANCE = 1e-3


def spacing_of(per_metre: float, rounding: float = 0.0) -> float | None:
    """Micrometres between pixels for a density in pixels a metre, or None for a printing resolution.

    `rounding` is how far the density may be off because the format stores whole numbers; the shortest decimal
    within it is taken, so that a stored 0.65 um comes back as 0.65.

    >>> spacing_of(1538462, rounding=0.5)
    0.65
    >>> spacing_of(11811) is None  # 300 dpi
    True
    """
    if not (math.isfinite(per_metre) and per_metre > 0):
        return None
    dpi = per_metre * 0.0254
    if any(abs(dpi - known) <= known * _TOLERANCE for known in PRINTING):
        return None
    spacing = 1e6 / per_metre
    return tidy(spacing, spacing * rounding / per_metre)


def tidy(value: float, tolerance: float) -> float:
    """The shortest decimal within `tolerance` of `value`.

    >>> tidy(0.64999998, 1e-6)
    0.65
    """
    if tolerance <= 0:
        return value
    for digits in range(1, 17):
        short = float(f"{value:.{digits}g}")
        if abs(short - value) <= tolerance:
            return short
    return value
