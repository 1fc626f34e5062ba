"""Contrast-limited adaptive histogram equalisation."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Annotated, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import RecipeError
from microtome.core.events import warn
from microtome.core.kernels.bands import band_height, in_bands
from microtome.core.parameters import Range
from microtome.core.raster import Image
from microtome.core.step import step
from microtome.core.tiling import Whole
from microtome.methods.prepare._table import check_levels, full_range

__all__ = ["adapthisteq"]

_BINS = 256

Cells = Annotated[int, Range(1, 256, search=(2, 16))]


@step(tiling=Whole("its grid of cells is laid over the whole image"), channels="each")
def adapthisteq(
    image: Image,
    *,
    tiles: Cells | tuple[Cells, ...] = 8,
    clip: Annotated[float, Range(above=0, search=(1, 10), log=True)] | None = 2.0,
) -> Image:
    """Equalise the histogram region by region (CLAHE): detail appears in dark and in bright parts alike.

    Parameters
    ----------
    image : Image, axes yx, yxc, zyx or zyxc; uint8, uint16, int16 or a float
        Each channel is equalised alone.
    tiles : whole number, or one an axis (y, x or z, y, x)
        How many cells the grid has along each axis; never more than pixels.
    clip : number above 0, or none
        How many times the mean count a bin may hold; what is above is spread over all bins, which limits how far
        noise is amplified. None is plain adaptive equalisation. OpenCV's default is 40, and its unit is this one;
        MATLAB and scikit-image count the limit from 0 to 1, and give other pictures.

    Returns
    -------
    Image
        Same shape, axes and dtype. Integers are spread over their dtype's full range, floats from 0 to 1.

    Raises
    ------
    InputError
        For bool, and for integers of more than 16 bits, which have no full range to speak of.
    RecipeError
        If `tiles` is several numbers, and not one for each spatial axis.

    Warns
    -----
    MicrotomeWarning
        If a channel is constant: it is returned unchanged.

    Notes
    -----
    Each cell has a histogram of 256 bins and from it a curve, its cumulative share; a pixel's value is mixed linearly
    from the curves of the cells nearest to it. A picture of 8 bits is OpenCV's, to the level. Volumes have cells in
    three dimensions. Values of 16 bits and floats are binned from their least to their greatest, and the curves are
    linear between bins. If an axis does not divide into its cells, every axis is widened at its end by mirroring
    (edge not repeated), by ``tiles - size % tiles`` pixels, as OpenCV does.

    References
    ----------
    S. M. Pizer et al., Computer Vision, Graphics, and Image Processing 39(3), 1987, 355-368,
    doi:10.1016/S0734-189X(87)80186-X. K. Zuiderveld, Contrast Limited Adaptive Histogram Equalization, Graphics
    Gems IV, 1994.

    Examples
    --------
    A faint ramp fills the range:

    >>> ramp = np.tile(np.arange(100, 116, dtype=np.uint8), (16, 1))
    >>> adapthisteq(ramp, tiles=1, clip=None).pixels[0, [0, 7, 15]]
    array([ 16, 128, 255], dtype=uint8)
    """
    check_levels(image, "adapthisteq")
    grid = _grid(tiles, image)
    if not image.has_channels:
        return image.with_pixels(_equalise(image.pixels, image, grid, clip))
    planes = [_equalise(image.pixels[..., c], image, grid, clip) for c in range(image.channel_count)]
    return image.with_pixels(np.stack(planes, axis=-1))


def _grid(tiles: int | tuple[int, ...], image: Image) -> tuple[int, ...]:
    each = tiles if isinstance(tiles, tuple) else (tiles,) * image.ndim
    if len(each) != image.ndim:
        axes = image.axes.rstrip("c")
        raise RecipeError(f"adapthisteq: tiles: found {len(each)} numbers for the {image.ndim} axes {axes!r}; give one each")
    return tuple(min(cells, size) for cells, size in zip(each, image.shape, strict=True))


def _equalise(pixels: NDArray[Any], image: Image, grid: tuple[int, ...], clip: float | None) -> NDArray[Any]:
    low, high = float(pixels.min()), float(pixels.max())
    if low == high:
        warn(f"adapthisteq: {image.source or 'image'}: constant, there is nothing to equalise; it is returned unchanged")
        return pixels
    if pixels.dtype == np.uint8 and pixels.ndim == 2:
        return np.asarray(cv2.createCLAHE(clip or 0.0, grid[::-1]).apply(np.ascontiguousarray(pixels)))
    return _mixed(pixels, grid, clip, *((0, _BINS - 1) if pixels.dtype == np.uint8 else (low, high)))


def _mixed(pixels: NDArray[Any], grid: tuple[int, ...], clip: float | None, low: float, high: float) -> NDArray[Any]:
    """Any dtype and number of axes."""

    def place(part: NDArray[Any]) -> NDArray[np.float32]:
        """Where values lie among the bins, from 0 to 255."""
        return ((part.astype(np.float64) - low) / (high - low) * (_BINS - 1)).astype(np.float32)

    bins = np.empty(pixels.shape, np.uint8)
    height = band_height(pixels.shape)

    def sort_into_bins(first: int, past: int) -> None:
        bins[first:past] = place(pixels[first:past]) + np.float32(0.5)

    in_bands(sort_into_bins, len(pixels), height)
    curves, cell = _curves(bins, grid, clip)
    corners = [_two_nearest(size, side, cells) for size, side, cells in zip(pixels.shape, cell, grid, strict=True)]
    black, white = full_range(pixels.dtype)
    result = np.empty(pixels.shape, pixels.dtype)

    def mix(first: int, past: int) -> None:
        where = place(pixels[first:past])
        share = np.zeros(where.shape, np.float32)
        for cells, weight in _corners(corners, first, past):
            share += weight * _along_curve(curves, cells, where)
        result[first:past] = share if pixels.dtype.kind == "f" else black + np.floor((white - black) * share.astype(np.float64) + 0.5)

    in_bands(mix, len(pixels), height)
    return result


def _curves(bins: NDArray[np.uint8], grid: tuple[int, ...], clip: float | None) -> tuple[NDArray[np.float32], tuple[int, ...]]:
    """Each cell's cumulative share by bin, of shape (*grid, 256), and the sides of a cell in pixels."""
    sizes = bins.shape
    widen = [(0, 0)] * bins.ndim
    if any(size % cells for size, cells in zip(sizes, grid, strict=True)):
        widen = [(0, cells - size % cells) for size, cells in zip(sizes, grid, strict=True)]
    wide = np.pad(bins, widen, mode="reflect")
    cell = tuple(size // cells for size, cells in zip(wide.shape, grid, strict=True))
    area = int(np.prod(cell))
    curves = np.empty((*grid, _BINS), np.float32)
    for number in np.ndindex(grid):
        inside = tuple(slice(n * side, (n + 1) * side) for n, side in zip(number, cell, strict=True))
        counts = np.bincount(wide[inside].ravel(), minlength=_BINS)
        if clip is not None:
            counts = _clipped(counts, max(int(clip * area / _BINS), 1))
        curves[number] = np.cumsum(counts) / area
    return curves, cell


def _clipped(counts: NDArray[np.int64], limit: int) -> NDArray[np.int64]:
    """No bin above the limit; the excess evenly over all, its remainder one each at regular steps."""
    excess = int(np.maximum(counts - limit, 0).sum())
    kept = np.minimum(counts, limit) + excess // _BINS
    remainder = excess % _BINS
    if remainder:
        step = _BINS // remainder
        kept[: step * remainder : step] += 1
    return kept


def _two_nearest(size: int, side: int, cells: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """Along one axis, for each pixel: the cells whose centres it lies between, and the second one's weight."""
    place = (np.arange(size) / side - 0.5).astype(np.float32)
    before = np.floor(place).astype(np.intp)
    return np.maximum(before, 0), np.minimum(before + 1, cells - 1), place - before


def _corners(corners: list[Any], first: int, past: int) -> Iterator[tuple[tuple[NDArray[Any], ...], NDArray[np.float32]]]:
    """For each combination of nearest cells, shaped to spread over the pixels: the cells' numbers, and the weights."""
    for choice in product((0, 1), repeat=len(corners)):
        cells, weight = [], np.ones((1,) * len(corners), np.float32)
        for axis, (which, (before, after, part)) in enumerate(zip(choice, corners, strict=True)):
            span = slice(first, past) if axis == 0 else slice(None)
            shape = tuple(-1 if n == axis else 1 for n in range(len(corners)))
            cells.append((after if which else before)[span].reshape(shape))
            weight = weight * (part if which else 1 - part)[span].reshape(shape).astype(np.float32)
        yield tuple(cells), weight


def _along_curve(curves: NDArray[np.float32], cells: tuple[NDArray[Any], ...], where: NDArray[np.float32]) -> NDArray[np.float32]:
    low = where.astype(np.intp)
    part = where - low
    at = curves[(*cells, low)]
    return np.asarray(at + part * (curves[(*cells, np.minimum(low + 1, _BINS - 1))] - at), np.float32)
