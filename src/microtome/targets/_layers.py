"""The layers of a score map that a decoder asks for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.raster import ScoreMap

__all__ = ["finite", "layers_of", "names_of"]


def layers_of(scores: ScoreMap, names: Sequence[str], step: str, *, unnamed: Sequence[str]) -> list[NDArray[np.float32]]:
    """The named layers in this order, each over the spatial axes.

    Parameters
    ----------
    unnamed : sequence of str
        What the layers are taken for, from the last backwards, where the score map names none.

    Raises
    ------
    InputError
        If a layer is missing, or holds NaN or infinity.
    """
    pixels = finite(scores, step)
    planes = pixels if scores.has_channels else pixels[..., None]
    given, count = names_of(scores), planes.shape[-1]
    if not given and len(names) <= count <= len(unnamed):
        given = tuple(unnamed[-count:])
    if any(name not in given for name in names):
        found = ", ".join(given) or f"{count} without names"
        raise InputError(f"{step}: {scores.source or 'scores'}: the layers are {found}; expected {', '.join(unnamed)}")
    return [np.ascontiguousarray(planes[..., given.index(name)], np.float32) for name in names]


def names_of(scores: ScoreMap) -> tuple[str, ...]:
    """The names of the layers; none where they are only counted, "0", "1" and so on."""
    names = tuple(scores.layers)
    return () if names == tuple(str(k) for k in range(len(names))) else names


def finite(scores: ScoreMap, step: str) -> NDArray[np.float32]:
    """The scores as float32.

    Raises
    ------
    InputError
        If one is NaN or infinite, with the first place.
    """
    pixels = np.asarray(scores.pixels, np.float32)
    bad = ~np.isfinite(pixels)
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        raise InputError(
            f"{step}: {scores.source or 'scores'}: {int(bad.sum())} of {pixels.size} values are NaN or infinite, the first at {where}"
        )
    return pixels
