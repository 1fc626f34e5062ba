"""Contrast stretching."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import RecipeError
from microtome.core.events import warn
from microtome.core.explain import explain, listening
from microtome.core.kernels.bands import in_bands
from microtome.core.kernels.per_channel import PerChannel, each_channel
from microtome.core.kernels.radix import Digits, order_passes
from microtome.core.parameters import Range
from microtome.core.raster import Image
from microtome.core.step import step
from microtome.core.tiling import Reducible
from microtome.methods.prepare._table import check_levels, full_range, levels_of, through_table

__all__ = ["imadjust"]

Share = Annotated[float, Range(0, 1)]


def _limits(tol: tuple[float, float], total: int) -> tuple[int, int]:
    """The ranks of the first value whose cumulative share is above the one, and of the first to reach the other."""
    low, high = (Fraction(str(share)) * total for share in tol)
    return min(math.floor(low), total - 1), max(math.ceil(high) - 1, 0)


def _ranks(settings: Any, total: int) -> tuple[int, int]:
    return _limits(settings.tol, total)


@step(tiling=Reducible(*map(each_channel, order_passes(_ranks))), channels="each")
def imadjust(
    image: Image,
    *,
    tol: tuple[Share, Share] = (0.01, 0.99),
    out: tuple[Share, Share] = (0.0, 1.0),
    gamma: Annotated[float, Range(above=0, search=(0.3, 3), log=True)] = 1.0,
    summary: PerChannel[Digits],
) -> Image:
    """Stretch the contrast: two levels become black and white, and what lies beyond them saturates.

    Parameters
    ----------
    image : Image, axes yx, yxc, zyx or zyxc; uint8, uint16, int16 or a float
        Each channel is stretched alone.
    tol : two shares of the pixels, from 0 to 1
        The limits: the first level whose cumulative share is above the first, and the first whose cumulative share
        reaches the second. The default lets at most 1 % of the pixels saturate at each end.
    out : two numbers from 0 to 1
        What the limits become, as shares of the full range. The greater one first inverts the picture.
    gamma : number above 0
        The exponent between the limits: below 1 brightens the middle, above 1 darkens it.

    Returns
    -------
    Image
        Same shape, axes and dtype. Integers fill `out` of their dtype's full range (0 to 255 for uint8), rounded to
        the nearest level, a half upwards; floats come out between 0 and 1, whatever range they came in.

    Raises
    ------
    InputError
        For bool, and for integers of more than 16 bits, which have no full range to speak of.
    RecipeError
        If ``tol[0]`` is not below ``tol[1]``.

    Warns
    -----
    MicrotomeWarning
        If both limits are the same level, as in a constant image: the channel is returned unchanged.

    Notes
    -----
    Limits of floats are values that occur in the image, exact, not centres of bins. The whole image is counted
    before the first tile is written.

    References
    ----------
    The functions imadjust and stretchlim of MATLAB's Image Processing Toolbox, after their documentation.

    Examples
    --------
    >>> imadjust(np.array([[100, 120, 140, 160, 180]], np.uint8)).pixels
    array([[  0,  64, 128, 191, 255]], dtype=uint8)
    """
    check_levels(image, "imadjust")
    if tol[0] >= tol[1]:
        raise RecipeError(f"imadjust: tol: the first share, {tol[0]:g}, must be below the second, {tol[1]:g}")
    if not image.has_channels:
        return image.with_pixels(_adjust(image.pixels, image, summary.parts[0], tol, out, gamma))
    planes = [_adjust(image.pixels[..., c], image, part, tol, out, gamma) for c, part in enumerate(summary.parts)]
    return image.with_pixels(np.stack(planes, axis=-1))


def _adjust(
    pixels: NDArray[Any], image: Image, found: Digits, tol: tuple[float, float], out: tuple[float, float], gamma: float
) -> NDArray[Any]:
    low, high = (float(found.value(rank)) for rank in _limits(tol, found.total))
    if listening():
        counts, edges = np.histogram(pixels, bins=256)
        about = "Levels up to the first line become black, from the second on white; those between are spread evenly."
        explain("histogram", about, counts=counts, levels=(edges[1:] + edges[:-1]) / 2, thresholds=[low, high])
    if low == high:
        warn(f"imadjust: {image.source or 'image'}: both limits are {low:g}, there is no contrast to stretch; it is returned unchanged")
        return pixels
    if pixels.dtype.kind == "f":
        return _stretch_floats(pixels, low, high, out, gamma)
    black, white = full_range(pixels.dtype)
    table = black + np.floor((white - black) * _curve(levels_of(pixels.dtype), low, high, out, gamma) + 0.5)
    return through_table(pixels, table.astype(pixels.dtype))


def _curve(values: NDArray[Any], low: float, high: float, out: tuple[float, float], gamma: float) -> NDArray[np.float64]:
    inside = np.clip((values.astype(np.float64) - low) / (high - low), 0, 1)
    if gamma != 1:
        inside **= gamma
    stretched: NDArray[np.float64] = out[0] + (out[1] - out[0]) * inside
    return stretched


def _stretch_floats(pixels: NDArray[Any], low: float, high: float, out: tuple[float, float], gamma: float) -> NDArray[Any]:
    result = np.empty(pixels.shape, pixels.dtype)

    def band(first: int, past: int) -> None:
        result[first:past] = _curve(pixels[first:past], low, high, out, gamma)

    in_bands(band, len(pixels), height=64)
    return result
