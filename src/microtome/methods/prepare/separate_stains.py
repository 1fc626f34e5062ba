"""Colours of a stained bright field to amounts of stain."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.events import warn
from microtome.core.kernels.bands import in_bands
from microtome.core.parameters import Range
from microtome.core.raster import Image
from microtome.core.step import step
from microtome.core.tiling import Local
from microtome.methods.prepare._inputs import refuse_bool

__all__ = ["separate_stains"]

_STAINS = {"haematoxylin": (0.65, 0.70, 0.29), "eosin": (0.07, 0.99, 0.11), "dab": (0.27, 0.57, 0.78)}
"""How much of red, green and blue each takes away (Ruifrok and Johnston 2001, table 1)."""
_DARKEST = 1e-6  # of white: floats below that count as that
_NO_SHARE = 2  # a little above 1 is a resampled white


@step(tiling=Local(0), channels="joint")
def separate_stains(
    image: Image,
    *,
    stain: Literal["all", "haematoxylin", "eosin", "dab"] = "all",
    white: Annotated[float | None, Range(above=0, max=1e9)] = None,
) -> Image:
    """Say how much haematoxylin, eosin and DAB lies at each pixel of a stained section.

    Parameters
    ----------
    image : Image, axes yxc or zyxc, any real dtype but bool
        Red, green and blue of a bright field, and perhaps alpha, which is dropped with a warning.
    stain : "all", "haematoxylin", "eosin" or "dab"
        "all": a channel each, of these names. One of them: a picture without channels, for steps that work on one, such as `otsu`.
    white : float
        The value where nothing is in the light's way. None: 255 and 65535 for unsigned integers of 8 and 16 bits, 1 for floats.

    Returns
    -------
    Image
        float32, from 0 (none); 1 of a stain lets a tenth of the light through. Bright is much stain.

    Raises
    ------
    InputError
        If there are neither 3 nor 4 channels, the values are true and false, or `white` is needed: for other integers, and floats
        beyond 2, which cannot be shares of 1.

    Notes
    -----
    A value v has the density -log10(v / white), with v / white from e to 1: half a level for integers, a millionth for floats. Densities
    are the sum of each stain's amount times its vector, scaled to length 1, so amounts are the density times the inverse of the three
    vectors; amounts below 0 become 0. scikit-image's ``rgb2hed`` divides by 6 (natural logarithms over that of a millionth) and does not
    scale the vectors: its numbers are ours over 6 and over their lengths. On sections without DAB its channel holds what fits neither
    of the others. A DAB density is not in proportion to the amount of antigen, and reagents differ: compare within one staining run.

    References
    ----------
    A. C. Ruifrok, D. A. Johnston, Quantification of histochemical staining by color deconvolution, Anal. Quant. Cytol. Histol. 23, 2001,
    291-299.

    Examples
    --------
    >>> pixels = Image(np.array([[[100, 50, 150], [255, 255, 255]]], np.uint8), axes="yxc")
    >>> separate_stains(pixels).pixels.round(4)
    array([[[0.5771, 0.2821, 0.0408],
            [0.    , 0.    , 0.    ]]], dtype=float32)
    >>> separate_stains(pixels, stain="eosin").axes
    'yx'
    """
    refuse_bool(image, "separate_stains")
    place = f"separate_stains: {image.source or 'image'}"
    if image.channel_count not in (3, 4):
        raise InputError(f"{place} has {image.channel_count} channel(s); stains are told by their red, green and blue")
    if image.channel_count == 4:
        warn(f"{place} has 4 channels: the first three were taken for red, green and blue, the fourth for alpha, and left out")
    light = white if white is not None else _white(image, place)
    darkest = 0.5 / light if image.pixels.dtype.kind in "ui" else _DARKEST
    names = tuple(_STAINS)
    chosen = names if stain == "all" else (stain,)
    weights = _inverse()[:, [names.index(name) for name in chosen]]
    amounts = np.empty((*image.shape, len(chosen)), np.float32)

    def band(first: int, past: int) -> None:
        amounts[first:past] = _amounts(image.pixels[first:past, ..., :3], light, darkest, weights)

    in_bands(band, len(amounts), height=64)
    if stain != "all":
        return Image(amounts[..., 0], **image.geometry(), channels=(stain,))
    return Image(amounts, **{**image.geometry(), "axes": image.axes}, channels=names)


def _white(image: Image, place: str) -> float:
    dtype = image.pixels.dtype
    if dtype.kind == "u" and dtype.itemsize <= 2:
        return float(np.iinfo(dtype).max)
    if dtype.kind != "f":
        raise InputError(f"{place} has dtype {dtype}, whose largest value is no picture's white; say with `white` what is")
    if image.extremes[1] > _NO_SHARE:
        raise InputError(f"{place} has values up to {image.extremes[1]:g}; of floats 1 is white: say with `white` if it is another value")
    return 1.0


@cache
def _inverse() -> NDArray[np.float64]:
    """Densities (red, green, blue) times this are amounts of stain."""
    vectors = np.array(list(_STAINS.values()))
    return np.linalg.inv(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _amounts(pixels: NDArray[Any], white: float, darkest: float, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    density = -np.log10(np.clip(pixels.astype(np.float64) / white, darkest, 1.0))
    # Written out, so that every pixel is added up in the same order wherever a tile begins.
    mixed = density[..., :1] * weights[0] + density[..., 1:2] * weights[1] + density[..., 2:3] * weights[2]
    return np.maximum(mixed, 0.0)
