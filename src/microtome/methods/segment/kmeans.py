"""k-means and k-medians: classes of like intensity, colour or place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from microtome.core.classes import ClassTable
from microtome.core.errors import InputError, RecipeError
from microtome.core.explain import explain, listening
from microtome.core.kernels.bands import band_height
from microtome.core.kernels.histogram import Extent, Histogram, extent, histogram
from microtome.core.parameters import Range
from microtome.core.raster import Image, SemanticMap
from microtome.core.step import step
from microtome.core.tiling import Reducible
from microtome.methods.segment._levels import number_above
from microtome.methods.segment._partition import absolute, partition, squared

__all__ = ["Points", "kmeans"]

Metric = Literal["l2", "l1"]


@dataclass(frozen=True, eq=False)
class Points:
    """What is clustered where an intensity alone will not do: each distinct colour, and how often it occurs.

    Attributes
    ----------
    values : ndarray of float64, shape (n, d)
        Distinct rows in ascending order: the channels, then, `placed`, the weighted coordinates.
    counts : ndarray of float64, shape (n,)
    placed : bool
        Whether a pixel's place is part of it.
    """

    values: NDArray[np.float64]
    counts: NDArray[np.float64]
    placed: bool = False
    fits: dict[Any, Any] = field(default_factory=dict, repr=False)  # so that tiles that share a summary fit it once

    def merge(self, other: Points) -> Points:
        """The points of both together.

        Raises
        ------
        RecipeError
            If they have places: those of a tile are not those in the image.
        """
        if self.placed:
            raise RecipeError("kmeans: with `position` above zero it needs the whole image; set it to 0 for tiles and sets of images")
        return _distinct(np.concatenate([self.values, other.values]), np.concatenate([self.counts, other.counts]))


def _collect(image: Image, settings: Any, before: Extent) -> Histogram | Points:
    """Second pass: the histogram of one channel, else every distinct colour with its count."""
    if _is_intensity(image, settings.position):
        return histogram(image, settings, before)
    if settings.position:
        values = np.concatenate(list(_features(image, settings.position)))
        return Points(values, np.ones(len(values)), placed=True)
    return _distinct_colours(image.pixels.reshape(-1, image.channel_count))


@step(tiling=Reducible(extent, _collect), channels="joint")
def kmeans(
    image: Image,
    *,
    classes: Annotated[int, Range(2, 255, search=(2, 8))] = 3,
    metric: Metric = "l2",
    position: Annotated[float, Range(min=0, search=(0, 2))] = 0.0,
    restarts: Annotated[int, Range(1, 1000, search=(1, 20))] = 10,
    seed: Annotated[int, Range(0)] = 0,
    foreground: Literal["bright", "dark", "all"] = "bright",
    summary: Histogram | Points,
) -> SemanticMap:
    """Gather the pixels into classes of like intensity or colour, each around a centre of its own.

    Parameters
    ----------
    image : Image, any axes, any real dtype but bool
        Channels are taken together: a colour is one point.
    classes : int
        How many, k.
    metric : "l2" (default) or "l1"
        Squared distance, for which the centre is the mean, or the sum of absolute differences, for which it is the
        median along each axis and outliers weigh less.
    position : number
        How many grey levels a pixel's step in space is worth; above 0, near pixels tend to one class. Steps are those of
        the finest axis where the spacing differs.
    restarts : int
        Draws of first centres, of which the cheapest result is kept. Without effect on one channel, whose optimum is
        found exactly.
    seed : int
        Of the draws.
    foreground : "bright" (default), "dark" or "all"
        Class 0 is the background and is the darkest or the brightest class, the others following in order; or all are
        classes in their own right, the darkest first.

    Returns
    -------
    SemanticMap
        Classes 0..k-1 in the order of their centres' mean over the channels.

    Raises
    ------
    InputError
        If the image has fewer distinct values or colours than classes.
    RecipeError
        If `position` is above zero where the image comes in tiles or is one of a set.

    Notes
    -----
    One channel: the cut of the histogram into k runs of least cost, exact up to rounding (for k = 2 and l2 this is Otsu's
    threshold); floats are first counted in 256 bins. Several channels, or a position: Lloyd's iteration over the
    distinct colours with their counts, from centres spread by k-means++, to a fixed point or for 300 rounds: a local
    optimum. A centre left without points moves to the point farthest from its own centre. Of equally near
    centres the one drawn first wins. Time grows with distinct colours x classes x rounds x restarts.

    References
    ----------
    S. P. Lloyd, IEEE Transactions on Information Theory 28(2), 1982, 129-137, doi:10.1109/TIT.1982.1056489.

    D. Arthur and S. Vassilvitskii, Proceedings of the 18th ACM-SIAM Symposium on Discrete Algorithms, 2007, 1027-1035.

    Examples
    --------
    >>> kmeans(np.array([[0, 1, 2, 10, 11, 12, 100]], np.uint8), classes=2).pixels.tolist()
    [[0, 0, 0, 0, 0, 0, 1]]
    >>> colours = np.array([[[250, 0, 0], [0, 0, 90], [240, 9, 0], [0, 9, 80]]], np.uint8)
    >>> kmeans(Image(colours, axes="yxc"), classes=2, foreground="all").pixels.tolist()
    [[1, 0, 1, 0]]
    """
    if isinstance(summary, Histogram):
        labels = _by_intensity(image, summary, classes, metric)
    else:
        labels = _by_colour(image, summary, classes, metric, position, restarts, seed)
    if foreground == "dark":
        labels = (classes - 1 - labels).astype(np.uint8)
    table = ClassTable.binary() if classes == 2 else ClassTable.numbered(classes)
    return SemanticMap(labels, **image.geometry(), classes=ClassTable.numbered(classes, background=False) if foreground == "all" else table)


def _is_intensity(image: Image, position: float) -> bool:
    return image.channel_count == 1 and not position


def _by_intensity(image: Image, summary: Histogram, classes: int, metric: Metric) -> NDArray[np.uint8]:
    occurring = np.flatnonzero(summary.counts)
    _require(occurring.size, classes, "values")
    # Levels are evenly spaced, so their numbers can stand for them.
    counts, numbers = summary.counts[occurring], occurring - int(occurring.mean())
    cost = squared(counts, numbers) if metric == "l2" else absolute(counts, numbers)
    last = occurring[partition(occurring.size, classes, cost)]
    if listening():
        runs = zip([0, *(last + 1)], [*(last + 1), summary.counts.size], strict=True)
        inside = [(summary.counts[a:b], summary.levels[a:b]) for a, b in runs]
        centres = [_middle(counts, levels, metric) for counts, levels in inside]
        _tell(np.array(centres)[:, None], np.array([counts.sum() for counts, _ in inside]))
    pixels = image.channel(0).pixels
    return number_above(pixels, [summary.levels[cut].item() for cut in last], downwards=False)


def _middle(counts: NDArray[np.int64], levels: NDArray[Any], metric: Metric) -> float:
    if metric == "l2":
        return float(np.average(levels, weights=counts))
    running = np.cumsum(counts)
    half = running[-1] / 2
    low, high = np.searchsorted(running, half, "left"), np.searchsorted(running, half, "right")
    return float(levels[low] / 2 + levels[high] / 2)


def _by_colour(image: Image, points: Points, classes: int, metric: Metric, position: float, restarts: int, seed: int) -> NDArray[np.uint8]:
    from microtome.methods.segment._lloyd import fit, nearest

    _require(len(points.values), classes, "colours")
    key = (classes, metric, restarts, seed)
    if key not in points.fits:
        points.fits[key] = fit(points.values, points.counts, *key)
    clusters = points.fits[key]
    # Darkest first; the whole centre decides between equal means.
    order = np.lexsort((*clusters.centres.T[::-1], clusters.centres[:, : image.channel_count].mean(axis=1)))
    _tell(clusters.centres[order], clusters.sizes[order])
    rank = np.argsort(order).astype(np.uint8)
    labels = [rank[nearest(values, clusters.centres, metric)] for values in _features(image, position)]
    return np.concatenate(labels).reshape(image.shape)


def _require(found: int, classes: int, what: str) -> None:
    if found < classes:
        raise InputError(f"kmeans: {classes} classes need {classes} distinct {what}, found {found}; ask for fewer classes")


def _tell(centres: NDArray[Any], sizes: NDArray[Any]) -> None:
    explain("clusters", f"{len(centres)} centres, each in the middle of its own pixels.", centres=centres, sizes=sizes)


def _features(image: Image, position: float) -> Iterator[NDArray[np.float64]]:
    """The pixels as points, a band of rows at a time: float64 (n, channels) or, with places, (n, channels + axes)."""
    rows, height = image.shape[0], band_height(image.pixels.shape)
    for first in range(0, rows, height):
        band = image.pixels[first : first + height]
        values = band.reshape(-1, image.channel_count).astype(np.float64)
        if position:
            shape = band.shape[: image.ndim]
            places = np.indices(shape, np.float64).reshape(image.ndim, -1)
            places[0] += first
            values = np.concatenate([values, places.T * np.multiply(image.aspect, position)], axis=1)
        yield values


def _distinct_colours(colours: NDArray[Any]) -> Points:
    channels, bits = colours.shape[1], 8 * colours.dtype.itemsize
    if colours.dtype.kind != "u" or channels * bits > 64:
        return _distinct(colours.astype(np.float64), np.ones(len(colours)))
    # One whole number a colour sorts fast.
    packed = np.zeros(len(colours), np.uint32 if channels * bits <= 32 else np.uint64)
    for channel in range(channels):
        packed = np.bitwise_or(np.left_shift(packed, bits), colours[:, channel])
    packed, counts = np.unique(packed, return_counts=True)
    shifts = [bits * (channels - 1 - channel) for channel in range(channels)]
    values = [np.right_shift(packed, shift) & ((1 << bits) - 1) for shift in shifts]
    return Points(np.stack(values, axis=1).astype(np.float64), counts.astype(np.float64))


def _distinct(values: NDArray[np.float64], counts: NDArray[np.float64]) -> Points:
    order = np.lexsort(values.T[::-1])
    values, counts = values[order], counts[order]
    starts = np.flatnonzero(np.concatenate([[True], (values[1:] != values[:-1]).any(axis=1)]))
    return Points(values[starts], np.add.reduceat(counts, starts))
