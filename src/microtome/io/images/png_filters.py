"""The pixels of a PNG from its inflated bytes: undo the row filters, unpack small values, put interlaced passes in place.

Done here because half of a decoder's time goes into inflating, where libdeflate is twice as fast as the zlib inside
the usual PNG libraries. The filters are those of the PNG specification, section 9.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from microtome.core.errors import InputError

__all__ = ["inflated_size", "unpack"]

# Each pass of an interlaced picture: first row, first column, row step, column step.
_ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
_WHOLE = ((0, 0, 1, 1),)


def inflated_size(height: int, width: int, samples: int, bits: int, interlaced: bool) -> int:
    """How many bytes the pixels have before they are unpacked, filter bytes included."""
    return sum(h * (1 + _row_bytes(w, samples, bits)) for h, w in _sizes(height, width, interlaced))


def unpack(raw: bytes, height: int, width: int, samples: int, bits: int, interlaced: bool) -> NDArray[Any]:
    """Turn inflated bytes into pixels.

    Parameters
    ----------
    raw : bytes
        At least `inflated_size` of them.
    height, width, samples, bits, interlaced
        As the header gives them.

    Returns
    -------
    ndarray, shape (height, width, samples), uint8 or uint16
        Values as stored, those of fewer than 8 bits one a byte.
    """
    pixels = np.empty((height, width, samples), np.uint16 if bits == 16 else np.uint8)
    step = max(1, samples * bits // 8)
    place = 0
    for (top, left, down, right), (h, w) in zip(_passes(interlaced), _sizes(height, width, interlaced), strict=True):
        if h == 0 or w == 0:
            continue
        row = 1 + _row_bytes(w, samples, bits)
        filtered = np.frombuffer(raw, np.uint8, h * row, place).reshape(h, row)
        place += h * row
        rows, wrong = _undo_filters(filtered, step)
        if wrong >= 0:
            raise InputError(f"row {wrong} of the PNG has filter {filtered[wrong, 0]}, which does not exist; the file is damaged")
        values = _values(rows, bits)[:, : w * samples].reshape(h, w, samples)
        if not interlaced:
            return values
        pixels[top::down, left::right] = values
    return pixels


def _passes(interlaced: bool) -> tuple[tuple[int, int, int, int], ...]:
    return _ADAM7 if interlaced else _WHOLE


def _sizes(height: int, width: int, interlaced: bool) -> list[tuple[int, int]]:
    """Height and width of each pass; an empty pass has no rows at all."""
    sizes = [(-(-(height - top) // down), -(-(width - left) // right)) for top, left, down, right in _passes(interlaced)]
    return [(h, w) if h > 0 and w > 0 else (0, 0) for h, w in sizes]


def _row_bytes(width: int, samples: int, bits: int) -> int:
    return math.ceil(width * samples * bits / 8)


def _values(rows: NDArray[np.uint8], bits: int) -> NDArray[Any]:
    """One value an element: 16 bits from two bytes, fewer than 8 out of theirs, the first in the highest bits."""
    if bits == 8:
        return rows
    if bits == 16:
        return rows.view(">u2").astype(np.uint16)
    shifts = np.arange(8 - bits, -1, -bits, dtype=np.uint8)
    spread = (rows[:, :, None] >> shifts) & np.uint8(2**bits - 1)
    return spread.reshape(len(rows), -1)


@njit(cache=True, nogil=True)
def _undo_filters(raw: NDArray[np.uint8], step: int) -> tuple[NDArray[np.uint8], int]:  # pragma: no cover - compiled
    """Rows without their filter byte, and the number of a row whose filter does not exist (-1: none)."""
    height, width = raw.shape[0], raw.shape[1] - 1
    rows = np.empty((height, width), np.uint8)
    above = np.zeros(width, np.uint8)
    for y in range(height):
        kind = raw[y, 0]
        source = raw[y, 1:]
        row = rows[y]
        if kind == 0:
            for x in range(width):
                row[x] = source[x]
        elif kind == 2:
            for x in range(width):
                row[x] = source[x] + above[x]
        elif kind == 1:
            for sample in range(step):
                left = 0
                for x in range(sample, width, step):
                    left = (left + int(source[x])) & 255
                    row[x] = left
        elif kind == 3:
            for sample in range(step):
                left = 0
                for x in range(sample, width, step):
                    left = (int(source[x]) + ((left + int(above[x])) >> 1)) & 255
                    row[x] = left
        elif kind == 4:
            for sample in range(step):
                left = corner = 0
                for x in range(sample, width, step):
                    up = int(above[x])
                    rise, run = up - corner, left - corner
                    to_left, to_up, to_corner = abs(rise), abs(run), abs(rise + run)
                    nearest = up if to_up <= to_corner else corner
                    if to_left <= min(to_up, to_corner):
                        nearest = left
                    left = (int(source[x]) + nearest) & 255
                    row[x] = left
                    corner = up
        else:
            return rows, y
        above = row
    return rows, -1
