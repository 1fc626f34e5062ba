"""The size a network knows objects at: bring an image to it where the user says how, and say so where an image is off it.

Nothing is resized that was not asked for. What a file says of its spacing is often wrong or left out, so `remarks` only tells; the
options ``--spacing`` and ``--diameter`` are the user's own word, and `fitted` acts on them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from microtome.core.errors import InputError, RecipeError
from microtome.core.parameters import Length
from microtome.core.raster import Image, InstanceMap
from microtome.core.result import Result
from microtome.core.units import METRES, parse_spacing
from microtome.run import catalogue
from microtome.run.recipe import Recipe

__all__ = ["OFF", "TrainedSize", "fitted", "median_diameter", "remarks", "trained_size"]

OFF = 1.25
"""A spacing that differs from the trained one by more than this factor, either way, is worth a remark."""

_NEAR = 0.05  # a factor this near to one is one: resampling would blur, and no network sees the difference
_MOST = 32.0  # farther from the trained size there is nothing to see; a wrong unit is a factor of a thousand
_AREAS = ("min_area", "max_area", "min_interior", "min_volume")  # settings that count pixels


@dataclass(frozen=True)
class TrainedSize:
    """At which size a network saw its objects.

    Attributes
    ----------
    spacing : tuple of float or None
        Of the training images, one an axis or one for all, in `unit`; None where the card does not say.
    unit : str
    diameter : float or None
        The median equivalent diameter of the training objects, in pixels.
    diameter_range : (float, float) or None
        Its 5 % and 95 % quantiles.
    factor : tuple of float
        What the image is resized by, beyond what the bundle itself does, one an axis or one for all.
    asked : bool
        Whether the user has said how the image is to be brought to this size.
    ndim : int
        2 or 3: of the training images; 0 where the card does not say.
    """

    spacing: tuple[float, ...] | None = None
    unit: str = "px"
    diameter: float | None = None
    diameter_range: tuple[float, float] | None = None
    factor: tuple[float, ...] = (1.0,)
    asked: bool = False
    ndim: int = 0


def trained_size(facts: Mapping[str, Any], place: str = "card.md") -> TrainedSize:
    """Read the facts of a bundle's card: ``spacing`` with ``unit``, ``diameter`` and ``diameter_range`` in pixels; each may be left out.

    Raises
    ------
    InputError
        If one of them is not what it must be.

    Examples
    --------
    >>> trained_size({"spacing": 0.5, "unit": "um", "diameter": 30, "diameter_range": [20, 45]}).spacing
    (0.5,)
    """
    spacing, unit = facts.get("spacing"), str(facts.get("unit", "px"))
    diameter, known = facts.get("diameter"), facts.get("diameter_range")
    try:
        if isinstance(spacing, str):
            numbers, unit = parse_spacing(spacing)
        else:
            numbers = tuple(float(s) for s in (spacing if isinstance(spacing, (list, tuple)) else [] if spacing is None else [spacing]))
        size = None if diameter is None else float(diameter)
        low, high = (0.0, 0.0) if known is None else (float(known[0]), float(known[1]))
    except (TypeError, ValueError, LookupError) as error:
        raise InputError(
            f"{place}: spacing, diameter and diameter_range are numbers, found {spacing!r}, {diameter!r}, {known!r}"
        ) from error
    if any(not 0 < s < float("inf") for s in (*numbers, *([] if size is None else [size]))):
        raise InputError(f"{place}: spacing and diameter are above zero, found {spacing!r}, {diameter!r}")
    ndim = len(str(facts.get("example_axes", "")).rstrip("c"))
    return TrainedSize(numbers if numbers and unit in METRES else None, unit, size, None if known is None else (low, high), ndim=ndim)


def fitted(
    recipe: Recipe,
    size: TrainedSize,
    *,
    spacing: str | Sequence[str] | None = None,
    diameter: float | None = None,
    place: str = "the model",
) -> tuple[Recipe, TrainedSize, list[str]]:
    """A bundle's recipe for images of this spacing, or with objects of this diameter.

    Parameters
    ----------
    recipe : Recipe
        With one or several `network` steps, whose `scale` is multiplied.
    size : TrainedSize
    spacing : str or sequence of str, optional
        The images' own, such as ``"0.65 um"``.
    diameter : float, optional
        The typical equivalent diameter of the objects, in pixels of the images; it goes before `spacing`.
    place : str
        What to call the bundle in messages.

    Returns
    -------
    recipe, size, remarks
        With the factor it came to, and what could not be done.

    Raises
    ------
    RecipeError
        If the card lacks the diameter that is asked for, or names a spacing of other axes; if images would be more than 32 times
        larger or smaller.

    Notes
    -----
    The factor is trained diameter / given diameter, or given spacing / trained spacing along each axis; within 5 % of one it is one.
    The masks come out in the image's own pixels, so lengths in pixels of the other steps are divided by it, and areas by its power: a
    least area of 30 pixels at the trained size is 120 pixels where objects are twice as large. Lengths with a unit stay.
    """
    if diameter is not None:
        if size.diameter is None:
            raise RecipeError(f"--diameter: the card of {place} names no diameter of its objects, so there is nothing to bring them to")
        if not 0 < diameter < float("inf"):
            raise RecipeError(f"--diameter {diameter:g}: must be above zero, in pixels of the images")
        factor: tuple[float, ...] = (size.diameter / diameter,)
    elif spacing is not None:
        if size.spacing is None:
            return recipe, size, [f"--spacing: the card of {place} names no spacing, so it counts for measurements only; to bring objects "
                                  "to the size it was trained at, resize the images or use --diameter"]  # fmt: skip
        factor = _ratios(parse_spacing(spacing), size, place)
    else:
        return recipe, size, []
    factor = factor[:1] if len(set(factor)) == 1 else factor
    if not all(1 / _MOST <= by <= _MOST for by in factor):
        option, by = ("--spacing", spacing) if diameter is None else ("--diameter", f"{diameter:g}")
        sizes = ", ".join(f"{one:.3g}" for one in factor)
        raise RecipeError(f"{option} {by}: would bring images to {sizes} times their size, and {_MOST:g} times either way is the most; "
                          f"{place} was trained at {_told(size)}: is the unit right?")  # fmt: skip
    settled = replace(size, factor=factor, asked=True)
    if all(abs(by - 1) <= _NEAR for by in factor):
        return recipe, replace(settled, factor=(1.0,)), []
    return _scaled(recipe, factor, size.ndim or len(size.spacing or ())), settled, []


def _told(size: TrainedSize) -> str:
    told = [f"a diameter of {size.diameter:g} px"] if size.diameter is not None else []
    return " and ".join([*told, *([f"a spacing of {_lengths(size.spacing, size.unit)}"] if size.spacing is not None else [])])


def _ratios(own: tuple[Sequence[float], str], size: TrainedSize, place: str) -> tuple[float, ...]:
    """The images' spacing over the trained one, along each axis."""
    numbers, unit = own
    trained = size.spacing or (1.0,)
    if len(numbers) != len(trained) and 1 not in (len(numbers), len(trained)):
        raise RecipeError(f"--spacing: has {len(numbers)} numbers, {place} was trained on images of {len(trained)} axes")
    count = max(len(numbers), len(trained))
    in_unit = METRES[unit] / METRES[size.unit]
    wide = [values if len(values) == count else [values[0]] * count for values in (numbers, trained)]
    return tuple(float(f"{a * in_unit / b:.12g}") for a, b in zip(*wide, strict=True))


