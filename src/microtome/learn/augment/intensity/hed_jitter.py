"""Stains of another laboratory: haematoxylin, eosin and DAB each a little stronger or weaker."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any

import numpy as np
from numba import njit
from numpy.random import Generator
from numpy.typing import NDArray

from microtome.core.parameters import Range
from microtome.learn.augment._colour import rgb_only
from microtome.learn.augment.example import Example, Frame

__all__ = ["apply", "draw"]

_STAINS = ((0.65, 0.70, 0.29), (0.07, 0.99, 0.11), (0.27, 0.57, 0.78))
"""Optical density in red, green, blue of haematoxylin, eosin and DAB (Ruifrok and Johnston 2001)."""


def draw(
    rng: Generator,
    frame: Frame,
    *,
    factor: Annotated[float, Range(0, 1)] = 0.02,
    shift: Annotated[float, Range(0, 1)] = 0.02,
) -> dict[str, Any]:
    """Draw a factor and a shift for each stain.

    Parameters
    ----------
    rng : Generator
    frame : Frame
        Of three channels: red, green, blue, of a bright field.
    factor : float
        Each stain's density is multiplied by 1 - factor to 1 + factor.
    shift : float
        And -shift to shift is added to it, in units of the stain's vector (decadic density).

    Returns
    -------
    dict
        ``factor``, ``shift``: three numbers each.

    References
    ----------
    D. Tellez et al., IEEE TMI 37(9), 2018, doi:10.1109/TMI.2018.2820199, section II-C (HED colour augmentation). A. C. Ruifrok,
    D. A. Johnston, Anal. Quant. Cytol. Histol. 23, 2001, 291-299 (the stains' vectors).

    Examples
    --------
    >>> draw(np.random.default_rng(0), Frame((8, 8), 3), factor=0.0, shift=0.0)
    {'factor': [1.0, 1.0, 1.0], 'shift': [0.0, 0.0, 0.0]}
    """
    factors, shifts = rng.uniform(1 - factor, 1 + factor, 3), rng.uniform(-shift, shift, 3)
    return {"factor": [float(one) for one in factors], "shift": [float(one) for one in shifts]}


def apply(parameters: dict[str, Any], example: Example) -> Example:
    """Change the amount of each stain; in the image's dtype.

    White is 255, 65535, or the upper end of a float image's range; a value v has the density -log10((v + 1) / (white + 1)), in float images
    -log10(v / white) with v at least a thousandth of white.

    Raises
    ------
    InputError
        If the image has not three channels.
    """
    rgb_only(example, "hed_jitter")
    image = np.ascontiguousarray(example.image)
    whole = image.dtype.kind == "u"
    white = float(np.iinfo(image.dtype).max) if whole else max(float(example.span[1]), 1e-30)
    stains = _unit_stains()
    mix = np.linalg.inv(stains) @ np.diag(parameters["factor"]) @ stains  # density (row) to stains, changed, and back
    added = np.asarray(parameters["shift"]) @ stains
    out = np.empty_like(image)
    densities = _densities(int(white)) if whole else np.zeros(0, np.float32)
    _stain(image.reshape(-1, 3), densities, mix.astype(np.float32), added.astype(np.float32), np.float32(white), out.reshape(-1, 3))
    return example.with_image(out)


@cache
def _unit_stains() -> NDArray[np.float64]:
    stains = np.asarray(_STAINS)
    return stains / np.linalg.norm(stains, axis=1, keepdims=True)


@cache
def _densities(top: int) -> NDArray[np.float32]:
    return (-np.log10((np.arange(top + 1) + 1.0) / (top + 1.0))).astype(np.float32)


@njit(cache=True, nogil=True)
def _stain(pixels, densities, mix, added, white, out):  # type: ignore[no-untyped-def]
    whole = len(densities) > 0
    density = np.empty(3, np.float32)
    ten, half, zero = np.float32(np.log(10.0)), np.float32(0.5), np.float32(0)
    for p in range(len(pixels)):
        for c in range(3):
            if whole:
                density[c] = densities[int(pixels[p, c])]
            else:
                density[c] = -np.log10(max(pixels[p, c] / white, np.float32(1e-3)))
        for c in range(3):
            total = added[c]
            for k in range(3):
                total += density[k] * mix[k, c]
            through = np.exp(-ten * total)
            if whole:
                out[p, c] = min(max((white + np.float32(1)) * through - np.float32(1) + half, zero), white)
            else:
                out[p, c] = white * through
