"""Physical lengths: ``"0.65 um"`` to a number and a unit, and lengths in pixels of an image."""

from __future__ import annotations

import re
from collections.abc import Sequence

from microtome.core.errors import InputError, RecipeError, did_you_mean

__all__ = ["METRES", "length_in_pixels", "parse_length", "parse_spacing"]

METRES = {"nm": 1e-9, "um": 1e-6, "mm": 1e-3, "cm": 1e-2, "m": 1.0, "inch": 0.0254}
_SPELLINGS = {"µm": "um", "μm": "um", "micron": "um", "microns": "um", "micrometer": "um", "micrometre": "um", "in": "inch",
              "pixel": "px", "pixels": "px", "nanometer": "nm", "millimeter": "mm", "centimeter": "cm", "meter": "m"}  # fmt: skip
_LENGTH = re.compile(r"\s*([0-9.]+(?:[eE][-+]?\d+)?)\s*([^\d\s]*)\s*")


def parse_length(text: str | float) -> tuple[float, str]:
    """Split a length into its number and its unit (``"px"`` where none is given).

    >>> parse_length("0.65 µm")
    (0.65, 'um')
    """
    if isinstance(text, (int, float)) and not isinstance(text, bool):
        return float(text), "px"
    match = _LENGTH.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise RecipeError(f"{text!r} is not a length: write a number with a unit, such as 3 (pixels) or '3 um'")
    try:
        number = float(match[1])
    except ValueError:
        raise RecipeError(f"{text!r} is not a length: {match[1]!r} is not a number") from None
    unit = _SPELLINGS.get(match[2], match[2] or "px")
    if unit != "px" and unit not in METRES:
        raise RecipeError(f"{text!r}: unknown unit {match[2]!r}{did_you_mean(unit, [*METRES, 'px'])}")
    return number, unit


def parse_spacing(text: str | float | Sequence[str | float]) -> tuple[tuple[float, ...], str]:
    """Read a pixel spacing: one length for every axis, or one an axis (``"2 um, 0.5 um, 0.5 um"``).

    Returns
    -------
    numbers, unit
        One number where one was given (it holds for every axis), and the unit they share.
    """
    parts = text.split(",") if isinstance(text, str) else [text] if isinstance(text, (int, float)) else list(text)
    lengths = [parse_length(part) for part in parts]
    unit = lengths[-1][1]
    if unit == "px":
        raise RecipeError(f"spacing {text!r} has no unit: write for example '0.65 um'")
    numbers = tuple(n * METRES[u] / METRES[unit] if u not in ("px", unit) else n for n, u in lengths)
    if any(not 0 < n < float("inf") for n in numbers):
        raise RecipeError(f"spacing {text!r} must be above zero")
    return numbers, unit


def length_in_pixels(length: str | float, spacing: Sequence[float] | None, unit: str) -> tuple[float, ...]:
    """Express a length in pixels of each axis; a plain number is already in pixels and comes back alone.

    Raises
    ------
    InputError
        If the length has a physical unit and the image has no spacing.
    """
    number, length_unit = parse_length(length)
    if length_unit == "px":
        return (number,)
    if not spacing:
        raise InputError(f"length {length!r} needs the image's pixel spacing, and the file gives none: "
                         "add --spacing '0.65 um' (or input: {spacing: 0.65 um} in the recipe), or give the length in pixels")  # fmt: skip
    if unit not in METRES:
        raise InputError(f"length {length!r}: the image's spacing {tuple(spacing)} has no unit; write Image(..., spacing=..., unit='um')")
    scale = METRES[length_unit] / METRES[unit]
    return tuple(number * scale / step for step in spacing)
