"""Centre and offset: where each object's centre is, and from every pixel the way there (Panoptic-DeepLab)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from microtome.core.classes import ClassTable
from microtome.core.explain import explain, listening
from microtome.core.kernels.bands import band_height, in_bands
from microtome.core.kernels.basins import basins
from microtome.core.kernels.components import in_raster_order, label, renumber
from microtome.core.parameters import Length, Range
from microtome.core.raster import InstanceMap, ScoreMap
from microtome.core.step import step
from microtome.core.tiling import Whole
from microtome.targets._layers import layers_of
from microtome.targets._objects import numbered, objects, scored
from microtome.targets.heads import Head

__all__ = ["centre_offset", "encode", "heads"]

_FAR = 5.0  # standard deviations: beyond, the heat is below 4e-6


def heads(table: ClassTable, ndim: int) -> tuple[Head, ...]:
    """Three heads: the foreground, the heat of the centres, and the way there along each axis.

    >>> [head.layers for head in heads(ClassTable.binary(), 2)]
    [('foreground',), ('centre',), ('dy', 'dx')]
    """
    return (
        Head("foreground", ("foreground",), "sigmoid"),
        Head("centre", ("centre",), "none"),
        Head("offset", _ways(ndim), "none", within="foreground"),
    )


def encode(
    mask: InstanceMap,
    *,
    centre: Literal["mass", "medoid"] = "mass",
    sigma: Annotated[float, Length(above=0, search=(1, 16))] = 8,
) -> dict[str, NDArray[Any]]:
    """Foreground, heat ``exp(-d² / 2 sigma²)`` around each centre, and offset ``c - p`` from each pixel to its object's centre.

    Parameters
    ----------
    mask : InstanceMap, axes yx or zyx
    centre : "mass" (default) or "medoid"
        The mean of the object's pixels, or the pixel of the object nearest to it, which never lies outside: for bent shapes.
    sigma : length, in pixels of the finest axis
        How wide the heat is. Where several overlap, the greatest counts.

    Returns
    -------
    dict
        ``foreground``: uint8 (*spatial); ``centre``: float32 (*spatial); ``offset``: float32 (*spatial, axes), in pixels of each axis,
        0 outside objects, where it should weigh nothing.

    Raises
    ------
    InputError
        If the mask holds classes.

    References
    ----------
    B. Cheng et al., Panoptic-DeepLab, CVPR 2020, section 3.2, arXiv:1911.10194.

    Examples
    --------
    >>> found = encode(InstanceMap(np.array([[1, 1, 1, 0]])), sigma=1)
    >>> found["centre"].round(3).tolist(), found["offset"][..., 1].tolist()
    ([[0.6069999933242798, 1.0, 0.6069999933242798, 0.13500000536441803]], [[1.0, 0.0, -1.0, 0.0]])
    """
    noun = objects(mask, "centre_offset")
    labels, ids = numbered(noun)
    centres = _centres(labels, len(ids))
    if centre == "medoid":
        centres = _nearest_pixels(labels, centres, noun.aspect)
    inside = labels > 0
    places = np.indices(labels.shape, np.float32)
    at = np.concatenate([np.zeros((1, labels.ndim)), centres])
    offset = np.stack([np.where(inside, at[labels, axis] - places[axis], 0) for axis in range(labels.ndim)], axis=-1)
    heat = _heat(labels.shape, centres, float(sigma), noun.aspect)
    return {"foreground": inside.astype(np.uint8), "centre": heat, "offset": offset.astype(np.float32)}


@step(tiling=Whole("a pixel may point to a centre anywhere in the image"), channels="joint")
def centre_offset(
    scores: ScoreMap,
    *,
    foreground: Annotated[float, Range(0, 1, search=(0.2, 0.8))] = 0.5,
    centre: Annotated[float, Range(0, 1, search=(0.05, 0.6))] = 0.1,
    min_distance: Annotated[float, Length(min=0, search=(1, 20))] = 3,
) -> InstanceMap:
    """Give every foreground pixel to the centre nearest to where it points.

    Parameters
    ----------
    scores : ScoreMap
        Layers "foreground", "centre", and the offset along each axis, "dz", "dy", "dx" (without names, in this order).
    foreground : float
        A pixel belongs to some object where its probability is above this.
    centre : float
        Peaks of the heat above this are centres.
    min_distance : length, in pixels of the finest axis or with a unit ("5 um")
        Two centres are at least so far apart along some axis; the paper's window of 7 is 3.

    Returns
    -------
    InstanceMap
        Numbered in raster order; the score of an object is the heat at its centre.

    Notes
    -----
    Without any centre, connected pieces of foreground are the objects. Of encoded objects, the same come back, in however many
    pieces, but for those whose centres lie within `min_distance` and a pixel of another's.

    References
    ----------
    B. Cheng et al., Panoptic-DeepLab, CVPR 2020, section 3.3, arXiv:1911.10194.

    Examples
    --------
    >>> layers = [[1, 1, 1, 1], [0.1, 1, 0.2, 1], [0, 0, 0, 0], [1, 0, -1, 0]]
    >>> scores = ScoreMap(np.stack([[layer] for layer in layers], -1), axes="yxc")
    >>> centre_offset(scores, min_distance=1).pixels.tolist()
    [[1, 1, 1, 2]]
    """
    names = ("foreground", "centre", *_ways(scores.ndim))
    share, heat, *ways = layers_of(scores, names, "centre_offset", unnamed=names)
    inside = share > foreground
    warm, count = label(heat > centre, "full")
    peaks = basins(heat, warm, count, min_distance=min_distance, aspect=scores.aspect).places[:, 3 - heat.ndim :]
    if listening():
        explain("map", "The heat of the centres.", values=heat)
    if not len(peaks):
        labels, _ = label(inside, "faces")
        return InstanceMap(labels, **scores.geometry(), object_score=scored(labels, share.clip(0, 1)))
    nearest = _nearest(inside, ways, peaks, scores.aspect)
    order = in_raster_order(nearest, len(peaks))
    heats = {int(order[k]): float(heat[tuple(place)]) for k, place in enumerate(peaks.tolist(), 1) if order[k]}
    return InstanceMap(renumber(nearest, order), **scores.geometry(), object_score=dict(sorted(heats.items())))


def _ways(ndim: int) -> tuple[str, ...]:
    return ("dz", "dy", "dx")[3 - ndim :]


def _centres(labels: NDArray[np.int32], count: int) -> NDArray[np.float64]:
    """The mean place of each object 1 ... count, shape (count, axes)."""
    flat = labels.ravel()
    areas = np.bincount(flat, minlength=count + 1)[1:]
    means = []
    for axis, length in enumerate(labels.shape):
        along = np.arange(length, dtype=np.float64).reshape([-1 if k == axis else 1 for k in range(labels.ndim)])
        means.append(np.bincount(flat, weights=np.broadcast_to(along, labels.shape).ravel(), minlength=count + 1)[1:] / areas)
    return np.stack(means, axis=-1)


def _nearest_pixels(labels: NDArray[np.int32], centres: NDArray[np.float64], aspect: tuple[float, ...]) -> NDArray[np.float64]:
    """The pixel of each object that is nearest to its centre, the first of several."""
    where = np.argwhere(labels > 0)
    number = labels[tuple(where.T)] - 1
    far = (((where - centres[number]) * np.asarray(aspect)) ** 2).sum(1)
    order = np.lexsort((np.arange(len(far)), far, number))
    first = order[np.concatenate([[True], np.diff(number[order]) > 0])] if len(order) else order
    return where[first].astype(np.float64)


def _heat(shape: tuple[int, ...], centres: NDArray[np.float64], sigma: float, aspect: tuple[float, ...]) -> NDArray[np.float32]:
    volume = np.zeros((1,) * (3 - len(shape)) + shape, np.float32)
    at = np.column_stack([np.zeros((len(centres), 3 - len(shape))), centres])
    _warm(volume, at, np.array([sigma / s for s in (1.0,) * (3 - len(shape)) + aspect]))
    return volume.reshape(shape)


@njit(cache=True, nogil=True)
def _warm(heat, centres, sigmas):  # type: ignore[no-untyped-def]
    """Raise the heat, zyx, to that of each centre: a product of one bell along each axis."""
    depth, height, width = heat.shape
    z_bell, y_bell, x_bell = np.empty(depth), np.empty(height), np.empty(width)
    for k in range(len(centres)):
        z0, z1 = _bell(centres[k, 0], sigmas[0], z_bell)
        y0, y1 = _bell(centres[k, 1], sigmas[1], y_bell)
        x0, x1 = _bell(centres[k, 2], sigmas[2], x_bell)
        for z in range(z0, z1):
            for y in range(y0, y1):
                plane = z_bell[z] * y_bell[y]
                for x in range(x0, x1):
                    heat[z, y, x] = max(heat[z, y, x], np.float32(plane * x_bell[x]))


@njit(cache=True, nogil=True)
def _bell(centre, sigma, bell):  # type: ignore[no-untyped-def]
    first, past = max(0, int(np.ceil(centre - _FAR * sigma))), min(len(bell), int(np.floor(centre + _FAR * sigma)) + 1)
    for k in range(first, past):
        bell[k] = np.exp(-((k - centre) ** 2) / (2 * sigma**2))
    return first, past


def _nearest(
    inside: NDArray[np.bool_], ways: list[NDArray[np.float32]], peaks: NDArray[np.int64], aspect: tuple[float, ...]
) -> NDArray[np.int32]:
    """For each pixel inside, the number of the peak nearest to where it points."""
    from scipy.spatial import cKDTree

    scale = np.asarray(aspect)
    tree = cKDTree(peaks * scale)
    found = np.zeros(inside.shape, np.int32)

    def work(first: int, past: int) -> None:
        where = np.argwhere(inside[first:past])
        pointed = where + np.column_stack([way[first:past][tuple(where.T)] for way in ways])
        pointed[:, 0] += first
        found[first:past][tuple(where.T)] = tree.query(pointed * scale)[1] + 1

    in_bands(work, len(inside), band_height(inside.shape, 1 << 16))
    return found
