"""Histogram equalisation."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.events import warn
from microtome.core.explain import explain
from microtome.core.kernels.bands import in_bands
from microtome.core.kernels.histogram import Histogram, extent, histogram
from microtome.core.kernels.per_channel import PerChannel, each_channel
from microtome.core.parameters import Range
from microtome.core.raster import Image
from microtome.core.step import step
from microtome.core.tiling import Reducible
from microtome.methods.prepare._table import check_levels, full_range, through_table

__all__ = ["histeq"]


@step(tiling=Reducible(each_channel(extent), each_channel(histogram)), channels="each")
def histeq(image: Image, *, levels: Annotated[int, Range(2, 65_536)] = 256, summary: PerChannel[Histogram]) -> Image:
    """Equalise the histogram: levels that many pixels share move apart, until each grey is about as frequent.

    Parameters
    ----------
    image : Image, axes yx, yxc, zyx or zyxc; uint8, uint16, int16 or a float
        Each channel is equalised alone, which changes colours; for them equalise the lightness instead.
    levels : whole number
        How many greys the result has at most, spread evenly over the full range.

    Returns
    -------
    Image
        Same shape, axes and dtype. Integers fill their dtype's full range, floats the range from 0 to 1.

    Raises
    ------
    InputError
        For bool, and for integers of more than 16 bits, which have no full range to speak of.

    Warns
    -----
    MicrotomeWarning
        If a channel is constant: it is returned unchanged.

    Notes
    -----
    With N pixels, c(x) of them at or below level x, and c0 at the lowest level that occurs, x becomes grey number
    floor((levels - 1) (c(x) - c0) / (N - c0) + 1/2): the darkest level becomes black, the brightest white. Floats
    are counted in 256 bins from the least to the greatest value, and the curve is linear between the bins' centres.

    References
    ----------
    R. C. Gonzalez, R. E. Woods, Digital Image Processing, section 3.3.

    Examples
    --------
    >>> histeq(np.array([[10, 11, 11, 12, 13]], np.uint8)).pixels
    array([[  0, 128, 128, 191, 255]], dtype=uint8)
    """
    check_levels(image, "histeq")
    if not image.has_channels:
        return image.with_pixels(_equalise(image.pixels, image, summary.parts[0], levels))
    planes = [_equalise(image.pixels[..., c], image, part, levels) for c, part in enumerate(summary.parts)]
    return image.with_pixels(np.stack(planes, axis=-1))


def _equalise(pixels: NDArray[Any], image: Image, found: Histogram, levels: int) -> NDArray[Any]:
    explain(
        "histogram", "Where many pixels share few levels, those are spread apart.", counts=found.counts, levels=found.levels, thresholds=[]
    )
    upto = np.cumsum(found.counts)
    lowest, total = upto[np.flatnonzero(upto)[0]], upto[-1]
    if lowest == total:
        warn(f"histeq: {image.source or 'image'}: constant, there is nothing to equalise; it is returned unchanged")
        return pixels
    share = np.maximum(upto - lowest, 0) / (total - lowest)
    black, white = full_range(pixels.dtype)
    if pixels.dtype.kind != "f":
        table = black + np.floor((white - black) * _greys(share, levels) + 0.5)
        return through_table(pixels, table.astype(pixels.dtype))
    result = np.empty(pixels.shape, pixels.dtype)

    def band(first: int, past: int) -> None:
        result[first:past] = _greys(np.interp(pixels[first:past], found.levels, share), levels)

    in_bands(band, len(pixels), height=64)
    return result


def _greys(share: NDArray[Any], levels: int) -> NDArray[np.float64]:
    """The nearest of `levels` greys from 0 to 1."""
    return np.asarray(np.floor((levels - 1) * share + 0.5) / (levels - 1))
