"""A mask without some of its objects: what every step that removes objects shares."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from microtome.core.kernels.bands import band_height, in_bands
from microtome.core.kernels.components import Regions, label
from microtome.core.raster import InstanceMap, SemanticMap

__all__ = ["keep", "numbered"]


def numbered(mask: SemanticMap | InstanceMap) -> Regions:
    """The mask's objects as 1, 2, ...: the connected pieces of a SemanticMap's foreground, an InstanceMap's own objects.

    An InstanceMap's pieces follow its ids in rising order; `values` are the ids. The labels may be its own, read-only.
    """
    if isinstance(mask, SemanticMap):
        labels, count = label(mask.foreground(), "full")
        return Regions(labels, np.arange(count + 1))
    ids = mask.ids
    if len(ids) == int(mask.pixels.max()):
        return Regions(mask.pixels, np.arange(len(ids) + 1))
    return Regions(np.searchsorted(ids, mask.pixels, side="right").astype(np.int32), np.concatenate([[0], ids]))


def keep(mask: SemanticMap | InstanceMap, objects: Regions, stays: NDArray[np.bool_]) -> SemanticMap | InstanceMap:
    """The mask with only the objects that stay; `stays` has an entry for each label, that of the outside is not read.

    Pixels of no object, ignored ones among them, keep their value.
    """
    stays = np.asarray(stays).copy()
    stays[0] = True
    if stays.all():
        return mask
    outside = _background(mask)
    pixels = np.empty_like(mask.pixels)

    def work(first: int, past: int) -> None:
        kept = np.take(stays, objects.labels[first:past], mode="clip")
        np.copyto(pixels[first:past], mask.pixels[first:past])
        np.copyto(pixels[first:past], outside, where=~kept)

    in_bands(work, len(pixels), band_height(pixels.shape))
    if isinstance(mask, SemanticMap):
        return mask.with_pixels(pixels)
    left = set(objects.values[stays].tolist())
    return replace(
        mask,
        pixels=pixels,
        object_class={number: value for number, value in mask.object_class.items() if number in left},
        object_score={number: value for number, value in mask.object_score.items() if number in left},
    )


def _background(mask: SemanticMap | InstanceMap) -> int:
    """The value of the background: the table's, or 0."""
    return (*mask.classes.values("background"), 0)[0] if isinstance(mask, SemanticMap) else 0
