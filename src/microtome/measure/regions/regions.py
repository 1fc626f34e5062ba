"""A mask's regions, and what is known about them; each thing is worked out when a measurement first asks for it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.kernels.bands import bands, in_bands
from microtome.core.raster import Image, InstanceMap, SemanticMap
from microtome.measure.regions import _runs, _topology, hull
from microtome.measure.regions.directions import directions
from microtome.measure.regions.hull import Hulls
from microtome.measure.regions.moments import central_moments
from microtome.measure.regions.neighbours import Contacts, contacts

__all__ = ["Regions"]

_RUNS_A_TURN = 8192  # of one thread; results do not depend on it
_BLOCK = 2**20  # runs
_NEVER = -(2**31)  # no mask holds this value
_NATIVE = (np.uint8, np.uint16, np.int16, np.float32, np.float64)


class Regions:
    """The regions of a mask: the objects of an instance map, the classes of a semantic map.

    Attributes
    ----------
    labels : ndarray of int32, shape (R,)
        The value of each region, ascending.
    ndim : int
    names : str
        The spatial axes, ``"yx"`` or ``"zyx"``.
    aspect : tuple of float
        The spacing in units of the finest axis.
    unit : str
        Of physical lengths; empty where the mask has no spacing.
    finest : float
        The finest spacing, in `unit`.
    spacing : tuple of float
    """

    def __init__(self, mask: InstanceMap | SemanticMap, image: Image | None = None) -> None:
        self.mask = mask
        self.image = image
        self.ndim = mask.ndim
        self.names = mask.axes
        self.aspect = mask.aspect
        self.unit = mask.unit if mask.spacing is not None and mask.unit != "px" else ""
        self.spacing = mask.spacing or (1.0,) * mask.ndim
        self.finest = min(self.spacing)
        self.height = mask.shape[-2]
        self._rows = _frozen(mask.pixels.reshape(math.prod(mask.shape[:-1]), mask.shape[-1]))
        self.runs = _find(self._rows, *_outside(mask))
        self.labels, self.slots = _number(self.runs[0])

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def sums(self) -> NDArray[np.int64]:
        """Counts, moments and boxes; see the columns named in `_runs`."""
        return _runs.add_up(self.runs, self.slots, self.height, len(self))

    @property
    def counts(self) -> NDArray[np.int64]:
        """Pixels (voxels) a region."""
        return self.sums[:, _runs.COUNT]

    @property
    def centroids(self) -> NDArray[np.float64]:
        """The mean place of each region's pixel centres in whole steps of the grid, shape (R, ndim)."""
        return self.sums[:, _runs.FIRST][:, -self.ndim :] / self.counts[:, None]

    @property
    def boxes(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First and one past the last index along each axis, each of shape (R, ndim)."""
        return self.sums[:, _runs.LOW][:, -self.ndim :], self.sums[:, _runs.PAST][:, -self.ndim :]

    @cached_property
    def covariances(self) -> NDArray[np.float64]:
        """The covariance of each region's pixel places in pixels of the finest axis, shape (R, ndim, ndim).

        Moments are whole numbers taken about a whole place near the centroid, so nothing cancels.
        """
        n, first, second = self.counts, self.sums[:, _runs.FIRST], self.sums[:, _runs.SECOND]
        near = first // n[:, None]
        off = (first - near * n[:, None]) / n[:, None]
        full = np.empty((len(self), 3, 3))
        for k, (i, j) in enumerate(((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))):
            about = second[:, k] - near[:, i] * first[:, j] - near[:, j] * first[:, i] + n * near[:, i] * near[:, j]
            full[:, i, j] = full[:, j, i] = about / n - off[:, i] * off[:, j]
        aspect = np.array(self.aspect)
        return full[:, -self.ndim :, -self.ndim :] * aspect[:, None] * aspect

    @cached_property
    def grouped(self) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """The runs region after region, and where each region's begin; see `_runs.group`."""
        return _runs.group(self.runs, self.slots, len(self))

    @cached_property
    def hulls(self) -> Hulls:
        """The convex hull of each region."""
        return hull.hulls(self)

    @cached_property
    def calipers(self) -> NDArray[np.float64]:
        """Caliper widths of the hulls in pixels of the finest axis; see `hull.calipers`."""
        return hull.calipers(self)

    @cached_property
    def topology(self) -> NDArray[np.int64]:
        """Euler number and, in a plane, the number of holes, shape (R, 2)."""
        found = np.zeros((len(self), 2), np.int64)
        runs, starts = self.grouped
        if self.ndim == 2:
            in_bands(partial(_topology.of_planes, runs, starts, found), len(self), 256)
        else:
            in_bands(partial(_topology.of_volumes, runs, starts, self.height, found), len(self), 64)
        return found

    @cached_property
    def contacts(self) -> Contacts:
        """Where the regions touch one another."""
        return contacts(self)

    @cached_property
    def central_moments(self) -> dict[str, NDArray[np.float64]]:
        """By the axes multiplied, in pixels of the finest axis, shape (R,) each."""
        return central_moments(self)

    @cached_property
    def boundary(self) -> NDArray[np.float64]:
        """Perimeter (2-D) or surface (3-D) of each region in pixels of the finest axis, by Crofton's formula."""
        by = directions(self.aspect)
        counts = np.zeros((len(by.steps), len(self)))
        for runs, slots in self._blocks():
            left = np.empty((len(by.steps), len(slots)), np.int32)
            in_bands(partial(_runs.exits, self._rows, self.height, runs, by.steps, left), len(slots), _RUNS_A_TURN)
            for count, exits in zip(counts, left, strict=True):
                count += np.bincount(slots, weights=exits, minlength=len(self))
        return (by.weights[:, None] * counts).sum(axis=0)

    @property
    def channels(self) -> dict[int, str]:
        """What is put behind an intensity's name for each channel: nothing where there is one."""
        if self.image is None or self.image.channel_count == 1:
            return {0: ""}
        names: Sequence[Any] = self.image.channels
        if len(set(names)) < self.image.channel_count:
            names = range(self.image.channel_count)
        return {number: f"_{name}" for number, name in enumerate(names)}

    @property
    def whole_numbers(self) -> bool:
        """Whether the image holds integers."""
        return self._pictured.pixels.dtype.kind in "bui"

    @cached_property
    def intensities(self) -> list[NDArray[np.float64]]:
        """For each channel (R, 5): count, sum, least, greatest, summed squared deviation from the mean."""
        return [self._intensities(channel) for channel in self.channels]

    @cached_property
    def medians(self) -> list[NDArray[np.float64]]:
        """For each channel the middle value of each region, shape (R,)."""
        return [self._medians(channel) for channel in self.channels]

    @property
    def segments(self) -> NDArray[np.int64]:
        """Where each region's pixels begin among all pixels of regions, shape (R + 1,)."""
        return np.concatenate([[0], np.cumsum(self.counts)])

    @cached_property
    def sorted_values(self) -> list[NDArray[Any]]:
        """For each channel the pixels of the regions, region after region, ascending in each."""
        return [self._sorted(channel) for channel in self.channels]

    @cached_property
    def deviation_powers(self) -> list[NDArray[np.float64]]:
        """For each channel sums of deviations from the mean to the power 2, 3 and 4, shape (R, 3)."""
        return [self._deviation_powers(channel) for channel in self.channels]

    @property
    def _pictured(self) -> Image:
        if self.image is None:
            raise TypeError("intensities were asked for without an image")
        return self.image

    @cached_property
    def values(self) -> NDArray[Any]:
        """The image as kernels read it: (rows, width, channels)."""
        pixels = self._pictured.pixels
        pixels = pixels.view(np.uint8) if pixels.dtype == bool else pixels
        native = pixels if pixels.dtype in _NATIVE and pixels.dtype.isnative else pixels.astype(np.float64)
        return _frozen(native.reshape(*self._rows.shape, self._pictured.channel_count))

    def _blocks(self) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int32]]]:
        """The runs and their regions, so many at a time that what is noted of each run stays small."""
        for first, past in bands(len(self.slots), _BLOCK):
            yield np.ascontiguousarray(self.runs[:, first:past]), self.slots[first:past]

    def _intensities(self, channel: int) -> NDArray[np.float64]:
        values = self.values
        zero = np.float64(0) if values.dtype.kind == "f" else np.int64(0)
        whole = np.tile([0, 0, np.inf, -np.inf, 0], (len(self), 1))
        for runs, slots in self._blocks():
            stats = np.empty((4, len(slots)))
            in_bands(partial(_runs.intensities, values, channel, zero, runs, stats), len(slots), _RUNS_A_TURN)
            _runs.combine(stats, runs, slots, whole)
        return whole

    def _medians(self, channel: int) -> NDArray[np.float64]:
        starts = self.segments
        values = _runs.scatter(self.values, channel, self.runs, self.slots, starts)
        medians = np.empty(len(self))
        in_bands(partial(_runs.segment_medians, values, starts, medians), len(self), 256)
        return medians

    def _sorted(self, channel: int) -> NDArray[Any]:
        starts = self.segments
        values: NDArray[Any] = _runs.scatter(self.values, channel, self.runs, self.slots, starts)

        def sort(first: int, past: int) -> None:
            for begin, end in zip(starts[first:past].tolist(), starts[first + 1 : past + 1].tolist(), strict=True):
                values[begin:end].sort()

        in_bands(sort, len(self), 256)
        return values

    def _deviation_powers(self, channel: int) -> NDArray[np.float64]:
        from microtome.measure.regions import _distribution  # another kernel to compile, which few tables need

        means = self.intensities[channel][:, 1] / self.intensities[channel][:, 0]
        powers = np.empty((len(self), 3))
        in_bands(partial(_distribution.powers, self.values, channel, *self.grouped, means, powers), len(self), 256)
        return powers


