"""An image with everything that lies over it, as plain arrays that are changed together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.raster import Image, InstanceMap, SemanticMap
from microtome.core.result import Sample

__all__ = ["Example", "Frame", "boxes_of", "example_of", "span_of"]

_PERCENTILES = (1.0, 99.8)  # those of `normalise`
_LOOKED_AT = 1 << 20


@dataclass(frozen=True)
class Frame:
    """What a step may know of a sample before it draws.

    Attributes
    ----------
    shape : tuple of int
        Of the window, without channels.
    channels : int
    aspect : tuple of float
        The spacing of each axis in units of the finest one.
    """

    shape: tuple[int, ...]
    channels: int = 1
    aspect: tuple[float, ...] = ()

    @property
    def ndim(self) -> int:
        """2 or 3."""
        return len(self.shape)

    @property
    def ratios(self) -> NDArray[np.float64]:
        """The aspect as an array; ones where it is not given."""
        return np.asarray(self.aspect or (1.0,) * self.ndim)


@dataclass(frozen=True, eq=False)
class Example:
    """One sample for a network. D is 2 or 3; every array covers the same pixels.

    Attributes
    ----------
    image : ndarray of uint8, uint16 or float32, shape (*spatial, C)
    classes : ndarray of uint8, uint16 or int32, shape spatial, or None
        A class for every pixel.
    objects : ndarray of int32, shape spatial, or None
        An object's number for every pixel, 0 for the background.
    object_class : mapping of int to int
        The class of an object, where known.
    boxes : ndarray of float64, shape (N, 2 D), or None
        Least corner, then greatest, half-open, in the coordinates in which pixel 0 covers 0 to 1.
    box_ids : ndarray of int64, shape (N,)
        What each box is: an object's number, or a class. Kept beside its box.
    points : ndarray of float64, shape (M, D), or None
        In the same coordinates: the middle of the first pixel is at one half.
    point_ids : ndarray of int64, shape (M,)
    span : tuple of float
        From the 1st to the 99.8th percentile of the whole image (`span_of`): what "of the range" means for noise, bias and gamma. 0 and 1
        of an image that was normalised by the same percentiles; a hot pixel does not count.
    outside : int
        The class that stands beyond the frame where that is not mirrored: the ignored one of the class table, else 0.
    aspect : tuple of float
        The spacing of each axis in units of the finest one.
    finest : float
        The spacing of that one, in `unit`.
    unit : str
        ``"px"`` where there is no spacing.
    name : str
    """

    image: NDArray[Any]
    classes: NDArray[Any] | None = None
    objects: NDArray[np.int32] | None = None
    object_class: Mapping[int, int] = field(default_factory=dict)
    boxes: NDArray[np.float64] | None = None
    box_ids: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    points: NDArray[np.float64] | None = None
    point_ids: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    span: tuple[float, float] = (0.0, 255.0)
    outside: int = 0
    aspect: tuple[float, ...] = ()
    finest: float = 1.0
    unit: str = "px"
    name: str = ""

    def __post_init__(self) -> None:
        _check(self)

    @property
    def shape(self) -> tuple[int, ...]:
        """Without channels."""
        return self.image.shape[:-1]

    @property
    def ndim(self) -> int:
        """2 or 3."""
        return self.image.ndim - 1

    @property
    def frame(self) -> Frame:
        """What a step may know before it draws."""
        return Frame(self.shape, self.image.shape[-1], self.aspect)

    def with_image(self, image: NDArray[Any]) -> Example:
        """The same example with other values."""
        return replace(self, image=image)


def _check(example: Example) -> None:
    place = f"{example.name}: " if example.name else ""
    if example.image.ndim not in (3, 4):
        raise InputError(f"{place}an example's image is (y, x, channels) or (z, y, x, channels), found shape {example.image.shape}")
    if example.image.dtype not in (np.uint8, np.uint16, np.float32):
        raise InputError(f"{place}an example's image is uint8, uint16 or float32, found {example.image.dtype}")
    for name, pixels in (("classes", example.classes), ("objects", example.objects)):
        if pixels is not None and pixels.shape != example.shape:
            raise InputError(f"{place}the image is {example.shape}, its {name} {pixels.shape}; they must cover the same pixels")
    for name, rows, ids, width in (
        ("boxes", example.boxes, example.box_ids, 2 * example.ndim),
        ("points", example.points, example.point_ids, example.ndim),
    ):
        if rows is not None and (rows.ndim != 2 or rows.shape[1] != width or len(ids) != len(rows)):
            raise InputError(f"{place}{name} must be (N, {width}) with an id each, found {rows.shape} and {len(ids)} ids")


def example_of(sample: Sample) -> Example:
    """Turn a labelled sample into arrays.

    Parameters
    ----------
    sample : Sample
        Its image of any real dtype: bool becomes uint8, what is neither uint8 nor uint16 becomes float32.

    Raises
    ------
    InputError
        If image and truth do not cover the same pixels, or the image is empty or has NaN.

    Examples
    --------
    >>> picture = Image(np.zeros((4, 5), np.uint8))
    >>> example_of(Sample(picture, SemanticMap(np.ones((4, 5), np.uint8)))).image.shape
    (4, 5, 1)
    """
    image, truth = sample.image, sample.truth
    place = sample.name or image.source or "a sample"
    if 0 in image.pixels.shape:
        raise InputError(f"{place}: the image is empty, its shape is {image.pixels.shape}")
    if image.not_finite:
        raise InputError(f"{place}: {image.not_finite} values of the image are NaN or infinite; fill them before")
    common: dict[str, Any] = {"span": span_of(image), "aspect": image.aspect, "name": sample.name}
    common |= {} if image.spacing is None else {"finest": min(image.spacing), "unit": image.unit}
    if isinstance(truth, InstanceMap):
        return Example(_pixels(image), objects=truth.pixels, object_class=dict(truth.object_class), **common)
    return Example(_pixels(image), classes=_native(truth), outside=next(iter(truth.classes.values("ignore")), 0), **common)


def span_of(image: Image) -> tuple[float, float]:
    """The range of an image that its few darkest and brightest pixels have no say in: its 1st and 99.8th percentile, over all channels.

    Of an image of more than about a million pixels, every second, third, ... row and column is looked at. Where both are the same value,
    as in pictures of few bright specks, the range goes from the least value to the greatest.

    >>> span_of(Image(np.arange(1001.0).reshape(1, 1001)))
    (10.0, 998.0)
    """
    step = max(1, ceil((image.pixels.size / _LOOKED_AT) ** (1 / image.ndim)))
    low, high = np.percentile(_pixels(image)[(slice(None, None, step),) * image.ndim], _PERCENTILES)
    if low == high:
        low, high = image.extremes
    return float(low), float(high)


def _pixels(image: Image) -> NDArray[Any]:
    pixels = image.pixels if image.has_channels else image.pixels[..., None]
    if pixels.dtype == bool:
        return pixels.astype(np.uint8)
    if pixels.dtype.kind == "u" and pixels.dtype.itemsize <= 2:
        return pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    return pixels.astype(np.float32, copy=False)


def _native(truth: SemanticMap) -> NDArray[Any]:
    return truth.pixels.astype(truth.pixels.dtype.newbyteorder("="), copy=False)


def boxes_of(objects: NDArray[np.int32]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The smallest box around each object of a map, and the objects' numbers in ascending order.

    Examples
    --------
    >>> boxes, ids = boxes_of(np.array([[0, 7, 7], [0, 0, 7]], np.int32))
    >>> boxes.tolist(), ids.tolist()
    ([[0.0, 1.0, 2.0, 3.0]], [7])
    """
    places = np.nonzero(objects)
    if not len(places[0]):
        return np.zeros((0, 2 * objects.ndim)), np.zeros(0, np.int64)
    ids, number = np.unique(objects[places], return_inverse=True)
    boxes = np.empty((len(ids), 2 * objects.ndim))
    for axis, at in enumerate(places):
        least, greatest = np.full(len(ids), objects.shape[axis]), np.full(len(ids), -1)
        np.minimum.at(least, number, at)
        np.maximum.at(greatest, number, at)
        boxes[:, axis], boxes[:, objects.ndim + axis] = least, greatest + 1
    return boxes, ids.astype(np.int64)
