"""The convex hull of each region, its corners in whole numbers.

A pixel is represented by the middles of its four sides, a voxel by those of its six faces, as scikit-image and MATLAB do.
Along slanting sides this lies about halfway between the hull of the centres, which is smaller than the region is, and that of
the pixels' corners, which is larger.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.kernels.bands import in_bands
from microtome.measure.regions import _hulls

if TYPE_CHECKING:
    from microtome.measure.regions.regions import Regions

__all__ = ["Hulls", "calipers", "hulls"]

_REGIONS_A_TURN = 64  # of one thread


@dataclass(frozen=True, eq=False)
class Hulls:
    """One hull a region; ``corners[offsets[k]:offsets[k] + sizes[k]]`` are twice the places of region k's corners.

    `pixels` is how many pixel centres lie in each hull, those on its border included.
    """

    corners: NDArray[np.int32]
    offsets: NDArray[np.int64]
    sizes: NDArray[np.int64]
    pixels: NDArray[np.int64]


def hulls(regions: Regions) -> Hulls:
    """The hull of each region."""
    runs, starts = regions.grouped
    if regions.ndim == 2:
        return _in_planes(runs, starts, regions.height, reach=1)
    begins, firsts = _hulls.planes_of(runs, starts, regions.height)
    flat = _in_planes(runs, begins, regions.height, reach=0)
    levels = runs[0, begins[:-1]] // regions.height
    bodies = [_body(flat, levels, first, past) for first, past in itertools.pairwise(firsts.tolist())]
    sizes = np.array([len(corners) for corners, _ in bodies], np.int64)
    corners = np.concatenate([np.empty((0, 3), np.int32), *(corners for corners, _ in bodies)])
    return Hulls(corners, np.cumsum(sizes) - sizes, sizes, np.array([count for _, count in bodies], np.int64))


def calipers(regions: Regions) -> NDArray[np.float64]:
    """Greatest width, least width and the angle of the greatest (2-D), or the greatest width alone (3-D): (R, 3) or (R, 1)."""
    found, aspect = regions.hulls, np.array(regions.aspect)
    if regions.ndim == 2:
        out = np.empty((len(regions), 3))
        in_bands(partial(_hulls.calipers, found.corners, found.offsets, found.sizes, aspect, out), len(regions), _REGIONS_A_TURN)
        return out
    longest = np.empty(len(regions))
    in_bands(partial(_hulls.diameters, found.corners, found.offsets, found.sizes, aspect, longest), len(regions), _REGIONS_A_TURN)
    return longest[:, None]


def _in_planes(runs: NDArray[np.int32], starts: NDArray[np.int64], height: int, reach: int) -> Hulls:
    offsets = _hulls.room(starts)
    corners = np.empty((offsets[-1], 2), np.int32)
    sizes, pixels = np.empty(len(starts) - 1, np.int64), np.empty(len(starts) - 1, np.int64)
    work = partial(_hulls.hulls, runs, starts, height, reach, offsets, corners, sizes, pixels)
    in_bands(work, len(sizes), _REGIONS_A_TURN)
    return Hulls(corners, offsets[:-1], sizes, pixels)


def _body(flat: Hulls, levels: NDArray[np.int32], first: int, past: int) -> tuple[NDArray[np.int32], int]:
    """The corners of the hull around some planes' hulls, and how many voxel centres lie in it."""
    planes = [flat.corners[flat.offsets[k] : flat.offsets[k] + flat.sizes[k]] for k in range(first, past)]
    heights = np.repeat(2 * levels[first:past], flat.sizes[first:past])
    centres = np.column_stack([heights, np.concatenate(planes)]).astype(np.int64)
    low = centres.min(axis=0)
    faces = _faces(centres - low)
    if np.linalg.matrix_rank(centres - centres[0]) == 3:  # fewer points to put faces around; a flat body has a hull only with its faces
        faces = _faces((centres - low)[_hull(centres - low)[0]])
    corners, triangles, outwards = _hull(faces)
    points = faces[triangles]
    normals = np.cross(points[:, 1] - points[:, 0], points[:, 2] - points[:, 0])
    normals *= np.where((normals * outwards).sum(axis=1) < 0, -1, 1)[:, None]
    limits = (normals * points[:, 0]).sum(axis=1)
    count = _hulls.voxels_within(normals, limits, (centres - low).max(axis=0))
    return (faces[corners] + low).astype(np.int32), count


def _faces(centres: NDArray[np.int64]) -> NDArray[np.int64]:
    """The middles of the voxels' faces, each once; no coordinate of `centres` is less than 0."""
    steps = np.concatenate([np.eye(3, dtype=np.int64), -np.eye(3, dtype=np.int64)])
    middles = (centres[:, None] + steps).reshape(-1, 3)
    span = middles.max(axis=0) + 2
    numbers = (middles + 1) @ np.array([span[1] * span[2], span[2], 1])
    return middles[np.unique(numbers, return_index=True)[1]]


def _hull(points: NDArray[np.int64]) -> tuple[NDArray[np.signedinteger[Any]], NDArray[np.signedinteger[Any]], NDArray[np.float64]]:
    """Which points are corners, triangles of them, and the triangles' outward directions."""
    from scipy.spatial import ConvexHull  # a slow import that only volumes need

    found = ConvexHull(points)
    return found.vertices, found.simplices, found.equations[:, :3]
