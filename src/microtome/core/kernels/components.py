"""Connected components: which foreground pixels hang together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import cc3d
import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from microtome.core.kernels.bands import band_height, in_bands
from microtome.core.raster import InstanceMap, SemanticMap

__all__ = ["Connectivity", "Regions", "areas", "in_raster_order", "label", "objects_of", "renumber"]

Connectivity = Literal["full", "faces"]
"""Which pixels are neighbours: ``"full"`` also across corners (8 in 2-D, 26 in 3-D), ``"faces"`` across sides only (4, 6)."""

_NEIGHBOURS = {(2, "full"): 8, (2, "faces"): 4, (3, "full"): 26, (3, "faces"): 6}


@dataclass(frozen=True, eq=False)
class Regions:
    """The pieces of a mask, numbered 1, 2, ... in raster order of their first pixel.

    Attributes
    ----------
    labels : ndarray of int32
        The piece of every pixel, 0 outside. Nobody else holds this array: it may be written to.
    values : ndarray of int64, shape (count + 1,)
        The mask's value under each piece: its class or its object; 0 for the outside.
    """

    labels: NDArray[np.int32]
    values: NDArray[np.int64]

    @property
    def count(self) -> int:
        """How many pieces there are."""
        return len(self.values) - 1

    def of(self, piece: NDArray[np.int32]) -> Regions:
        """Smaller parts of these pieces: for each part's number, the piece it lies in."""
        return Regions(self.labels, self.values[piece])

    def inherited(self, mask: SemanticMap | InstanceMap) -> dict[str, Any]:
        """What these pieces, as the objects of an InstanceMap, take over from their mask, as keyword arguments.

        A SemanticMap of several classes gives each object its class, an InstanceMap its objects' classes and scores.
        """
        above = self.values[1:].tolist()
        if isinstance(mask, SemanticMap):
            several = len(set(above)) > 1
            return {"classes": mask.classes, "object_class": dict(enumerate(above, 1)) if several else {}}
        return {
            "classes": mask.classes,
            "object_class": {n: mask.object_class[old] for n, old in enumerate(above, 1) if old in mask.object_class},
            "object_score": {n: mask.object_score[old] for n, old in enumerate(above, 1) if old in mask.object_score},
        }


def label(pixels: NDArray[Any], connectivity: Connectivity) -> tuple[NDArray[np.int32], int]:
    """Number the connected pieces of equal, nonzero value in raster order of their first pixel.

    Parameters
    ----------
    pixels : ndarray of bool or integers, axes yx or zyx
        0 is the background; different values are kept apart.
    connectivity : "full" or "faces"

    Returns
    -------
    labels : ndarray of int32
        A new array of the same shape.
    count : int

    References
    ----------
    A. Rosenfeld and J. L. Pfaltz, Journal of the ACM 13(4), 1966, 471-494, doi:10.1145/321356.321357.

    Examples
    --------
    >>> label(np.array([[1, 0, 2], [0, 1, 2]], np.int32), "full")
    (array([[1, 0, 2], [0, 1, 2]], dtype=int32), 2)
    """
    neighbours = _NEIGHBOURS[pixels.ndim, connectivity]
    if pixels.dtype == bool and pixels.ndim == 2:
        found, labels = cv2.connectedComponents(pixels.view(np.uint8), connectivity=neighbours, ltype=cv2.CV_32S)
        count = found - 1
    else:
        wide, count = cc3d.connected_components(
            np.require(pixels, requirements=["C", "W"]), connectivity=neighbours, out_dtype=np.uint32, return_N=True
        )
        labels = wide.view(np.int32)
    # The libraries number by blocks or by runs: close to raster order, but not it.
    table = in_raster_order(labels, count)
    return (labels if (table[1:] > table[:-1]).all() else renumber(labels, table)), count


def objects_of(mask: SemanticMap | InstanceMap, connectivity: Connectivity) -> Regions:
    """Cut a mask into connected pieces of one class, or of one object, each."""
    if isinstance(mask, SemanticMap):
        inside = mask.foreground()
        values = _values_inside(mask, inside)
        if len(values) <= 1:
            labels, count = label(inside, connectivity)
            return Regions(labels, np.array([0, *values * count], np.int64))
        # One is added so that a foreground class may have the value 0.
        labels, count = label(np.where(inside, mask.pixels.astype(np.int32) + 1, 0), connectivity)
    else:
        labels, count = label(mask.pixels, connectivity)
    under = np.zeros(count + 1, np.int64)
    under[labels.ravel()] = mask.pixels.ravel()
    under[0] = 0
    return Regions(labels, under)


def _values_inside(mask: SemanticMap, inside: NDArray[np.bool_]) -> list[int]:
    """The foreground classes that may occur; looked up in the pixels only where the table leaves a choice."""
    named = [entry.value for entry in mask.classes if entry.role in ("thing", "stuff")]
    if len(named) == 1 and len(mask.classes) > 1 and int(mask.pixels.max()) <= max(e.value for e in mask.classes):
        return named
    return [int(value) for value in np.unique(mask.pixels[inside])]


def areas(labels: NDArray[np.int32], count: int) -> NDArray[np.int64]:
    """How many pixels each of the labels 0..count has."""
    parts = in_bands(
        lambda first, past: np.bincount(labels[first:past].ravel(), minlength=count + 1),
        len(labels), max(64, band_height(labels.shape, max(1 << 20, count))),
    )  # fmt: skip
    return np.sum(parts, axis=0, dtype=np.int64)


def in_raster_order(labels: NDArray[np.int32], top: int, stands_for: NDArray[np.int32] | None = None) -> NDArray[np.int32]:
    """Number the labels 1..top anew, by where each first occurs.

    Parameters
    ----------
    labels : ndarray of int32, C order, values 0..top
        0 stays 0. Not every value has to occur.
    stands_for : ndarray of int32, shape (top + 1,), optional
        Labels to join first: the label that each is to count as.

    Returns
    -------
    ndarray of int32, shape (top + 1,)
        The new number of each old one, for `renumber`; 0 for those that do not occur.
    """
    height = max(64, band_height(labels.shape, max(1 << 20, top)))
    met = np.concatenate(in_bands(lambda first, past: _as_they_come(labels[first:past].reshape(-1), top), len(labels), height))
    met = met if stands_for is None else stands_for[met]
    each, first_met = np.unique(met, return_index=True)
    new = np.zeros(top + 1, np.int32)
    new[each[np.argsort(first_met)]] = np.arange(1, len(each) + 1)
    return new if stands_for is None else new[stands_for]


def renumber(labels: NDArray[np.int32], table: NDArray[np.int32]) -> NDArray[np.int32]:
    """Replace every label, in place, by its entry in the table; the same array comes back."""

    def work(first: int, past: int) -> None:
        band = labels[first:past]
        np.take(table, band.astype(np.intp), out=band, mode="clip")

    in_bands(work, len(labels), band_height(labels.shape))
    return labels


@njit(cache=True, nogil=True)
def _as_they_come(labels: NDArray[np.int32], top: int) -> NDArray[np.int32]:
    """The labels above 0, each once, in the order they are met."""
    seen = np.zeros(top + 1, np.bool_)
    order = np.empty(min(top, labels.size), np.int32)
    count = 0
    last = 0
    for value in labels:
        if value == last:
            continue
        last = value
        if value > 0 and not seen[value]:
            seen[value] = True
            order[count] = value
            count += 1
    return order[:count]
