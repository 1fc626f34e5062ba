"""Flood a height map from markers, highest first, first come first served within a height (Meyer 1994).

Arrays are zyx; a flat image is one plane. A pixel belongs to the piece whose number stands in `pieces`.
"""

from __future__ import annotations

from numba import njit

__all__ = ["LINE", "drop_top", "flood", "push"]

LINE = -2  # a pixel where two floods met, when lines are drawn


@njit(cache=True, nogil=True)
def push(keys, ages, places, numbers, size, key, age, place, number):  # type: ignore[no-untyped-def]
    """Put one pixel on the heap: the highest key is on top, the oldest among equals."""
    child = size
    while child > 0:
        parent = (child - 1) // 2
        if keys[parent] > key or (keys[parent] == key and ages[parent] < age):
            break
        keys[child], ages[child], places[child], numbers[child] = keys[parent], ages[parent], places[parent], numbers[parent]
        child = parent
    keys[child], ages[child], places[child], numbers[child] = key, age, place, number
    return size + 1


@njit(cache=True, nogil=True)
def drop_top(keys, ages, places, numbers, size):  # type: ignore[no-untyped-def]
    """Take the top off the heap; the size that is left."""
    size -= 1
    key, age, place, number = keys[size], ages[size], places[size], numbers[size]
    parent = 0
    while 2 * parent + 1 < size:
        child = 2 * parent + 1
        right = child + 1
        if right < size and (keys[right] > keys[child] or (keys[right] == keys[child] and ages[right] < ages[child])):
            child = right
        if key > keys[child] or (key == keys[child] and age < ages[child]):
            break
        keys[parent], ages[parent], places[parent], numbers[parent] = keys[child], ages[child], places[child], numbers[child]
        parent = child
    keys[parent], ages[parent], places[parent], numbers[parent] = key, age, place, number
    return size


@njit(cache=True, nogil=True)
def _another_flood(out, pieces, piece, z, y, x, around, number):  # type: ignore[no-untyped-def]
    """Whether a pixel of another number is next to this one."""
    depth, height, width = out.shape
    for k in range(len(around)):
        a, b, c = z + around[k, 0], y + around[k, 1], x + around[k, 2]
        inside = 0 <= a < depth and 0 <= b < height and 0 <= c < width
        if inside and pieces[a, b, c] == piece and out[a, b, c] > 0 and out[a, b, c] != number:
            return True
    return False


@njit(cache=True, nogil=True)
def flood(heights, pieces, piece, box, around, line, out, keys, ages, places, numbers):  # type: ignore[no-untyped-def]
    """Grow the markers in `out` (above 0) over the piece.

    A pixel takes the number it is first reached by; with lines, the number it has when its turn comes, unless another
    flood has come next to it by then.

    Parameters
    ----------
    heights : ndarray of float32, zyx
        Flooded from the highest down; ground behind a valley is reached at the valley's height.
    pieces : ndarray of int32, zyx
    piece : int
        Only pixels with this number are flooded.
    box : ndarray of int32, (6,)
        Where the piece lies: z0, z1, y0, y1, x0, x1.
    around : ndarray of int64, (K, 3)
        Steps to the neighbours.
    line : bool
        Leave `LINE` where two floods meet.
    out : ndarray of int32, zyx
        Markers in, numbers out. Pixels no marker reaches keep what they had.
    keys, ages, places, numbers : ndarray of float32, int64, int64, int32
        Room for as many pixels as the box holds; with lines, for each as often as it has neighbours, and once more.
    """
    depth, height, width = heights.shape
    size, age = 0, 0
    for z in range(box[0], box[1]):
        for y in range(box[2], box[3]):
            for x in range(box[4], box[5]):
                if out[z, y, x] > 0 and pieces[z, y, x] == piece:
                    size = push(keys, ages, places, numbers, size, heights[z, y, x], age, (z * height + y) * width + x, out[z, y, x])
                    age += 1
    first_wave = age
    while size > 0:
        level, turn, place, number = keys[0], ages[0], places[0], numbers[0]
        size = drop_top(keys, ages, places, numbers, size)
        z, y, x = place // (height * width), place // width % height, place % width
        if line and turn >= first_wave:
            if out[z, y, x] > 0 or out[z, y, x] == LINE:
                continue
            # A line does not stop the flood that made it: what lies behind is reached through it.
            out[z, y, x] = LINE if _another_flood(out, pieces, piece, z, y, x, around, number) else number
        for k in range(len(around)):
            a, b, c = z + around[k, 0], y + around[k, 1], x + around[k, 2]
            if (
                0 <= a < depth
                and 0 <= b < height
                and 0 <= c < width
                and pieces[a, b, c] == piece
                and out[a, b, c] <= 0
                and out[a, b, c] != LINE
            ):
                if not line:
                    out[a, b, c] = number
                size = push(keys, ages, places, numbers, size, min(level, heights[a, b, c]), age, (a * height + b) * width + c, number)
                age += 1
