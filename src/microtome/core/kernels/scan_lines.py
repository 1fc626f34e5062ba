"""Areas given line by line, polygons and runs along rows, as runs down the columns: memory grows with the runs, not with the area."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.kernels.run_lengths import of_spans
from microtome.core.objects import Runs
from microtome.core.outlines import Polygon

__all__ = ["scan", "scan_rows"]

_FARTHEST = 1 << 31  # pixels; beyond, sums of coordinates are no longer exact
_MOST = 1 << 28  # crossings of an outline with the rows of the image, or runs: gigabytes, and no outline of a thing


def scan(polygon: Polygon, shape: tuple[int, int]) -> Runs:
    """The runs of a polygon: the same pixels that `outlines.fill` paints, by the same rule.

    Parameters
    ----------
    polygon : Polygon
        Corners may be any numbers; what lies outside of `shape` is cut off.
    shape : tuple of int
        Height and width of the image.

    Raises
    ------
    InputError
        If a corner is not finite or more than 2 ** 31 pixels away, or if the outline runs to and fro so often that its runs would
        fill the memory.

    Examples
    --------
    >>> scan(Polygon(np.array([[0.0, 0.0], [0.0, 4.0], [4.0, 0.0]])), (4, 4)).counts.tolist()
    [0, 3, 1, 2, 2, 1, 7]
    """
    rings = [ring for ring in (polygon.outer, *polygon.holes) if len(ring) > 2]
    nothing = np.zeros(0, np.int64)
    if not rings:
        return of_spans(nothing, nothing, shape)
    start = np.concatenate(rings)
    if not (np.abs(start) <= _FARTHEST).all():
        raise InputError(f"a polygon has a corner that is not finite, or more than {_FARTHEST} pixels away; correct it")
    stop = np.concatenate([part for ring in rings for part in (ring[1:], ring[:1])])
    top, left = (max(0, int(edge)) for edge in np.floor(start.min(axis=0)))
    bottom, right = (min(size, int(edge)) for edge, size in zip(np.ceil(start.max(axis=0)), shape, strict=True))
    if top >= bottom or left >= right:
        return of_spans(nothing, nothing, shape)
    ends, columns = _flips(start, stop, top, left, bottom - top, right - left, _MOST)
    spans, runs = _spans(ends, columns, bottom - top, right - left, _MOST) if ends[-1] <= _MOST else (nothing, _MOST + 1)
    if runs > _MOST:
        raise InputError(f"a polygon of {len(start)} corners goes in and out more than {_MOST} times; cut the image into tiles")
    return _placed(spans, top, left, shape)


def scan_rows(counts: NDArray[np.int64], size: tuple[int, int], top: int, left: int, shape: tuple[int, int]) -> Runs:
    """The runs of a mask that is given by run lengths along the rows of a box.

    Parameters
    ----------
    counts : ndarray of int64, shape (N,)
        Zeros and ones in turn, zeros first; they add up to the pixels of the box.
    size : tuple of int
        Height and width of the box.
    top, left : int
        Its place in the image; what lies outside is cut off.
    shape : tuple of int
        Height and width of the image.

    Examples
    --------
    >>> scan_rows(np.array([1, 4, 1]), (2, 3), 0, 0, (2, 3)).counts.tolist()
    [1, 4, 1]
    """
    ends, columns = _rows(counts, size[0], size[1])
    spans, runs = _spans(ends, columns, size[0], size[1], _MOST)
    if runs > _MOST:
        raise InputError(f"a mask of {size[0]} x {size[1]} pixels is more than {_MOST} runs down the columns; cut the image into tiles")
    column, first, past = spans.T
    first, past = np.maximum(first, -top), np.minimum(past, shape[0] - top)
    kept = (past > first) & (column >= -left) & (column < shape[1] - left)
    return _placed(np.stack([column, first, past], axis=1)[kept], top, left, shape)


def _placed(spans: NDArray[np.int64], top: int, left: int, shape: tuple[int, int]) -> Runs:
    """Spans of a window (column, first row, row past) as runs of the image around it."""
    edges = (left + spans[:, :1]) * shape[0] + top + spans[:, 1:]
    return of_spans(edges[:, 0], edges[:, 1], shape)


@njit(cache=True, nogil=True)
def _rows(counts: NDArray[np.int64], height: int, width: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """The columns where each row goes in or out, and where in them each row ends."""
    ends = np.zeros(height + 2, np.int64)
    columns = np.empty(0, np.int32)
    for writing in (False, True):
        if writing:
            ends = np.cumsum(ends)
            columns = np.empty(ends[-1], np.int32)
        at = 0
        for k in range(len(counts)):
            start, at = at, at + counts[k]
            if k % 2 == 0 or start == at:
                continue
            for row in range(start // width, (at - 1) // width + 1):
                for column in (max(start - row * width, 0), at - row * width):
                    if column >= width:
                        continue
                    if writing:
                        columns[ends[row + 1]] = column
                        ends[row + 1] += 1
                    else:
                        ends[row + 2] += 1
    return ends[:-1], columns


@njit(cache=True, nogil=True)
def _flips(
    start: NDArray[np.float64], stop: NDArray[np.float64], top: int, left: int, height: int, width: int, most: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """The columns where each row goes in or out, in order, and where in them each row ends: the arithmetic of `outlines.fill`."""
    ends = np.zeros(height + 2, np.int64)  # of row r at r + 1; while rows are filled, one further
    columns = np.empty(0, np.int32)
    for writing in (False, True):
        if writing:
            ends = np.cumsum(ends)
            if ends[-1] > most:
                return ends, columns
            columns = np.empty(ends[-1], np.int32)
        for k in range(len(start)):
            y0, x0, y1, x1 = start[k, 0] - top, start[k, 1] - left, stop[k, 0] - top, stop[k, 1] - left
            if y0 > y1:
                y0, x0, y1, x1 = y1, x1, y0, x0
            first = min(max(np.ceil(y0 - 0.5), 0.0), float(height))
            past = min(max(np.ceil(y1 - 0.5), 0.0), float(height))
            for row in range(int(first), int(past)):
                crossing = x0 + (row + 0.5 - y0) * (x1 - x0) / (y1 - y0)
                column = min(max(np.ceil(crossing - 0.5), 0.0), float(width))
                if column == width:
                    continue
                if writing:
                    columns[ends[row + 1]] = int(column)
                    ends[row + 1] += 1
                else:
                    ends[row + 2] += 1
    for row in range(height):
        columns[ends[row] : ends[row + 1]].sort()
    return ends[:-1], columns


@njit(cache=True, nogil=True)
def _spans(ends: NDArray[np.int64], columns: NDArray[np.int32], height: int, width: int, most: int) -> tuple[NDArray[np.int64], int]:
    """Column, first row and row past each run, by column and row; and how many there are, which may be more than `most`.

    From row to row, a stretch of columns changes between two successive flips of either row; where it goes out, a run ends.
    """
    place = np.zeros(width + 1, np.int64)  # how the number of runs differs from the column before, then where a column's next run goes
    begin = np.zeros(width, np.int64)
    spans = np.empty((0, 3), np.int64)
    count = 0
    for writing in (False, True):
        if writing:
            runs = 0
            for column in range(width):
                runs += place[column]
                place[column] = count
                count += runs
            if count > most:
                return spans, count
            spans = np.empty((count, 3), np.int64)
        for row in range(height + 1):
            above, past_above = ends[max(row - 1, 0)], ends[row]
            here, past_here = ends[row], ends[min(row + 1, height)]
            changed, inside, at = False, False, 0
            while at < width:
                upper = columns[above] if above < past_above else width
                lower = columns[here] if here < past_here else width
                following = min(upper, lower)
                if changed and not writing and not inside:
                    place[at] += 1
                    place[following] -= 1
                if changed and writing:
                    for column in range(at, following):
                        if inside:
                            begin[column] = row
                            continue
                        spans[place[column], 0] = column
                        spans[place[column], 1] = begin[column]
                        spans[place[column], 2] = row
                        place[column] += 1
                at = following
                changed = not changed
                if upper == following:
                    above += 1
                else:
                    inside = not inside
                    here += 1
    return spans, count
