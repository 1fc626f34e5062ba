"""Colours to grey."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.events import warn
from microtome.core.kernels.bands import in_bands
from microtome.core.raster import Image
from microtome.core.step import step
from microtome.core.tiling import Local
from microtome.methods.prepare._inputs import refuse_bool

__all__ = ["to_grey"]

# Red, green, blue, and what they are divided by: whole numbers, so that integers are weighed without error.
_WEIGHTS = {"601": (299, 587, 114, 1000), "709": (2125, 7154, 721, 10_000), "mean": (1, 1, 1, 3)}


@step(tiling=Local(0), channels="joint")
def to_grey(image: Image, *, weights: Literal["601", "709", "mean"] = "601") -> Image:
    """Turn red, green and blue into one grey: a weighted sum, near to how bright the eye sees it.

    Parameters
    ----------
    image : Image, axes yx, yxc, zyx or zyxc, any real dtype but bool
        Channels in the order red, green, blue, and perhaps alpha, which is dropped with a warning.
    weights : "601", "709" or "mean"
        "601": .299 .587 .114, as television, MATLAB, OpenCV and Pillow have it. "709": .2125 .7154 .0721, as
        scikit-image has it. "mean": a third each.

    Returns
    -------
    Image
        Without the channel axis, same dtype. Integers are rounded to the nearest level, a half upwards.

    Raises
    ------
    InputError
        If there are neither 1, 3 nor 4 channels, or the values are true and false.

    Notes
    -----
    An image without channels, or with a single one, keeps its values: one recipe serves a folder where colour and
    grey images are mixed. Integers above 2^48 are refused, since the weighted sum would overflow. If blue and red
    were exchanged by an earlier program, (10, 20, 30) becomes 22 instead of 18.

    References
    ----------
    ITU-R Recommendation BT.601 and BT.709.

    Examples
    --------
    >>> to_grey(Image(np.array([[[10, 20, 30]]], np.uint8), axes="yxc")).pixels
    array([[18]], dtype=uint8)
    """
    place = f"to_grey: {image.source or 'image'}"
    if image.channel_count == 1:
        return Image(image.pixels[..., 0], **image.geometry()) if image.has_channels else image
    if image.channel_count not in (3, 4):
        raise InputError(
            f"{place} has {image.channel_count} channels; grey is made of red, green and blue: choose one with --channel instead"
        )
    refuse_bool(image, "to_grey")
    if image.channel_count == 4:
        name = f" ({image.channels[3]})" if image.channels else ""
        warn(f"{place} has 4 channels: the first three were taken for red, green and blue, the fourth{name} for alpha, and left out")
    grey = np.concatenate(in_bands(lambda first, past: _weigh(image.pixels[first:past], *_WEIGHTS[weights], place), len(image.pixels)))
    return Image(grey, **image.geometry())


def _weigh(pixels: NDArray[Any], red: int, green: int, blue: int, whole: int, place: str) -> NDArray[Any]:
    if pixels.dtype.kind == "f":
        return _weigh_floats(pixels, red / whole, green / whole, blue / whole)
    if pixels.dtype.itemsize == 8 and (pixels.max() > 2**48 or pixels.min() < -(2**48)):
        raise InputError(f"{place} has values beyond 2^48; turn it into float64 first")
    # floor(sum / whole + 1/2), in numbers wide enough for twice the weighted sum.
    wide: Any = np.uint32 if pixels.dtype in (np.uint8, np.uint16) else np.int64
    grey: Any = pixels[..., 0].astype(wide)
    grey *= 2 * red
    for number, weight in ((1, green), (2, blue)):
        grey += pixels[..., number].astype(wide) * wide(2 * weight)
    grey += whole
    grey //= 2 * whole
    return np.asarray(grey.astype(pixels.dtype))


def _weigh_floats(pixels: NDArray[Any], red: float, green: float, blue: float) -> NDArray[Any]:
    real = np.result_type(pixels.dtype, np.float32).type
    grey = pixels[..., 0] * real(red)
    grey += pixels[..., 1] * real(green)
    grey += pixels[..., 2] * real(blue)
    return grey.astype(pixels.dtype, copy=False)