def _outside(mask: InstanceMap | SemanticMap) -> tuple[int, ...]:
    """The values that are no region. The first is never even looked at."""
    if isinstance(mask, InstanceMap):
        return (0,)
    outside = mask.classes.values("background", "ignore")
    known = any(entry.value == 0 for entry in mask.classes)
    return tuple(sorted({*outside, *(() if known else (0,))})) or (_NEVER,)


def _find(rows: NDArray[Any], skip: int, *others: int) -> NDArray[np.int32]:
    """All runs of the mask from the top down: (4, runs) of value, row, first and past column."""

    def search(first: int, past: int) -> NDArray[np.int32]:
        room = np.empty((4, (past - first) * rows.shape[1]), np.int32)  # pages never written cost no memory
        return room[:, : _runs.find_runs(rows, first, past, skip, room)].copy()

    runs = np.concatenate([np.empty((4, 0), np.int32), *(in_bands(search, len(rows), 128) if rows.size else [])], axis=1)
    return runs[:, ~np.isin(runs[0], others)] if others else runs


def _number(values: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The different values, ascending, and for each run the place of its value among them.

    By a table where values lie close, by sorting where they lie far apart: memory follows the runs, not the largest id.
    """
    if not values.size:
        return np.empty(0, np.int32), np.empty(0, np.int32)
    low, high = int(values.min()), int(values.max())
    if high - low > 4 * values.size + 65536:
        labels, slots = np.unique(values, return_inverse=True)
        return labels, slots.astype(np.int32)
    shifted = values - np.int32(low)
    place = np.zeros(high - low + 1, np.int32)
    place[shifted] = 1
    labels = np.flatnonzero(place).astype(np.int32)
    place[labels] = np.arange(len(labels), dtype=np.int32)
    return labels + np.int32(low), place[shifted]


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    """Contiguous and read-only, so that a kernel is compiled once for a dtype."""
    array = np.ascontiguousarray(array).view()
    array.flags.writeable = False
    return array
