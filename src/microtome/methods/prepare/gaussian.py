"""Gaussian smoothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from microtome.core.errors import RecipeError
from microtome.core.kernels.bands import bands, in_bands
from microtome.core.parameters import Length
from microtome.core.raster import Image
from microtome.core.step import step
from microtome.core.tiling import Local
from microtome.methods.prepare._border import mirror, rows_around
from microtome.methods.prepare._inputs import refuse_bool

__all__ = ["gaussian"]


def _radius(sigma: float) -> int:
    return int(4 * sigma + 0.5)


def _halo(settings: Any) -> int:
    return max(map(_radius, np.atleast_1d(settings.sigma)))


@step(tiling=Local(_halo), channels="each")
def gaussian(
    image: Image, *, sigma: Annotated[float | tuple[float, ...], Length(min=0, max=1000, per_axis=True, search=(0.5, 4))] = 1.0
) -> Image:
    """Smooth with a Gaussian: noise goes, edges soften.

    Parameters
    ----------
    image : Image, axes yx, yxc, zyx or zyxc, any real dtype but bool
        Each channel is smoothed alone.
    sigma : length, in pixels or with a unit ("0.5 um"), or one an axis
        The standard deviation. One number holds for every axis, a length with a unit follows the spacing of each
        axis, and 0 leaves an axis as it is.

    Returns
    -------
    Image
        Same shape, axes and dtype. Integers are rounded to the nearest level, a half upwards.

    Raises
    ------
    InputError
        If the image is of true and false: that is a mask.
    RecipeError
        If there are several sigmas, and not one for each spatial axis.

    Notes
    -----
    The weights are exp(-k^2 / 2 sigma^2), cut at k = floor(4 sigma + 1/2) and scaled to the sum 1; beyond the border
    the picture is mirrored with its edge repeated (dcba|abcd). It is computed in 64 bits for float64 and for
    integers of 32 bits and more, otherwise in 32, and always in the same order of operations, so a pixel's bits do
    not depend on where a tile begins.

    Examples
    --------
    A single bright pixel spreads over its neighbours:

    >>> dot = np.zeros((5, 5), np.uint8)
    >>> dot[2, 2] = 100
    >>> gaussian(dot, sigma=0.5).pixels[1:4, 1:4]
    array([[ 1,  8,  1],
           [ 8, 62,  8],
           [ 1,  8,  1]], dtype=uint8)
    """
    pixels = image.pixels
    refuse_bool(image, "gaussian")
    sigmas = _one_per_axis(sigma, image)
    if not any(map(_radius, sigmas)):
        return image
    weights = [_weights(s, _working_dtype(pixels.dtype)) for s in sigmas]
    return image.with_pixels(_smooth_volume(pixels, weights) if image.ndim == 3 else _smooth_picture(pixels, weights))


def _one_per_axis(sigma: float | tuple[float, ...], image: Image) -> tuple[float, ...]:
    if not isinstance(sigma, tuple):
        return (sigma,) * image.ndim
    if len(sigma) != image.ndim:
        raise RecipeError(
            f"gaussian: sigma: found {len(sigma)} numbers for the {image.ndim} axes {image.axes.rstrip('c')!r}; give one each"
        )
    return sigma


def _working_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    narrow = dtype.itemsize <= (4 if dtype.kind == "f" else 2)
    return np.dtype(np.float32 if narrow else np.float64)


def _weights(sigma: float, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Half of the kernel, the middle first."""
    radius = _radius(sigma)
    if radius == 0:
        return np.ones(1, dtype)
    half = np.exp(-(np.arange(radius + 1) ** 2) / (2 * sigma**2))
    return (half / (half[0] + 2 * half[1:].sum())).astype(dtype)


def _smooth_picture(pixels: NDArray[Any], weights: Sequence[NDArray[Any]]) -> NDArray[Any]:
    result = np.empty(pixels.shape, pixels.dtype)
    in_bands(lambda first, past: _store(result[first:past], _smooth_rows(pixels, first, past, *weights)), len(pixels))
    return result


def _smooth_volume(pixels: NDArray[Any], weights: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Along z first, a row of every plane at a time; then each plane."""
    depth, rows = pixels.shape[:2]
    along, *in_plane = weights
    still = np.ones(1, along.dtype)
    between = np.empty(pixels.shape, along.dtype)
    result = np.empty(pixels.shape, pixels.dtype)

    def along_z(first: int, past: int) -> None:
        for y in range(first, past):
            between[:, y] = _smooth_rows(pixels[:, y], 0, depth, along, still)

    def plane(first: int, past: int) -> None:
        for z in range(first, past):
            for top, bottom in bands(rows):
                _store(result[z, top:bottom], _smooth_rows(between[z], top, bottom, *in_plane))

    in_bands(along_z, rows, height=16)
    in_bands(plane, depth, height=1)
    return result


def _store(result: NDArray[Any], smooth: NDArray[Any]) -> None:
    if result.dtype.kind in "ui":
        np.floor(smooth + smooth.dtype.type(0.5), out=smooth)
    result[...] = smooth


def _smooth_rows(pixels: NDArray[Any], first: int, past: int, down: NDArray[Any], across: NDArray[Any]) -> NDArray[Any]:
    """Rows `first` to `past` of a picture (rows, columns[, channels]), smoothed, as floats."""
    shape = (past - first, *pixels.shape[1:])
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    rows = rows_around(pixels, first, past, len(down) - 1)
    rows = rows.reshape(len(rows), -1).astype(down.dtype, copy=False)
    reach = len(across) - 1
    columns = mirror(np.arange(-reach, shape[1] + reach), shape[1])
    margin = (columns[:, None] * channels + np.arange(channels)).ravel()
    result = np.empty((past - first, rows.shape[1]), down.dtype)
    _smooth(rows, down, across, margin, channels, result)
    return result.reshape(shape)


@njit(cache=True, nogil=True)
def _smooth(rows, down, across, margin, channels, result):  # type: ignore[no-untyped-def]
    """Each row: a weighted sum of the rows around it, widened by its mirrored margin, then summed along itself.

    Weights are read before the loop they stand in: an array that might be the one written to keeps the compiler from
    taking several pixels at a time.
    """
    width = result.shape[1]
    edge = (len(across) - 1) * channels
    wide = np.empty(width + 2 * edge, rows.dtype)
    middle = wide[edge : edge + width]
    for y in range(len(result)):
        centre, weight = rows[y + len(down) - 1], down[0]
        for x in range(width):
            middle[x] = centre[x] * weight
        for k in range(len(down) - 1, 0, -1):
            above, below, weight = rows[y + len(down) - 1 - k], rows[y + len(down) - 1 + k], down[k]
            for x in range(width):
                middle[x] += (above[x] + below[x]) * weight
        for x in range(edge):
            wide[x] = middle[margin[x]]
            wide[edge + width + x] = middle[margin[edge + width + x]]
        line, weight = result[y], across[0]
        for x in range(width):
            line[x] = middle[x] * weight
        for k in range(len(across) - 1, 0, -1):
            left, right, weight = wide[edge - k * channels :], wide[edge + k * channels :], across[k]
            for x in range(width):
                line[x] += (left[x] + right[x]) * weight
