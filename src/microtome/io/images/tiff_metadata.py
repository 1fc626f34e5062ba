"""What TIFF files say of spacing and channels: OME-XML, ImageJ's text, resolution tags. Lengths in micrometres."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from typing import Any

from microtome.core.units import METRES
from microtome.io.images.resolution import spacing_of, tidy

__all__ = ["distinct", "from_imagej", "from_ome", "from_tags"]

_MICROMETRES = {unit: metres * 1e6 for unit, metres in METRES.items() if unit != "inch"}
_MICROMETRES |= {"µm": 1.0, "μm": 1.0, "\\u00B5m": 1.0, "micron": 1.0, "microns": 1.0, "micrometer": 1.0, "micrometre": 1.0,
                 "nanometer": 1e-3, "millimeter": 1e3, "centimeter": 1e4, "meter": 1e6,
                 "\u212b": 1e-4, "\u00c5": 1e-4, "pm": 1e-6}  # fmt: skip


def from_ome(xml: str, number: int) -> tuple[dict[str, float], tuple[str, ...]]:
    """Spacing and channel names of the image of this number in an OME document.

    Raises
    ------
    xml.etree.ElementTree.ParseError
        If the document is damaged.
    """
    everything = ElementTree.fromstring(xml).findall("{*}Image/{*}Pixels")
    if number >= len(everything):
        return {}, ()
    pixels = everything[number]
    spacing = {}
    for axis in "ZYX":
        unit = _MICROMETRES.get(pixels.get(f"PhysicalSize{axis}Unit", "µm"))
        length = _positive(pixels.get(f"PhysicalSize{axis}"))
        if unit and length:
            spacing[axis.lower()] = tidy(length * unit, length * unit * 1e-12)
    names = tuple(channel.get("Name", "") for channel in pixels.findall("{*}Channel"))
    return spacing, distinct(names)


def from_imagej(metadata: Mapping[str, Any], tags: Any, channels: int) -> tuple[dict[str, float], tuple[str, ...]]:
    """Spacing and channel names of an ImageJ file: its unit says what the resolution tags count."""
    text = str(metadata.get("unit", ""))
    unit = _MICROMETRES.get(text)
    spacing: dict[str, float] = {}
    if unit:
        for axis, (density, rounding) in _densities(tags).items():
            spacing[axis] = tidy(unit / density, unit / density * rounding)
        depth = _positive(metadata.get("spacing"))
        if depth and spacing:
            spacing["z"] = tidy(depth * unit, depth * unit * 1e-12)
    elif text in ("inch", "in"):
        spacing = from_tags(tags)
    return spacing, _imagej_labels(metadata.get("Labels"), channels)


def _imagej_labels(labels: Any, channels: int) -> tuple[str, ...]:
    """One label a plane, channels fastest: they name the channels where every slice repeats them."""
    if not isinstance(labels, (list, tuple)) or channels < 2 or len(labels) % channels:
        return ()
    names = tuple(str(label) for label in labels[:channels])
    repeated = all(str(label) == names[number % channels] for number, label in enumerate(labels))
    return distinct(names) if repeated else ()


def from_tags(tags: Any) -> dict[str, float]:
    """Spacing by the resolution tags alone; a printing resolution is none."""
    unit = _tag(tags, 296, 2)
    metres = {2: METRES["inch"], 3: METRES["cm"]}.get(int(unit)) if isinstance(unit, int) else None
    if metres is None:
        return {}
    found = {axis: spacing_of(d / metres, rounding * d / metres) for axis, (d, rounding) in _densities(tags).items()}
    return {axis: spacing for axis, spacing in found.items() if spacing} if all(found.values()) else {}


def _densities(tags: Any) -> dict[str, tuple[float, float]]:
    """Pixels a unit by axis, and their relative rounding: a large numerator was a decimal once."""
    found = {}
    for axis, code in (("y", 283), ("x", 282)):
        pair = _tag(tags, code, None)
        if not isinstance(pair, tuple) or len(pair) != 2 or not all(isinstance(n, int) and n > 0 for n in pair):
            return {}
        found[axis] = (pair[0] / pair[1], 0.5 / pair[0] if pair[0] > 100_000 else 1e-12)
    return found


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """The names where each channel has one of its own; else none."""
    return tuple(names) if all(names) and len(set(names)) == len(names) else ()


def _tag(tags: Any, code: int, default: Any) -> Any:
    value = tags.valueof(code, default=default)
    return int(value) if isinstance(value, int) else value


def _positive(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if 0 < number < float("inf") else None
