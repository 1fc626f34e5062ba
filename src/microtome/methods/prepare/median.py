"""Median filter."""

from __future__ import annotations

from typing import Annotated, Any

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from microtome.core.kernels.bands import in_bands
from microtome.core.parameters import Odd
from microtome.core.raster import Image
from microtome.core.step import step
from microtome.core.tiling import Local
from microtome.methods.prepare._border import rows_around

__all__ = ["median"]

# What OpenCV's filter takes; all else goes through the counting window below.
_OPENCV_LARGEST = {"uint8": 255, "uint16": 5, "int16": 5, "float32": 5}


@step(tiling=Local(lambda settings: settings.size // 2), channels="each")
def median(image: Image, *, size: Annotated[int, Odd(min=1, max=501, search=(3, 9))] = 3) -> Image:
    """Replace each pixel by the middle value around it: specks go, edges stay.

    Parameters
    ----------
    image : Image, axes yx, yxc, zyx or zyxc, any real dtype
        Each channel is filtered alone.
    size : odd whole number of pixels
        The side of the square window, or of the cube in a volume. Structures narrower than half of it disappear.

    Returns
    -------
    Image
        Same shape, axes and dtype; every value is one that was there before.

    Notes
    -----
    Beyond the border the picture is mirrored with its edge repeated (dcba|abcd). The window is counted in pixels,
    also where the spacing differs from axis to axis. Pictures of 8 bits cost the same at any size; others above
    5 pixels, and volumes, take time in proportion to the window's side, or to its square.

    References
    ----------
    T. S. Huang, G. J. Yang, G. Y. Tang, IEEE Transactions on Acoustics, Speech, and Signal Processing 27(1), 1979,
    13-18, doi:10.1109/TASSP.1979.1163188.

    Examples
    --------
    >>> median(np.array([[1, 2, 3], [4, 100, 6], [7, 8, 9]], np.uint8)).pixels
    array([[2, 3, 3],
           [4, 6, 6],
           [7, 8, 9]], dtype=uint8)
    """
    if size == 1:
        return image
    pixels = image.pixels
    if not image.has_channels:
        return image.with_pixels(_filter(pixels, size))
    channels = [_filter(pixels[..., number], size) for number in range(image.channel_count)]
    return image.with_pixels(np.stack(channels, axis=-1))


def _filter(pixels: NDArray[Any], size: int) -> NDArray[Any]:
    """One channel, of any dtype."""
    if pixels.dtype == bool:
        return _filter(pixels.view(np.uint8), size).view(bool)
    if pixels.dtype == np.float16:
        return _filter(pixels.astype(np.float32), size).astype(np.float16)
    in_the_plane = pixels.ndim == 2 and size <= _OPENCV_LARGEST.get(pixels.dtype.name, 0)
    band = _opencv_rows if in_the_plane else _counted_rows
    height = 256 if pixels.ndim == 2 else 16
    return np.concatenate(in_bands(lambda first, past: band(pixels, first, past, size), len(pixels), height))


def _opencv_rows(pixels: NDArray[Any], first: int, past: int, size: int) -> NDArray[Any]:
    # OpenCV repeats the edge pixel beyond the border; the margin it would fill is made here and cut off again.
    reach = size // 2
    rows = rows_around(pixels, first, past, reach)
    wide = cv2.copyMakeBorder(rows, 0, 0, reach, reach, cv2.BORDER_REFLECT)
    return np.asarray(cv2.medianBlur(wide, size))[reach:-reach, reach:-reach]


def _counted_rows(pixels: NDArray[Any], first: int, past: int, size: int) -> NDArray[Any]:
    """Rows (or planes) `first` to `past`, by counting the window's values as it slides."""
    reach = size // 2
    near = rows_around(pixels, first, past, reach)
    wide = np.pad(near, [(0, 0)] + [(reach, reach)] * (near.ndim - 1), mode="symmetric")
    levels, inverse = np.unique(wide, return_inverse=True)
    ranks = inverse.astype(np.int32).reshape(wide.shape)
    result = np.empty((past - first, *pixels.shape[1:]), np.int32)
    if pixels.ndim == 2:
        _slide(ranks[None], size, 1, len(levels), result[None])
    else:
        _slide(ranks, size, size, len(levels), result)
    return np.asarray(levels[result])


@njit(cache=True, nogil=True)
def _slide(ranks, size, depth, levels, result):  # type: ignore[no-untyped-def]
    """The middle rank of each window. Counts are kept a rank, 128 ranks and 16,384 ranks at a time to find it fast."""
    fine = np.zeros(levels + 128, np.int32)
    middle = np.zeros((levels >> 7) + 128, np.int32)
    coarse = np.zeros((levels >> 14) + 1, np.int32)
    half = depth * size * size // 2
    planes, rows, columns = result.shape
    for z in range(planes):
        for y in range(rows):
            for x in range(1 - size, columns + size):
                for dz in range(depth):
                    for dy in range(size):
                        line = ranks[z + dz, y + dy]
                        if x < columns:
                            enters = line[x + size - 1]
                            fine[enters] += 1
                            middle[enters >> 7] += 1
                            coarse[enters >> 14] += 1
                        if x > 0:
                            leaves = line[x - 1]
                            fine[leaves] -= 1
                            middle[leaves >> 7] -= 1
                            coarse[leaves >> 14] -= 1
                if 0 <= x < columns:
                    left, rank = half, 0
                    while coarse[rank] <= left:
                        left -= coarse[rank]
                        rank += 1
                    rank <<= 7
                    while middle[rank] <= left:
                        left -= middle[rank]
                        rank += 1
                    rank <<= 7
                    while fine[rank] <= left:
                        left -= fine[rank]
                        rank += 1
                    result[z, y, x] = rank