def _scaled(recipe: Recipe, factor: tuple[float, ...], axes: int) -> Recipe:
    """The recipe with its networks' scale multiplied, and other steps' pixels along."""
    document = recipe.document()
    ndim = max(len(factor) if len(factor) > 1 else axes, 2)
    mean = prod(factor) ** (1 / len(factor))
    for number, use in enumerate(recipe.steps):
        entry = document["steps"][number]
        entry = {entry: {}} if isinstance(entry, str) else dict(entry)
        changed = _network_scale(use.settings, factor) if use.step == "network" else _in_own_pixels(use.step, use.settings, mean, ndim)
        entry[use.step] = {**(entry[use.step] or {}), **changed}
        document["steps"][number] = entry if entry[use.step] or len(entry) > 1 else use.step
    return Recipe.from_document(document)


def _network_scale(settings: Mapping[str, Any], factor: tuple[float, ...]) -> dict[str, Any]:
    own = settings.get("scale", 1)
    scales = [float(s) for s in own] if isinstance(own, (list, tuple)) else [float(own)]
    count = max(len(scales), len(factor))
    if 1 not in (len(scales), len(factor)) and len(scales) != len(factor):
        raise RecipeError(f"network: scale {own} is for {len(scales)} axes, --spacing for {len(factor)}")
    scales, by = scales * (count // len(scales)), factor * (count // len(factor))
    found = [float(f"{s * f:.9g}") for s, f in zip(scales, by, strict=True)]
    return {"scale": found if len(set(found)) > 1 else found[0]}


def _in_own_pixels(name: str, given: Mapping[str, Any], factor: float, ndim: int) -> dict[str, Any]:
    """A step's lengths and areas in pixels of the trained size, as pixels of the image; also those that it has by default."""
    step = catalogue.load(name)
    changed: dict[str, Any] = {}
    for key, value in step.check(given).items():
        power = 1 if isinstance(step.settings[key].bounds, Length) else ndim if key in _AREAS else 0
        if not power or isinstance(value, str) or value is None:
            continue
        numbers = [_held(step.settings[key].bounds, v / factor**power, whole=isinstance(v, int) and power == ndim) for v in
                   (value if isinstance(value, tuple) else (value,))]  # fmt: skip
        changed[key] = numbers if isinstance(value, tuple) else numbers[0]
    return changed


def _held(bounds: Any, number: float, *, whole: bool) -> float:
    """The number inside its range, rounded to what a recipe shows."""
    low, high = getattr(bounds, "min", None), getattr(bounds, "max", None)
    number = number if low is None else max(number, low)
    number = number if high is None else min(number, high)
    return round(number) if whole else float(f"{number:.6g}")


def remarks(size: TrainedSize, result: Result) -> list[str]:
    """What is to be said of an image's size: its spacing, where nobody asked for it to be fitted, and the size of what was found."""
    said = [] if size.asked or result.image is None else _of_spacing(size, result.image)
    return said + [remark for mask in result.masks.values() if isinstance(mask, InstanceMap) for remark in _of_objects(size, mask)]


def _of_spacing(size: TrainedSize, image: Image) -> list[str]:
    if size.spacing is None or image.spacing is None or image.unit not in METRES or len(size.spacing) not in (1, image.ndim):
        return []
    ratios = _ratios((image.spacing, image.unit), size, "the model")
    if all(1 / OFF <= ratio <= OFF for ratio in ratios):
        return []
    own, trained = _lengths(image.spacing, image.unit), _lengths(size.spacing, size.unit)
    return [f"its pixels are {own}, the model was trained on {trained}; it was used as it is: if the file is right, --spacing {own!r} "
            "brings it to the trained size"]  # fmt: skip


def _lengths(spacing: Sequence[float], unit: str) -> str:
    numbers = spacing[:1] if len(set(spacing)) == 1 else spacing
    return ", ".join(f"{s:g} {unit}" for s in numbers)


def _of_objects(size: TrainedSize, mask: InstanceMap) -> list[str]:
    if size.diameter_range is None or not len(mask):
        return []
    by = prod(size.factor) ** (1 / len(size.factor))
    found = median_diameter(mask)
    low, high = (edge / by for edge in size.diameter_range)
    if low <= found <= high:
        return []
    return [
        f"the objects found have a median diameter of {found:.3g} px, and the model was trained for {low:.3g} to {high:.3g} px (the middle "
        "90 %): look at them, and say how large objects are with --diameter"
    ]


def median_diameter(mask: InstanceMap) -> float:
    """The median of the diameters of the discs, or balls, of as many pixels as the objects; NaN without objects.

    Examples
    --------
    >>> round(median_diameter(InstanceMap(np.ones((10, 10), np.int32))), 3)
    11.284
    """
    if not len(mask):
        return float("nan")
    inside = mask.pixels[mask.pixels > 0]
    # Numbers far apart, as a tile of a large mask has them, would make a long table.
    counts = np.bincount(inside) if mask.ids[-1] <= 1 << 24 else np.unique(inside, return_counts=True)[1]
    counts = counts[counts > 0].astype(float)
    return float(np.median(2 * np.sqrt(counts / np.pi) if mask.ndim == 2 else np.cbrt(6 * counts / np.pi)))
