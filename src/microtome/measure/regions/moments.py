"""Moments of a region's pixel places, and what is made of them.

Source: M.-K. Hu, IRE Transactions on Information Theory 8 (1962) 179-187, doi:10.1109/TIT.1962.1057692.
"""

from __future__ import annotations

import itertools
import math
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.kernels.bands import in_bands
from microtome.measure.regions.axes import variances
from microtome.measure.regions.measurement import Column, Columns, Measurement

if TYPE_CHECKING:
    from microtome.measure.regions.regions import Regions

__all__ = ["CENTRAL_MOMENTS", "HU_MOMENTS", "INERTIA", "NORMALISED_MOMENTS", "central_moments"]


def central_moments(regions: Regions) -> dict[str, NDArray[np.float64]]:
    """Central moments of second and third order by the axes that are multiplied (``"yyx"``), in pixels of the finest axis."""
    from microtome.measure.regions import _moments  # brings numba

    names = ["".join(axes) for order in (2, 3) for axes in itertools.combinations_with_replacement(regions.names, order)]
    exponents = np.array([[name.count(axis) for axis in "zyx"] for name in names], np.int64)
    lead = 3 - regions.ndim
    centres = np.pad(regions.centroids, ((0, 0), (lead, 0)))
    aspect = np.array((1.0,) * lead + regions.aspect)
    out = np.zeros((len(regions), len(names)))
    in_bands(partial(_moments.central, *regions.grouped, regions.height, centres, aspect, exponents, out), len(regions), 256)
    return dict(zip(names, out.T, strict=True))


def _powers(name: str, values: NDArray[np.floating[Any]], regions: Regions, power: int) -> Columns:
    """Columns of the power of a length, the power in the name."""
    columns = {f"{name}_px{power}": Column(values, f"px{power}")}
    if regions.unit:
        columns[f"{name}_{regions.unit}{power}"] = Column(values * regions.finest**power, f"{regions.unit}{power}")
    return columns


def _central(regions: Regions) -> Columns:
    columns: Columns = {}
    for axes, values in regions.central_moments.items():
        columns |= _powers(f"central_moment_{axes}", values, regions, len(axes))
    return columns


def _scaled(regions: Regions) -> dict[str, NDArray[np.float64]]:
    """Moments of the area itself, in units of its size."""
    step = math.prod(regions.aspect)
    size = regions.counts * step
    return {axes: values * step / size ** (1 + len(axes) / regions.ndim) for axes, values in regions.central_moments.items()}


def _normalised(regions: Regions) -> Columns:
    return {f"normalised_moment_{axes}": Column(values) for axes, values in _scaled(regions).items()}


def _hu(regions: Regions) -> Columns:
    of = _scaled(regions)
    yy, yx, xx, yyy, yyx, yxx, xxx = (of[axes] for axes in ("yy", "yx", "xx", "yyy", "yyx", "yxx", "xxx"))
    a, b = yyy + yxx, yyx + xxx
    c, d = yyy - 3 * yxx, 3 * yyx - xxx
    invariants = (
        yy + xx,
        (yy - xx) ** 2 + 4 * yx**2,
        c**2 + d**2,
        a**2 + b**2,
        c * a * (a**2 - 3 * b**2) + d * b * (3 * a**2 - b**2),
        (yy - xx) * (a**2 - b**2) + 4 * yx * a * b,
        d * a * (a**2 - 3 * b**2) - c * b * (3 * a**2 - b**2),
    )
    return {f"hu_{number}": Column(values) for number, values in enumerate(invariants, start=1)}


def _inertia(regions: Regions) -> Columns:
    """About each principal axis, the variance along all others."""
    along = variances(regions)
    about = along[:, ::-1] if regions.ndim == 2 else along.sum(axis=1, keepdims=True) - along
    columns: Columns = {}
    for number in range(regions.ndim):
        columns |= _powers(f"inertia_{number + 1}", about[:, number], regions, 2)
    return columns


CENTRAL_MOMENTS = Measurement(
    "central_moments",
    "Sums over the pixels of products of their distances from the centroid along the axes named, of order 2 and 3: "
    "central_moment_yyx is the sum of dy dy dx.",
    "px2, px3, um2, um3",
    _central,
)
NORMALISED_MOMENTS = Measurement(
    "normalised_moments",
    "Central moments of the area (volume) A, dy dx integrated over it, divided by A^(1 + order / axes): the same at every size.",
    "",
    _normalised,
)
HU_MOMENTS = Measurement(
    "hu_moments",
    "Hu's seven invariants of the normalised moments, y before x: the same in every place, size and turn; "
    "a mirror turns the sign of the seventh.",
    "",
    _hu,
    ndim=2,
)
INERTIA = Measurement(
    "inertia",
    "Eigenvalues of the inertia tensor a pixel (mean squared distance from each principal axis), greatest first.",
    "px2, um2",
    _inertia,
)
