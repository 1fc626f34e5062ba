"""Normalisation by percentiles."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import RecipeError
from microtome.core.events import warn
from microtome.core.kernels.bands import in_bands
from microtome.core.kernels.per_channel import PerChannel, each_channel
from microtome.core.kernels.radix import Digits, order_passes, percentile, percentile_ranks
from microtome.core.parameters import Range
from microtome.core.raster import Image
from microtome.core.step import step
from microtome.core.tiling import Reducible
from microtome.methods.prepare._inputs import refuse_bool

__all__ = ["normalise"]


def _ranks(settings: Any, total: int) -> tuple[int, ...]:
    return percentile_ranks(settings.lo, total) + percentile_ranks(settings.hi, total)


def _joint(settings: Any) -> bool:
    return bool(settings.joint)


@step(tiling=Reducible(*(each_channel(look, _joint) for look in order_passes(_ranks))), channels="each")
def normalise(
    image: Image,
    *,
    lo: Annotated[float, Range(0, 100, unit="%", search=(0, 5))] = 1.0,
    hi: Annotated[float, Range(0, 100, unit="%", search=(95, 100))] = 99.8,
    clip: bool = False,
    joint: bool = False,
    summary: PerChannel[Digits],
) -> Image:
    """Map two percentiles of the values to 0 and 1, so that pictures of different exposure become alike.

    Parameters
    ----------
    image : Image, axes yx, yxc, zyx or zyxc, any real dtype but bool
    lo, hi : percent
        The percentiles that become 0 and 1. StarDist's networks expect 1 and 99.8, Cellpose's 1 and 99.
    clip : bool
        Whether values beyond the two become 0 and 1. Otherwise they lie below 0 and above 1.
    joint : bool
        Take the percentiles over all channels together, not over each alone.

    Returns
    -------
    Image
        float32, same shape and axes.

    Raises
    ------
    InputError
        If the image is of true and false.
    RecipeError
        If `lo` is not below `hi`.

    Warns
    -----
    MicrotomeWarning
        If both percentiles are the same value, as in a constant image: the result is 0 everywhere.

    Notes
    -----
    The percentiles are exact and interpolated linearly between neighbouring values, as numpy's are. They are found
    by counting, not sorting, over the whole image before the first tile is written.

    References
    ----------
    U. Schmidt et al., Cell Detection with Star-convex Polygons, MICCAI 2018, doi:10.1007/978-3-030-00934-2_30.

    Examples
    --------
    >>> ramp = np.arange(101.0).reshape(1, 101)
    >>> normalise(ramp, lo=0, hi=50).pixels[0, [0, 25, 50, 100]]
    array([0. , 0.5, 1. , 2. ], dtype=float32)
    """
    refuse_bool(image, "normalise")
    if lo >= hi:
        raise RecipeError(f"normalise: lo {lo:g} must be below hi {hi:g}")
    if len(summary.parts) == 1:
        return image.with_pixels(_scale(image.pixels, image, summary.parts[0], lo, hi, clip))
    planes = [_scale(image.pixels[..., c], image, part, lo, hi, clip) for c, part in enumerate(summary.parts)]
    return image.with_pixels(np.stack(planes, axis=-1))


def _scale(pixels: NDArray[Any], image: Image, found: Digits, lo: float, hi: float, clip: bool) -> NDArray[np.float32]:
    low, high = percentile(found, lo), percentile(found, hi)
    if low == high:
        warn(f"normalise: {image.source or 'image'}: the percentiles {lo:g} and {hi:g} are both {low:g}; the result is 0 everywhere")
        return np.zeros(pixels.shape, np.float32)
    result = np.empty(pixels.shape, np.float32)

    def band(first: int, past: int) -> None:
        part = (pixels[first:past].astype(np.float64) - low) / (high - low)
        result[first:past] = np.clip(part, 0, 1) if clip else part

    in_bands(band, len(pixels), height=64)
    return result
