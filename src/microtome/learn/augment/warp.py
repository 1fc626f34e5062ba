"""Take a window out of an example by its placement: exact where every pixel is one of the image, else one remap of everything."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from microtome.learn.augment.border import Border, block, copies_apart, tile_number
from microtome.learn.augment.example import Example
from microtome.learn.augment.overlay import boxes_through, points_through
from microtome.learn.augment.placement import Coordinates, Placement

__all__ = ["Interpolation", "warp"]

Interpolation = Literal["linear", "cubic"]
Low = tuple[int, ...]

_OPENCV_SIDE = 32767  # OpenCV's remap takes no larger image
_CUBIC = -0.75  # the slope that OpenCV gives its cubic
_TAPS = 3  # pixels beside a place that interpolation may touch


def warp(example: Example, placement: Placement, *, border: Border = "reflect", interpolation: Interpolation = "linear") -> Example:
    """Take a window out of an example; only the window's pixels are computed.

    Parameters
    ----------
    example : Example
    placement : Placement
        With nothing but flips and quarter turns the result is an exact index map.
    border : {"reflect", "constant"}
        Beyond the frame the picture is mirrored without repeating its edge, with the labels on it; or image and objects are 0 and
        classes the example's `outside`. The mirror image of an object gets a number of its own, above the others, unless the two touch.
    interpolation : {"linear", "cubic"}
        Of the image. Labels take the value of the nearest pixel, always.

    Returns
    -------
    Example
        In the dtypes of the input. Boxes and points outside of the window are left out, boxes are cut at its edge; what the mirror
        shows has neither box nor point.
    """
    if placement.exact:
        taken = _exact(example, placement, border)
    else:
        taken = _remapped(example, placement, border, interpolation)
    boxes, box_ids = boxes_through(example.boxes, example.box_ids, placement)
    points, point_ids = points_through(example.points, example.point_ids, placement)
    return replace(taken, boxes=boxes, box_ids=box_ids, points=points, point_ids=point_ids)


def _exact(example: Example, placement: Placement, border: Border) -> Example:
    assert placement.exact is not None
    axes, flips = placement.exact
    flipped, order = tuple(axis for axis, flip in enumerate(flips) if flip), tuple(int(axis) for axis in np.argsort(axes))

    def window(pixels: NDArray[Any], fill: int) -> NDArray[Any]:
        cut = block(pixels, placement.start, placement.block, border=border, fill=fill)
        return np.flip(cut, flipped).transpose(*order, *range(len(order), cut.ndim))

    def tiles() -> NDArray[np.int64]:
        each = [tile_number(np.arange(first, first + count), n) for first, count, n
                in zip(placement.start, placement.block, example.shape, strict=True)]  # fmt: skip
        return np.flip(_one_number(np.meshgrid(*each, indexing="ij")), flipped).transpose(order)

    image = window(example.image, 0)
    classes = None if example.classes is None else window(example.classes, example.outside)
    objects = None if example.objects is None else window(example.objects, 0)
    changed = replace(example, image=image, classes=classes, objects=objects, boxes=None, points=None)
    past = np.add(placement.start, placement.block)
    return _with_copies(changed, tiles) if border == "reflect" and (min(placement.start) < 0 or (past > example.shape).any()) else changed


def _remapped(example: Example, placement: Placement, border: Border, interpolation: Interpolation) -> Example:
    low, view, beyond = _needed(placement, example.shape)
    places = placement.coordinates(low)
    image = _interpolate(example.image[view], places, border, interpolation)
    classes = None if example.classes is None else _nearest(example.classes[view], places, border, example.outside)
    objects = None if example.objects is None else _nearest(example.objects[view], places, border, 0)

    def tiles() -> NDArray[np.int64]:
        return _one_number([tile_number(axis + first, n) for axis, first, n in zip(places, low, example.shape, strict=True)])

    changed = replace(example, image=image, classes=classes, objects=objects, boxes=None, points=None)
    return _with_copies(changed, tiles) if border == "reflect" and beyond else changed


def _with_copies(example: Example, tiles: Any) -> Example:
    if example.objects is None:
        return example
    objects, copy_of = copies_apart(example.objects, tiles())
    known = {new: example.object_class[old] for new, old in copy_of.items() if old in example.object_class}
    return replace(example, objects=objects, object_class={**example.object_class, **known})


def _one_number(tiles: Any) -> NDArray[np.int64]:
    """0 where it is 0 along every axis, else a number that no other mirror image has."""
    total = np.zeros_like(tiles[0])
    for along in tiles:
        total = total * 4096 + along
    return total


def _needed(placement: Placement, frame: tuple[int, ...]) -> tuple[Low, tuple[slice, ...], bool]:
    """The part of the image that is looked at, so that the rest is not touched: its first pixel, it, and whether places lie beyond."""
    least, greatest = placement.bounds()
    slices, beyond = [], False
    for low, high, n in zip(np.floor(least).astype(int) - _TAPS, np.ceil(greatest).astype(int) + _TAPS, frame, strict=True):
        first, past = max(low, 0), min(high, n - 1)
        if low < 0:  # what lies before the frame is looked up behind its edge
            past = max(past, -low)
        if high > n - 1:
            first = min(first, 2 * (n - 1) - high)
        beyond |= bool(low + _TAPS < 0 or high - _TAPS > n - 1)
        first, past = int(np.clip(first, 0, n - 1)), int(np.clip(past, 0, n - 1))
        slices.append(slice(min(first, past), max(first, past) + 1))
    return tuple(part.start for part in slices), tuple(slices), beyond


def _interpolate(pixels: NDArray[Any], places: Coordinates, border: Border, interpolation: Interpolation) -> NDArray[Any]:
    if _opencv_takes(pixels, places, border):
        import cv2

        how = cv2.INTER_LINEAR if interpolation == "linear" else cv2.INTER_CUBIC
        edge = cv2.BORDER_REFLECT_101 if border == "reflect" else cv2.BORDER_CONSTANT
        return cv2.remap(pixels, places[1], places[0], how, borderMode=edge).reshape(*places.shape[1:], pixels.shape[-1])
    out = np.empty((*places.shape[1:], pixels.shape[-1]), pixels.dtype)
    volume, points = _in_3d(pixels, places)
    top = np.float32(np.iinfo(pixels.dtype).max if pixels.dtype.kind == "u" else 0)
    _blend(volume, points, interpolation == "cubic", border == "reflect", top, out.reshape(-1, out.shape[-1]))
    return out


def _nearest(labels: NDArray[Any], places: Coordinates, border: Border, fill: int) -> NDArray[Any]:
    if _opencv_takes(labels[..., None], places, border):
        import cv2

        edge = cv2.BORDER_REFLECT_101 if border == "reflect" else cv2.BORDER_CONSTANT
        return cv2.remap(labels, places[1], places[0], cv2.INTER_NEAREST, borderMode=edge, borderValue=float(fill))
    out = np.empty(places.shape[1:], labels.dtype)
    volume, points = _in_3d(labels[..., None], places)
    _pick(volume[..., 0], points, border == "reflect", out.dtype.type(fill), out.reshape(-1))
    return out


def _opencv_takes(pixels: NDArray[Any], places: Coordinates, border: Border) -> bool:
    sides = (*pixels.shape[:2], *places.shape[1:])
    return len(places) == 2 and max(sides) < _OPENCV_SIDE and (pixels.shape[-1] <= 4 or border == "reflect")


def _in_3d(pixels: NDArray[Any], places: Coordinates) -> tuple[NDArray[Any], Coordinates]:
    points = places.reshape(len(places), -1)
    if len(places) == 3:
        return pixels, points
    return pixels[None], np.concatenate([np.zeros((1, points.shape[1]), np.float32), points])


@njit(cache=True, nogil=True)
def _mirror(place, count):  # type: ignore[no-untyped-def]
    if count == 1:
        return 0
    period = 2 * (count - 1)
    along = place % period
    return min(along, period - along)


@njit(cache=True, nogil=True)
def _pick(labels, points, reflect, fill, out):  # type: ignore[no-untyped-def]
    """The label of the nearest pixel; a half upwards."""
    depth, height, width = labels.shape
    for p in range(points.shape[1]):
        z, y, x = int(np.floor(points[0, p] + 0.5)), int(np.floor(points[1, p] + 0.5)), int(np.floor(points[2, p] + 0.5))
        if 0 <= z < depth and 0 <= y < height and 0 <= x < width:
            out[p] = labels[z, y, x]
        elif reflect:
            out[p] = labels[_mirror(z, depth), _mirror(y, height), _mirror(x, width)]
        else:
            out[p] = fill


@njit(cache=True, nogil=True)
def _taps(place, cubic, weights):  # type: ignore[no-untyped-def]
    """The weights of the pixels around a place, and the first of them."""
    first = int(np.floor(place))
    t = place - first
    if not cubic:
        weights[0], weights[1] = 1 - t, t
        return first
    for k in range(4):
        d = abs(t + 1 - k)
        if d <= 1:
            weights[k] = (_CUBIC + 2) * d * d * d - (_CUBIC + 3) * d * d + 1
        else:
            weights[k] = _CUBIC * (d * d * d - 5 * d * d + 8 * d - 4)
    return first - 1


@njit(cache=True, nogil=True)
def _inside(pixels, z, y, x, tz, ty, tx, c):  # type: ignore[no-untyped-def]
    """Linear between the eight pixels around a place, all of which are there."""
    total = np.float32(0)
    for i in range(2):
        wz = tz if i else np.float32(1) - tz
        upper = pixels[z + i, y, x, c] + tx * (np.float32(pixels[z + i, y, x + 1, c]) - np.float32(pixels[z + i, y, x, c]))
        lower = pixels[z + i, y + 1, x, c] + tx * (np.float32(pixels[z + i, y + 1, x + 1, c]) - np.float32(pixels[z + i, y + 1, x, c]))
        total += wz * (upper + ty * (lower - upper))
    return total


@njit(cache=True, nogil=True)
def _whole(value, top):  # type: ignore[no-untyped-def]
    """A value as it is written: rounded and clipped where `top` is above 0."""
    return min(max(np.floor(value + np.float32(0.5)), np.float32(0)), top) if top > 0 else value


@njit(cache=True, nogil=True)
def _blend(pixels, points, cubic, reflect, top, out):  # type: ignore[no-untyped-def]
    """Linear or cubic interpolation in three dimensions; a place's value beyond the frame is mirrored, or 0."""
    depth, height, width, channels = pixels.shape
    count = 4 if cubic else 2
    wz, wy, wx = np.empty(4, np.float32), np.empty(4, np.float32), np.empty(4, np.float32)
    total = np.empty(channels, np.float32)
    for p in range(points.shape[1]):
        z0, y0, x0 = int(np.floor(points[0, p])), int(np.floor(points[1, p])), int(np.floor(points[2, p]))
        if not cubic and 0 <= z0 < depth - 1 and 0 <= y0 < height - 1 and 0 <= x0 < width - 1:
            tz, ty, tx = points[0, p] - np.float32(z0), points[1, p] - np.float32(y0), points[2, p] - np.float32(x0)
            for c in range(channels):
                out[p, c] = _whole(_inside(pixels, z0, y0, x0, tz, ty, tx, c), top)
            continue
        z0, y0, x0 = _taps(points[0, p], cubic, wz), _taps(points[1, p], cubic, wy), _taps(points[2, p], cubic, wx)
        total[:] = 0
        for i in range(count):
            z = z0 + i
            if wz[i] == 0 or (not reflect and not 0 <= z < depth):
                continue
            z = _mirror(z, depth)
            for j in range(count):
                y = y0 + j
                if wy[j] == 0 or (not reflect and not 0 <= y < height):
                    continue
                y = _mirror(y, height)
                for k in range(count):
                    x = x0 + k
                    if not 0 <= x < width:
                        if not reflect:
                            continue
                        x = _mirror(x, width)
                    weight = wz[i] * wy[j] * wx[k]
                    for c in range(channels):
                        total[c] += weight * pixels[z, y, x, c]
        for c in range(channels):
            out[p, c] = _whole(total[c], top)
