"""A network over a whole image: windows go in, and one blended map of its outputs comes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.run.tiles.cover import corners

__all__ = ["Blend", "blend_weights", "over_windows"]

Blend = Literal["ramp", "none"]


def blend_weights(window: Sequence[int], overlap: Sequence[int], blend: Blend) -> NDArray[np.float32]:
    """How much each pixel of a window counts where windows overlap.

    ``"ramp"`` rises linearly over the overlap from each side, so that two neighbours always sum to one; ``"none"`` counts all alike.

    Examples
    --------
    >>> blend_weights((6,), (3,), "ramp").tolist()
    [0.25, 0.5, 0.75, 0.75, 0.5, 0.25]
    """
    whole = np.ones((), np.float32)
    for size, over in zip(window, overlap, strict=True):
        axis = np.ones(size, np.float32)
        if blend == "ramp" and over:
            rise = np.arange(1, over + 1, dtype=np.float32) / np.float32(over + 1)
            axis[:over] = rise
            axis[size - over :] = np.minimum(axis[size - over :], rise[::-1])
        whole = np.multiply.outer(whole, axis).astype(np.float32)
    return whole


def over_windows(
    pixels: NDArray[np.float32],
    network: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    *,
    window: Sequence[int],
    overlap: Sequence[int],
    margin: int = 0,
    blend: Blend = "ramp",
    batch: int = 1,
) -> NDArray[np.float32]:
    """Apply a network to every window and blend what it says.

    Parameters
    ----------
    pixels : ndarray of float32, shape (*spatial, C)
    network : callable
        From windows with their margins (N, *(window + 2 margin), C) to their outputs (N, *window, L).
    window : sequence of int
        The size of windows; an image smaller than that, and a window that reaches over the end, is mirrored without repeating the edge.
    overlap : sequence of int
        How far neighbours overlap, less than the window.
    margin : int
        What a network without padding takes off each side: windows are cut that much larger (the overlap-tile strategy).
    blend : {"ramp", "none"}
    batch : int
        Windows at once. The result does not depend on it as long as the network treats them alone.

    Returns
    -------
    ndarray of float32, shape (*spatial, L)

    Raises
    ------
    InputError
        If what the network says of a window has another size.
    """
    spatial = pixels.shape[:-1]
    step = [w - o for w, o in zip(window, overlap, strict=True)]
    places = list(corners(spatial, window, step))
    weights = blend_weights(window, overlap, blend)
    total, sums = None, np.zeros(spatial, np.float32)
    for first in range(0, len(places), batch):
        group = places[first : first + batch]
        answers = network(np.stack([_cut(pixels, place, window, margin) for place in group]))
        if answers.shape[1:-1] != tuple(window):
            raise InputError(f"the network answers windows of {tuple(window)} with {answers.shape[1:-1]}: its margin is not {margin}")
        if total is None:
            total = np.zeros((*spatial, answers.shape[-1]), np.float32)
        for place, answer in zip(group, answers, strict=True):
            inside = tuple(slice(p, min(p + w, n)) for p, w, n in zip(place, window, spatial, strict=True))
            own = tuple(slice(0, where.stop - where.start) for where in inside)
            total[inside] += answer[own] * weights[own][..., None]
            sums[inside] += weights[own]
    if total is None:
        raise ValueError("an image without pixels has no windows")
    total /= sums[..., None]
    return total


def _cut(pixels: NDArray[np.float32], place: Sequence[int], window: Sequence[int], margin: int) -> NDArray[np.float32]:
    index = [_mirrored(p - margin, w + 2 * margin, n) for p, w, n in zip(place, window, pixels.shape[:-1], strict=True)]
    return pixels[np.ix_(*index)]


def _mirrored(first: int, count: int, length: int) -> NDArray[np.intp]:
    """Indices from `first` on; beyond either end they turn back, again and again if need be, without repeating the edge."""
    place = np.arange(first, first + count)
    if length == 1:
        return np.zeros(count, np.intp)
    place %= 2 * (length - 1)
    return np.where(place < length, place, 2 * (length - 1) - place).astype(np.intp)
