"""The peaks of a height map inside a piece: one for each regional maximum that no higher ground is near."""

from __future__ import annotations

from numba import njit

from microtome.core.kernels.flood import drop_top, push

__all__ = ["peaks"]

SEEN = -1  # a pixel of a plateau that was looked at


@njit(cache=True, nogil=True)
def _plateau(heights, pieces, piece, z, y, x, around, seen, stack):  # type: ignore[no-untyped-def]
    """Whether the plateau this pixel lies on is a regional maximum of its piece; its pixels become `SEEN`."""
    depth, height, width = heights.shape
    level, top = heights[z, y, x], True
    stack[0, 0], stack[0, 1], stack[0, 2] = z, y, x
    seen[z, y, x] = SEEN
    size = 1
    while size > 0:
        size -= 1
        z, y, x = stack[size, 0], stack[size, 1], stack[size, 2]
        for k in range(len(around)):
            a, b, c = z + around[k, 0], y + around[k, 1], x + around[k, 2]
            if 0 <= a < depth and 0 <= b < height and 0 <= c < width and pieces[a, b, c] == piece:
                if heights[a, b, c] > level:
                    top = False
                elif heights[a, b, c] == level and seen[a, b, c] != SEEN:
                    seen[a, b, c] = SEEN
                    stack[size, 0], stack[size, 1], stack[size, 2] = a, b, c
                    size += 1
    return top


@njit(cache=True, nogil=True)
def _higher_ground(heights, pieces, piece, z, y, x, reach):  # type: ignore[no-untyped-def]
    """Whether the piece is higher anywhere in the box of `reach` around the pixel."""
    depth, height, width = heights.shape
    for a in range(max(0, z - reach[0]), min(depth, z + reach[0] + 1)):
        for b in range(max(0, y - reach[1]), min(height, y + reach[1] + 1)):
            for c in range(max(0, x - reach[2]), min(width, x + reach[2] + 1)):
                if pieces[a, b, c] == piece and heights[a, b, c] > heights[z, y, x]:
                    return True
    return False


@njit(cache=True, nogil=True)
def peaks(heights, pieces, piece, box, around, reach, spacing, aspect, seen, stack, found, keys, ages, places, numbers):  # type: ignore[no-untyped-def]
    """Find the peaks of one piece, highest first, and write their places to `found`.

    Parameters
    ----------
    heights : ndarray of float32, zyx
    pieces : ndarray of int32, zyx
    piece : int
    box : ndarray of int32, (6,)
    around : ndarray of int64, (K, 3)
    reach : ndarray of int64, (3,)
        No higher ground may lie within so many pixels along each axis.
    spacing : float
        Two peaks are at least this far apart along some axis, in units of the finest one.
    aspect : ndarray of float64, (3,)
    seen : ndarray of int32, zyx
        0 in the piece; holds `SEEN` on plateaus afterwards.
    stack, found : ndarray of int64, (room, 3)
    keys, ages, places, numbers : ndarray of float32, int64, int64, int32
        Room for as many pixels as the box holds.

    Returns
    -------
    int
        How many there are; at least one. A plateau is one peak, at its first pixel.
    """
    depth, height, width = heights.shape
    count = 0
    for z in range(box[0], box[1]):
        for y in range(box[2], box[3]):
            for x in range(box[4], box[5]):
                if pieces[z, y, x] != piece or seen[z, y, x] == SEEN:
                    continue
                level, plain, flat = heights[z, y, x], True, False
                for k in range(len(around)):
                    a, b, c = z + around[k, 0], y + around[k, 1], x + around[k, 2]
                    if 0 <= a < depth and 0 <= b < height and 0 <= c < width and pieces[a, b, c] == piece:
                        if heights[a, b, c] > level:
                            plain = False
                            break
                        flat = flat or heights[a, b, c] == level
                if plain and flat:
                    plain = _plateau(heights, pieces, piece, z, y, x, around, seen, stack)
                if plain and not _higher_ground(heights, pieces, piece, z, y, x, reach):
                    found[count, 0], found[count, 1], found[count, 2] = z, y, x
                    count += 1
    count = _thin_out(found, count, spacing, aspect)
    _sort(heights, found, count, keys, ages, places, numbers)
    return count


@njit(cache=True, nogil=True)
def _thin_out(found, count, spacing, aspect):  # type: ignore[no-untyped-def]
    """Of peaks that are too close keep the first in raster order. They are equally high: each is the highest in its box."""
    kept = 0
    for k in range(count):
        free = True
        for j in range(kept - 1, -1, -1):
            down, across = (found[k, 1] - found[j, 1]) * aspect[1], (found[k, 2] - found[j, 2]) * aspect[2]
            planes = (found[k, 0] - found[j, 0]) * aspect[0]
            if planes >= spacing or (down >= spacing and found[0, 0] == found[k, 0]):
                break  # in a flat image, and from plane to plane, those before lie farther off still
            if max(abs(down), abs(across)) < spacing:
                free = False
                break
        if free:
            for axis in range(3):
                found[kept, axis] = found[k, axis]
            kept += 1
    return kept


@njit(cache=True, nogil=True)
def _sort(heights, found, count, keys, ages, places, numbers):  # type: ignore[no-untyped-def]
    """Put the highest first, equals as they come. The flood's heap does it: numpy's sorting takes seconds to compile."""
    size = 0
    _, height, width = heights.shape
    for k in range(count):
        z, y, x = found[k, 0], found[k, 1], found[k, 2]
        size = push(keys, ages, places, numbers, size, heights[z, y, x], k, (z * height + y) * width + x, 0)
    for k in range(count):
        place = places[0]
        found[k, 0], found[k, 1], found[k, 2] = place // (height * width), place // width % height, place % width
        size = drop_top(keys, ages, places, numbers, size)
