"""What a measurement is: a name, a sentence that defines it, and a function from regions to columns."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from microtome.measure.regions.regions import Regions

__all__ = ["Column", "Columns", "Measurement", "lengths", "places", "sizes"]


@dataclass(frozen=True, eq=False)
class Column:
    """One column of the table: a number a region, and the unit the numbers are in (empty for plain numbers)."""

    values: NDArray[Any]
    unit: str = ""


Columns = dict[str, Column]


@dataclass(frozen=True)
class Measurement:
    """One measurement that can be asked for by name.

    Attributes
    ----------
    name : str
    about : str
        Its definition, in one sentence.
    units : str
        The units its columns may have, for people: ``"px, um"``; empty for plain numbers.
    columns : callable
        From regions to columns by name.
    needs_image : bool
        Whether it reads intensities.
    ndim : int or None
        How many spatial axes it is for; None: 2 and 3.
    otherwise : str or None
        The measurement that answers for it where there are more or fewer; None: there is none.
    """

    name: str
    about: str
    units: str
    columns: Callable[[Regions], Columns]
    needs_image: bool = False
    ndim: int | None = None
    otherwise: str | None = None


def lengths(name: str, values: NDArray[np.floating[Any]], regions: Regions, power: int = 1) -> Columns:
    """Columns of a length (or of its `power`) given in pixels of the finest axis: in pixels, and in the mask's unit if it has one."""
    exponent = "" if power == 1 else str(power)
    columns = {f"{name}_px": Column(values, f"px{exponent}")}
    if regions.unit:
        columns[f"{name}_{regions.unit}{exponent}"] = Column(values * regions.finest**power, f"{regions.unit}{exponent}")
    return columns


def sizes(name: str, pixels: NDArray[np.int64], regions: Regions) -> Columns:
    """Columns of an area or a volume given in counted pixels: their number, and what they cover if the mask has a unit."""
    columns = {f"{name}_px": Column(pixels, "px")}
    if regions.unit:
        unit = f"{regions.unit}{regions.ndim}"
        columns[f"{name}_{unit}"] = Column(pixels * math.prod(regions.spacing), unit)
    return columns


def places(name: str, steps: NDArray[np.float64], regions: Regions) -> Columns:
    """Columns of a place, one an axis, given in steps of the grid (R, ndim): in pixels, and in the mask's unit if it has one."""
    columns = {f"{name}_{axis}_px": Column(steps[:, k], "px") for k, axis in enumerate(regions.names)}
    for k, axis in enumerate(regions.names if regions.unit else ""):
        columns[f"{name}_{axis}_{regions.unit}"] = Column(steps[:, k] * regions.spacing[k], regions.unit)
    return columns
