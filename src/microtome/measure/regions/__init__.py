"""Measure the objects of a mask, or its classes: one table, a row a region.

Each file holds one idea and the measurements that come of it; `COLUMNS` lists them all and costs no import of numba.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError, RecipeError, did_you_mean
from microtome.core.events import warn
from microtome.core.raster import Image, InstanceMap, SemanticMap
from microtome.core.table import Table
from microtome.measure.regions import (
    area,
    axes,
    box,
    centroid,
    convex,
    distribution,
    equivalent_diameter,
    extent,
    feret,
    inscribed_radius,
    intensity,
    moments,
    neighbours,
    perimeter,
    roundness,
    surface,
    texture,
    topology,
    weighted_centroid,
)
from microtome.measure.regions.measurement import Measurement

if TYPE_CHECKING:
    from microtome.measure.regions.regions import Regions

__all__ = ["ALL", "COLUMNS", "DEFAULT", "Measurement", "measure"]

COLUMNS: dict[str, Measurement] = {
    one.name: one
    for one in (
        area.AREA, area.VOLUME, centroid.CENTROID, box.BOX, equivalent_diameter.EQUIVALENT_DIAMETER, perimeter.PERIMETER,
        surface.SURFACE, axes.MAJOR_AXIS, axes.MIDDLE_AXIS, axes.MINOR_AXIS, axes.ECCENTRICITY, axes.ORIENTATION,
        axes.ASPECT_RATIO, extent.EXTENT, convex.CONVEX_AREA, convex.CONVEX_VOLUME, convex.SOLIDITY,
        feret.FERET_MAX, feret.FERET_MIN, feret.FERET_ANGLE, roundness.CIRCULARITY, roundness.ROUNDNESS, roundness.SPHERICITY,
        inscribed_radius.INSCRIBED_RADIUS, topology.EULER, topology.HOLES,
        neighbours.NEIGHBOURS, neighbours.TOUCHING, neighbours.TOUCHES_BORDER, neighbours.NEAREST_DISTANCE,
        moments.CENTRAL_MOMENTS, moments.NORMALISED_MOMENTS, moments.HU_MOMENTS, moments.INERTIA,
        intensity.MEAN, intensity.STD, intensity.MIN, intensity.MAX, intensity.SUM, intensity.MEDIAN,
        *distribution.PERCENTILES, distribution.MAD, distribution.SKEWNESS, distribution.KURTOSIS,
        weighted_centroid.WEIGHTED_CENTROID, texture.TEXTURE,
    )
}  # fmt: skip
"""Every measurement by the name a recipe asks for it."""

DEFAULT: tuple[str, ...] = (
    "area", "centroid", "box", "equivalent_diameter", "perimeter", "major_axis", "minor_axis", "eccentricity", "orientation",
    "mean_intensity", "std_intensity", "min_intensity", "max_intensity",
)  # fmt: skip
"""What is measured when nobody asks for anything; without an image, what needs one is left out."""

ALL = "all"
"""Asks for every measurement of masks with as many axes; without an image, what needs one is left out."""


def measure(mask: InstanceMap | SemanticMap, image: Image | None = None, columns: Sequence[str] = DEFAULT) -> Table:
    """Measure each object of an instance map, or each class of a semantic map.

    Parameters
    ----------
    mask : InstanceMap or SemanticMap
        Axes ``yx`` or ``zyx``. Of a semantic map, classes that are background or ignored are left out, and so is a
        class no pixel has.
    image : Image, optional
        Over the same pixels, with any number of channels; measurements of intensity read it.
    columns : sequence of str
        Names from `COLUMNS`; ``"all"`` for everything that can be measured here.

    Returns
    -------
    Table
        First `label`; then `class` (its name) and `score` where the mask knows them; then the columns asked for, in
        their order. Lengths are in pixels (``_px``) and, where the mask has a spacing, in its unit too (``_um``).
        Where the spacing differs by axis, a length in pixels is one in pixels of the finest axis. A region's
        intensities are one column a channel (``mean_intensity_dapi``) where the image has several.

    Raises
    ------
    RecipeError
        For a name that is not in `COLUMNS`, or a measurement of volumes on a flat mask.
    InputError
        If mask and image differ in shape, or an intensity is asked for without an image.

    Notes
    -----
    ``area`` and ``perimeter`` of a volume are its ``volume`` and ``surface``, and the reverse; a warning says so where
    they were asked for by name. A mask without spacing takes the image's. A NaN in the image makes the intensities of
    the region it lies in NaN, and of no other. An empty mask gives all columns and no rows.

    Examples
    --------
    >>> import numpy as np
    >>> mask = InstanceMap(np.array([[1, 1, 0], [1, 1, 7]]), spacing=(0.5, 0.5), unit="um")
    >>> table = measure(mask, Image(np.array([[1, 2, 9], [3, 4, 5]])), ["area", "mean_intensity"])
    >>> list(table.columns)
    ['label', 'area_px', 'area_um2', 'mean_intensity']
    >>> table["area_um2"].tolist(), table["mean_intensity"].tolist()
    ([1.0, 0.25], [2.5, 5.0])
    """
    from microtome.measure.regions.regions import Regions  # brings numba

    _check(mask, image)
    chosen = _chosen(columns, mask.ndim, image is not None)
    regions = Regions(_with_spacing(mask, image), image)
    with np.errstate(invalid="ignore"):  # NaN and infinity in an image run through to the table
        measured = {name: column for one in chosen for name, column in one.columns(regions).items()}
    values = {name: column.values for name, column in measured.items()}
    units = {name: column.unit for name, column in measured.items() if column.unit}
    return Table({"label": regions.labels, **dict(_known(regions)), **values}, units)


def _check(mask: InstanceMap | SemanticMap, image: Image | None) -> None:
    if not isinstance(mask, (InstanceMap, SemanticMap)):
        raise InputError(
            f"measure: the mask is a {type(mask).__name__}; write InstanceMap(a) for numbered objects, SemanticMap(a) for classes"
        )
    if image is None:
        return
    if not isinstance(image, Image):
        raise InputError(f'measure: the image is a {type(image).__name__}; write Image(a), with axes="yxc" if it has channels')
    if image.shape != mask.shape:
        named = f"{image.source}: " if image.source else ""
        raise InputError(
            f"{named}the image has shape {image.shape} ({image.axes.rstrip('c')}), its mask {mask.shape} ({mask.axes}); "
            "measure needs both over the same pixels"
        )
    if image.pixels.dtype.kind not in "buif":
        raise InputError(f"measure: the image holds {image.pixels.dtype}; intensities must be real numbers")


def _chosen(columns: Sequence[str], ndim: int, pictured: bool) -> list[Measurement]:
    """The measurements asked for, each once, as they are in this many dimensions."""
    if isinstance(columns, str):
        raise RecipeError(f"measure: found the text {columns!r}, expected a list of names, such as [{columns}]")
    for name in columns:
        if name not in COLUMNS and name != ALL:
            raise RecipeError(f"measure: unknown measurement {name!r}{did_you_mean(str(name), COLUMNS)}")
    if ALL in columns:
        return [one for one in COLUMNS.values() if one.ndim in (None, ndim) and (pictured or not one.needs_image)]
    asked = [COLUMNS[name] for name in dict.fromkeys(columns)]
    by_default = tuple(columns) == DEFAULT
    if not pictured and by_default:
        asked = [one for one in asked if not one.needs_image]
    blind = [one.name for one in asked if one.needs_image and not pictured]
    if blind:
        raise InputError(f"measure: {', '.join(blind)} needs the image; pass it, or leave {'them' if len(blind) > 1 else 'it'} out")
    return [_in_dimensions(one, ndim, silent=by_default) for one in asked]


def _in_dimensions(one: Measurement, ndim: int, *, silent: bool) -> Measurement:
    if one.ndim in (None, ndim):
        return one
    if one.otherwise is None:
        raise RecipeError(f"measure: {one.name} is for masks with {one.ndim} spatial axes, this one has {ndim}; leave it out")
    if not silent:
        warn(f"measure: the {one.name} of a {ndim}-D mask is its {one.otherwise}: see the column {one.otherwise}_px")
    return COLUMNS[one.otherwise]


def _with_spacing(mask: InstanceMap | SemanticMap, image: Image | None) -> InstanceMap | SemanticMap:
    """The mask with a spacing, if either of them has one."""
    if image is None or image.spacing is None:
        return mask
    if mask.spacing is None:
        return replace(mask, spacing=image.spacing, unit=image.unit)
    if (mask.spacing, mask.unit) != (image.spacing, image.unit):
        warn(f"measure: the mask's spacing {mask.spacing} {mask.unit} is used; the image says {image.spacing} {image.unit}")
    return mask


def _known(regions: Regions) -> Iterator[tuple[str, NDArray[np.object_] | NDArray[np.float64]]]:
    """Columns of what the mask itself knows of its regions."""
    mask, labels = regions.mask, regions.labels.tolist()
    names = {entry.value: entry.name for entry in mask.classes}
    if isinstance(mask, SemanticMap):
        yield "class", np.array([names.get(label, str(label)) for label in labels], object)
        return
    if mask.object_class:
        values = (mask.object_class.get(label) for label in labels)
        yield "class", np.array(["" if value is None else names.get(value, str(value)) for value in values], object)
    if mask.object_score:
        yield "score", np.array([mask.object_score.get(label, np.nan) for label in labels], float)
