"""The best way to cut a histogram into runs of neighbouring levels, found exactly.

Cutting n levels into k runs so that a cost summed over the runs is least is solved from the right: the cheapest way to
cut levels a.. into c runs is the cheapest first run a..b before the cheapest way to cut b+1.. into c-1. Where the
cost satisfies the quadrangle inequality (squared and absolute distances do) the end of the first run never moves left as
a moves right: the middle a is solved first and halves the search for the others, O(k n log n) in place of O(k n^2).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Cost", "absolute", "partition", "squared"]

Places = NDArray[np.intp]
Cost = Callable[[Places, Places], NDArray[np.float64]]
"""``cost(a, b)``: for each pair, the cost of one run of the levels a to b, both included."""


def squared(counts: NDArray[np.int64], levels: NDArray[np.int64]) -> Cost:
    """Sum of squared distances to the run's mean, less the sum of the squares, which no cut changes."""
    weight, first = _running(counts), _running(counts * levels)

    def cost(a: Places, b: Places) -> NDArray[np.float64]:
        total = (first[b + 1] - first[a]).astype(np.float64)
        return -total * total / (weight[b + 1] - weight[a])

    return cost


def absolute(counts: NDArray[np.int64], levels: NDArray[np.int64]) -> Cost:
    """Sum of absolute distances to the run's median."""
    weight, first = _running(counts), _running(counts * levels)

    def cost(a: Places, b: Places) -> NDArray[np.float64]:
        half = weight[a] + (weight[b + 1] - weight[a]) / 2
        m = np.clip(np.searchsorted(weight[1:], half), a, b)
        below = levels[m] * (weight[m + 1] - weight[a]) - (first[m + 1] - first[a])
        above = (first[b + 1] - first[m + 1]) - levels[m] * (weight[b + 1] - weight[m + 1])
        return (below + above).astype(np.float64)

    return cost


def partition(count: int, runs: int, cost: Cost) -> list[int]:
    """Cut `count` levels into `runs` runs of least total cost.

    Returns
    -------
    list of int, length runs - 1
        The last level of each run but the last one. Of cuts whose costs are equal as float64, the one whose ends are
        smallest.

    Examples
    --------
    >>> counts, levels = np.array([2, 2, 2, 3, 3]), np.array([0, 1, 3, 4, 5])
    >>> partition(5, 3, squared(counts, levels))
    [1, 3]
    """
    every = np.arange(count)
    best = cost(every, np.full(count, count - 1))
    ends: list[Places] = []
    for done in range(1, runs):
        end, best = _best_first_run(count - done, best, cost, only_first=done == runs - 1)
        ends.append(end)
    cuts: list[int] = []
    for end in reversed(ends):
        cuts.append(int(end[cuts[-1] + 1 if cuts else 0]))
    return cuts


def _running(values: NDArray[Any]) -> NDArray[Any]:
    return np.concatenate([[0], np.cumsum(values)])


def _best_first_run(count: int, rest: NDArray[np.float64], cost: Cost, *, only_first: bool) -> tuple[Places, NDArray[np.float64]]:
    """For each start a < count, the end b of the first run and the total with the best of the rest from b + 1 on."""
    end = np.zeros(count, np.intp)
    best = np.zeros(count)
    starts, low, high = (np.array([x], np.intp) for x in ((0, 0, count - 1) if only_first else (count // 2, 0, count - 1)))
    left, right = np.array([0], np.intp), np.array([count], np.intp)  # each start is the middle of left..right - 1
    while starts.size:
        end[starts], best[starts] = _least(starts, np.maximum(starts, low), high, rest, cost)
        if only_first:
            break
        left, right = np.concatenate([left, starts + 1]), np.concatenate([starts, right])
        low, high = np.concatenate([low, end[starts]]), np.concatenate([end[starts], high])
        some = left < right
        left, right, low, high = left[some], right[some], low[some], high[some]
        starts = (left + right) // 2
    return end, best


def _least(a: Places, low: Places, high: Places, rest: NDArray[np.float64], cost: Cost) -> tuple[Places, NDArray[np.float64]]:
    """For each start, the least over all ends low..high; of equal ones the first."""
    sizes = high - low + 1
    offsets = np.cumsum(sizes) - sizes
    b = np.arange(sizes.sum()) + np.repeat(low - offsets, sizes)
    totals = cost(np.repeat(a, sizes), b) + rest[b + 1]
    least = np.minimum.reduceat(totals, offsets)
    hits = np.flatnonzero(totals == np.repeat(least, sizes))
    first = hits[np.searchsorted(hits, offsets)]
    return b[first], least
