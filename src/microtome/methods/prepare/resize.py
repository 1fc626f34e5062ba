"""Another pixel size: the picture with fewer or more pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import floor
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError, RecipeError
from microtome.core.events import warn
from microtome.core.parameters import Length
from microtome.core.raster import Image
from microtome.core.regrid import nearest
from microtome.core.step import step
from microtome.core.tiling import Whole
from microtome.methods.prepare._inputs import refuse_bool
from microtome.methods.prepare.gaussian import gaussian

__all__ = ["resize"]

_MUCH = 8  # from this many times on, most of the picture is made up


@step(tiling=Whole("a tile of the result has another size and place than its tile of the image"), channels="each")
def resize(
    image: Image,
    *,
    spacing: Annotated[float | tuple[float, ...], Length(min=0.01, max=1000, per_axis=True, search=(0.5, 4))],
    sampling: Literal["linear", "nearest"] = "linear",
    antialias: bool = True,
) -> Image:
    """Bring the image to another pixel size, such as the one a method or a network was made for.

    Parameters
    ----------
    image : Image, axes yx, yxc, zyx or zyxc, any real dtype but bool
    spacing : length, in pixels of the image or with a unit ("0.5 um"), or one an axis
        The new distance between pixels. Without a unit, 2 makes one pixel of two along every axis, 0.5 two of one. With a unit it is
        the same distance along every axis, whatever it was before: a volume of thick planes gets cubes.
    sampling : "linear" or "nearest"
        Between the pixels on either side, or the nearest pixel's value, for pictures whose values are names.
    antialias : bool
        Smooth first along axes that shrink, so that what is finer than the new pixels does not turn into patterns. Not for "nearest".

    Returns
    -------
    Image
        Same axes and dtype, integers rounded to the nearest level; of round(n a / b) pixels along an axis of n, with a the old spacing
        and b the new, at least one. Spacing and origin are those that it has: its corners are where they were, so the spacing may
        differ a little from what was asked for.

    Raises
    ------
    InputError
        If the image is of true and false, or has no spacing and a length with a unit was given.
    RecipeError
        If there are several spacings, and not one for each spatial axis.

    Warns
    -----
    MicrotomeWarning
        If an axis grows more than 8 times.

    Notes
    -----
    Pixels are areas: pixel i of the new image has its middle at (i + 1/2) / f - 1/2 of the old, with f the ratio of their sizes in pixels,
    and the edge is repeated beyond the border. Before an axis shrinks it is smoothed with a Gaussian of sigma (1 / f - 1) / 2.

    In a recipe everything that follows sees the new pixels: lengths without a unit are in them, and a step that also takes ``image`` by its
    name gets the picture before it was resized, whose size does not fit and is refused. Masks are brought back
    to the image's own pixels, each pixel taking its nearest (`microtome.core.regrid.onto`), before they are measured and written.

    Examples
    --------
    >>> resize(np.array([[0.0, 1.0, 2.0, 3.0]]), spacing=(1, 2), antialias=False).pixels
    array([[0.5, 2.5]])
    >>> coarse = resize(Image(np.zeros((100, 200)), spacing=(0.25, 0.25), unit="um"), spacing="0.5 um")
    >>> coarse.shape, coarse.spacing
    ((50, 100), (0.5, 0.5))
    """
    refuse_bool(image, "resize")
    shape = _shape(image, spacing)
    if shape == image.shape:
        return image
    _warn_of_much(image, shape)
    if sampling == "nearest":
        return _placed(image, nearest(image.pixels, shape), shape)
    return _placed(image, _linear(image, shape, antialias), shape)


def _shape(image: Image, spacing: float | tuple[float, ...]) -> tuple[int, ...]:
    each = spacing if isinstance(spacing, tuple) else (spacing,) * image.ndim
    if len(each) != image.ndim:
        raise RecipeError(f"resize: spacing: found {len(each)} numbers for the {image.ndim} axes {image.axes.rstrip('c')!r}; give one each")
    return tuple(max(1, floor(n / step + 0.5)) for n, step in zip(image.shape, each, strict=True))


def _warn_of_much(image: Image, shape: Sequence[int]) -> None:
    most = max(new / old for new, old in zip(shape, image.shape, strict=True))
    if most > _MUCH:
        warn(
            f"resize: {image.source or 'image'}: {image.shape} pixels become {tuple(shape)}, {most:.3g} times as many along an axis;"
            " nothing is seen in them that was not there before: is the spacing right?"
        )


def _linear(image: Image, shape: Sequence[int], antialias: bool) -> NDArray[Any]:
    dtype = image.pixels.dtype
    wide = np.dtype(np.float32 if dtype.itemsize <= (4 if dtype.kind == "f" else 2) else np.float64)
    pixels: NDArray[Any] = image.pixels.astype(wide)
    sigma = tuple(max(0.0, (old / new - 1) / 2) for old, new in zip(image.shape, shape, strict=True))
    if antialias and any(sigma):
        pixels = gaussian.function(image.with_pixels(pixels), sigma=sigma).pixels
    for axis, length in enumerate(shape):
        if length != pixels.shape[axis]:
            pixels = _along(pixels, axis, length)
    if dtype.kind in "ui":
        pixels = np.floor(pixels + wide.type(0.5)).clip(*_limits(dtype))
    return pixels.astype(dtype, copy=False)


def _limits(dtype: np.dtype[Any]) -> tuple[int, int]:
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)


def _along(pixels: NDArray[Any], axis: int, length: int) -> NDArray[Any]:
    old = pixels.shape[axis]
    at = np.clip((np.arange(length) + 0.5) * (old / length) - 0.5, 0, old - 1)
    first = np.minimum(at.astype(np.intp), max(0, old - 2))
    share = (at - first).astype(pixels.dtype).reshape(-1, *(1,) * (pixels.ndim - axis - 1))
    left = np.take(pixels, first, axis=axis)
    left += (np.take(pixels, np.minimum(first + 1, old - 1), axis=axis) - left) * share
    return left


def _placed(image: Image, pixels: NDArray[Any], shape: Sequence[int]) -> Image:
    """The image over new pixels, with the spacing and the place of the first pixel that they have."""
    ratios = np.array([old / new for old, new in zip(image.shape, shape, strict=True)])
    if image.spacing is None:
        return replace(image, pixels=pixels)
    spacing = np.array(image.spacing)
    place = replace(image, pixels=pixels, spacing=tuple((spacing * ratios).tolist()))
    if image.origin is None:
        return place
    # The world's coordinates begin with the last axis unless `direction` says otherwise (as in microtome.io.images.nifti_place).
    turn = np.eye(image.ndim)[::-1] if image.direction is None else np.array(image.direction)
    if len(image.origin) != image.ndim or turn.size != image.ndim**2:
        raise InputError(
            f"resize: {image.source or 'image'}: an origin of {len(image.origin)} and a direction of {turn.size} numbers do not place"
            f" an image of {image.ndim} axes"
        )
    moved = np.array(image.origin) + turn.reshape(image.ndim, -1) @ (spacing * (ratios - 1) / 2)
    return replace(place, origin=tuple(moved.tolist()))
