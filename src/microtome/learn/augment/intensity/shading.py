"""Uneven light and uneven stain: smooth random fields that make a picture brighter here and darker there."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from microtome.core.parameters import Range
from microtome.learn.augment.example import Example, Frame

__all__ = ["apply", "draw"]

Pair = tuple[float, float]


def draw(
    rng: Generator,
    frame: Frame,
    *,
    size: Annotated[Pair, Range(1, 512)] = (3.0, 128.0),
    gain: Annotated[Pair, Range(0, 3)] = (0.0, 0.3),
    offset: Annotated[Pair, Range(0, 3)] = (0.0, 0.15),
) -> dict[str, Any]:
    """Draw how wide the patches are, evenly in the logarithm, how strong, evenly, and a seed.

    Parameters
    ----------
    rng : Generator
    frame : Frame
    size : pair of pixels
        From, to: the distance between the drawn values. A few pixels are the texture of a stain, a hundred are the lamp.
    gain : pair of float
        From, to: the standard deviation of the logarithm of the factor.
    offset : pair of float
        From, to: the standard deviation of what is added, as a share of the image's range.

    Returns
    -------
    dict
        ``size``, ``gain``, ``offset``, ``seed``.

    Notes
    -----
    A value v within the image's range (low, high) becomes low + (v - low) exp(gain g) + offset h (high - low), with g and h fields of
    standard normal values on a grid of this distance, bicubic between its points in the plane, linear between planes.

    Examples
    --------
    >>> drawn = draw(np.random.default_rng(0), Frame((8, 8)), size=(4.0, 4.0), gain=(0.2, 0.2), offset=(0.0, 0.0))
    >>> round(drawn["size"], 6), drawn["gain"], drawn["offset"]
    (4.0, 0.2, 0.0)
    """
    return {
        "size": float(np.exp(rng.uniform(*np.log(size)))), "gain": float(rng.uniform(*gain)), "offset": float(rng.uniform(*offset)),
        "seed": int(rng.integers(1 << 63)),
    }  # fmt: skip


def apply(parameters: dict[str, Any], example: Example) -> Example:
    """Multiply and add, every channel alike; in the image's dtype, integers rounded and clipped. An image of one value is left as it is."""
    low, high = example.span
    if high <= low:
        return example
    rng = np.random.default_rng(parameters["seed"])
    factor, added = (_field(rng, example.shape, parameters["size"])[..., None] for _ in range(2))
    image = example.image.astype(np.float32)
    changed = low + (image - low) * np.exp(parameters["gain"] * factor) + parameters["offset"] * (high - low) * added
    if example.image.dtype.kind == "u":
        changed = np.rint(changed).clip(0, np.iinfo(example.image.dtype).max)
    return example.with_image(changed.astype(example.image.dtype))


def _field(rng: Generator, shape: tuple[int, ...], size: float) -> NDArray[np.float32]:
    """Standard normal values on a grid that is wider than the picture by one on each side, and what lies between them."""
    import cv2

    *planes, height, width = shape
    counts = [int(np.ceil(side / size)) + 2 for side in shape]
    grid = rng.standard_normal(counts).astype(np.float32)
    if planes:
        grid = _between_planes(grid, np.arange(planes[0]) / size)
    wide, first = (round(counts[-1] * size), round(counts[-2] * size)), round(size)
    found = np.empty(shape, np.float32)
    for plane, target in zip(grid.reshape(-1, *counts[-2:]), found.reshape(-1, height, width), strict=True):
        target[...] = cv2.resize(plane, wide, interpolation=cv2.INTER_CUBIC)[first : first + height, first : first + width]
    return found


def _between_planes(grid: NDArray[np.float32], places: NDArray[np.float64]) -> NDArray[np.float32]:
    lower = places.astype(np.intp)
    share = (places - lower).astype(np.float32)[:, None, None]
    return grid[lower] * (1 - share) + grid[lower + 1] * share
