"""Noise of counting photons: its variance grows with the value."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numba import njit
from numpy.random import Generator

from microtome.core.parameters import Range
from microtome.learn.augment.example import Example, Frame
from microtome.learn.augment.pointwise import counted_bits, quantiles

__all__ = ["apply", "draw"]

_EXACT = 12.0  # below this mean the distribution is summed up; above, its quantiles are corrected normal ones


def draw(
    rng: Generator, frame: Frame, *, photons: Annotated[tuple[float, float], Range(above=0, max=1e9)] = (30.0, 3000.0)
) -> dict[str, Any]:
    """Draw how many photons the brightest value stands for, evenly in its logarithm, and a seed.

    Parameters
    ----------
    rng : Generator
    frame : Frame
    photons : pair of float
        From, to; the fewer, the noisier.

    Returns
    -------
    dict
        ``photons``, ``seed``.

    Notes
    -----
    A value v within the image's range (low, high) becomes low + K (high - low) / photons with K of the Poisson distribution of mean
    photons (v - low) / (high - low). Up to a mean of 12 that is exact; above, K is the normal quantile with its first correction for
    skewness (Cornish and Fisher), m + z sqrt(m) + (z^2 - 1) / 6, rounded.

    Examples
    --------
    >>> draw(np.random.default_rng(0), Frame((8, 8)), photons=(100.0, 100.0))["photons"].__round__(6)
    100.0
    """
    return {"photons": float(np.exp(rng.uniform(*np.log(photons)))), "seed": int(rng.integers(1 << 63))}


def apply(parameters: dict[str, Any], example: Example) -> Example:
    """Count photons; in the image's dtype, integers rounded and clipped. An image of one value is left as it is."""
    image = np.ascontiguousarray(example.image)
    low, high = example.span
    if high <= low:
        return example
    out = np.empty_like(image)
    top = float(np.iinfo(image.dtype).max) if image.dtype.kind == "u" else 0.0
    scale = (high - low) / parameters["photons"]
    _count(image.reshape(-1), quantiles(), low, scale, np.uint64(parameters["seed"]), top, out.reshape(-1))
    return example.with_image(out)


@njit(cache=True, nogil=True)
def _count(values, normal, low, scale, seed, top, out):  # type: ignore[no-untyped-def]
    for p in range(len(values)):
        mean = max((values[p] - low) / scale, 0.0)
        bits = counted_bits(seed, p)
        if mean < _EXACT:
            left = np.float64(bits >> np.uint64(11)) * 2.0**-53
            share, count = np.exp(-mean), 0
            while left >= share and count < 100:
                left -= share
                count += 1
                share *= mean / count
        else:
            z = np.float64(normal[bits & np.uint64(0xFFFF)])
            count = max(int(np.floor(mean + z * np.sqrt(mean) + (z * z - 1) / 6 + 0.5)), 0)
        value = low + count * scale
        out[p] = min(max(np.floor(value + 0.5), 0.0), top) if top > 0 else value
