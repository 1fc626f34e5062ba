"""Which grey levels lie side by side in a region.

Source: R. M. Haralick, K. Shanmugam and I. Dinstein, IEEE Transactions on Systems, Man, and Cybernetics 3 (1973) 610-621,
doi:10.1109/TSMC.1973.4309314, features 1, 2, 3, 5 and 9.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from microtome.core.kernels.bands import in_bands
from microtome.measure.regions.intensity import channels_of, unless_nan
from microtome.measure.regions.measurement import Column, Columns, Measurement

if TYPE_CHECKING:
    from microtome.measure.regions.regions import Regions

__all__ = ["LEVELS", "TEXTURE"]

LEVELS = 32
_NAMES = ("contrast", "correlation", "asm", "energy", "homogeneity", "entropy")  # as the kernel numbers them


def _columns(regions: Regions) -> Columns:
    from microtome.measure.regions import _texture  # brings numba
    from microtome.measure.regions.directions import directions

    columns: Columns = {}
    steps = directions(regions.aspect).steps
    for channel, (name, stats) in enumerate(channels_of(regions)):
        values = regions.values
        low, high = _range(values[..., channel])
        grey = np.empty(values.shape[:2], np.uint8)
        in_bands(partial(_texture.levels, values, channel, low, high, LEVELS, grey), len(grey), 128)
        features = np.empty((len(regions), len(_NAMES)))
        in_bands(partial(_texture.features, grey, LEVELS, *regions.grouped, regions.height, steps, features), len(regions), 64)
        columns |= {f"glcm_{feature}{name}": Column(unless_nan(features[:, k], stats)) for k, feature in enumerate(_NAMES)}
        columns |= {f"glcm_{end}{name}": Column(np.full(len(regions), value)) for end, value in (("low", low), ("high", high))}
    return columns


def _range(values: NDArray[np.generic]) -> tuple[float, float]:
    """The least and the greatest number of an image; NaN if it has none."""
    if values.dtype.kind == "f":
        values = values[np.isfinite(values)]
    return (float(values.min()), float(values.max())) if values.size else (np.nan, np.nan)


TEXTURE = Measurement(
    "texture",
    "Haralick's features of the grey levels of neighbouring pixels, both in the region, each the mean over 4 directions (13 in a "
    "volume): contrast, correlation (1 where all are equal), angular second moment, its root (energy), homogeneity and entropy (natural "
    f"logarithm). {LEVELS} equal levels from the image's least value to its greatest, which are given as glcm_low and glcm_high.",
    "",
    _columns,
    needs_image=True,
)
