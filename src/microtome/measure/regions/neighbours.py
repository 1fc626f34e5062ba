"""Which regions lie beside a region: those it touches, the nearest one, and the image's border."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from microtome.measure.regions.measurement import Column, Columns, Measurement, lengths

if TYPE_CHECKING:
    from microtome.measure.regions.regions import Regions

__all__ = ["NEAREST_DISTANCE", "NEIGHBOURS", "TOUCHES_BORDER", "TOUCHING", "Contacts", "contacts"]


@dataclass(frozen=True, eq=False)
class Contacts:
    """How many regions each one touches, and the length (area) of its sides: those it shares with others, and all."""

    neighbours: NDArray[np.int64]
    touching: NDArray[np.float64]
    sides: NDArray[np.float64]


def contacts(regions: Regions) -> Contacts:
    """Where the regions touch, pixel side by pixel side."""
    from microtome.measure.regions import _touching  # brings numba

    count, runs, slots = len(regions), regions.runs, regions.slots
    rows = np.searchsorted(runs[1], np.arange(math.prod(regions.mask.shape[:-1]) + 1))
    along = (runs, slots, rows, regions.height, regions.ndim == 2)
    number = _touching.contacts(*along, np.zeros((count, 3), np.int64), np.empty((0, 4), np.int32))
    within, pairs = np.zeros((count, 3), np.int64), np.empty((number, 4), np.int32)
    _touching.contacts(*along, within, pairs)
    one, other, axis, shared = pairs.astype(np.int64).T
    worth = _sides(regions)
    both = np.concatenate([one, other])
    touching = np.bincount(both, np.tile(shared * worth[axis], 2), count).astype(np.float64)  # of nothing, bincount gives integers
    different = np.unique(np.minimum(one, other) * count + np.maximum(one, other)) if count else np.empty(0, np.int64)
    beside = np.concatenate([different // max(count, 1), different % max(count, 1)])
    across = regions.counts[:, None] - within  # runs have no neighbour of their own along x
    across[:, 2] = np.bincount(slots, minlength=count)
    return Contacts(np.bincount(beside, minlength=count).astype(np.int64), touching, 2 * across @ worth)


def _sides(regions: Regions) -> NDArray[np.float64]:
    """The length (area) of a pixel's side across each of z, y, x in pixels of the finest axis; none across z in a plane."""
    aspect = regions.aspect
    worth = [math.prod(aspect) / step for step in aspect]
    return np.array([0.0] * (3 - regions.ndim) + worth)


def _neighbours(regions: Regions) -> Columns:
    return {"neighbours": Column(regions.contacts.neighbours)}


def _touching(regions: Regions) -> Columns:
    return {"touching": Column(regions.contacts.touching / regions.contacts.sides)}


def _border(regions: Regions) -> Columns:
    low, past = regions.boxes
    return {"touches_border": Column(((low == 0) | (past == np.array(regions.mask.shape))).any(axis=1).astype(np.int64))}


def _nearest(regions: Regions) -> Columns:
    if len(regions) < 2:
        return lengths("nearest_distance", np.full(len(regions), np.nan), regions)
    from scipy.spatial import KDTree  # a slow import

    places = regions.centroids * np.array(regions.aspect)
    return lengths("nearest_distance", np.asarray(KDTree(places).query(places, k=2)[0])[:, 1], regions)


NEIGHBOURS = Measurement("neighbours", "Number of other regions that share at least one pixel side (voxel face) with it.", "", _neighbours)
TOUCHING = Measurement(
    "touching",
    "Share of its boundary, pixel side by pixel side, that lies against other regions; the image's border is none.",
    "",
    _touching,
)
TOUCHES_BORDER = Measurement("touches_border", "1 if one of its pixels lies at the image's border, else 0.", "", _border)
NEAREST_DISTANCE = Measurement(
    "nearest_distance", "Distance from its centroid to the nearest other region's; empty where there is no other.", "px, um", _nearest
)
