"""One-to-one pairs of greatest total gain, where few of all possible pairs have a gain at all."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["assignment"]

_SWEEPS = 32  # after them, what is not certain is left to the general solver


def assignment(rows: NDArray[np.integer[Any]], columns: NDArray[np.integer[Any]], gain: NDArray[np.float64]) -> NDArray[np.int64]:
    """Choose edges that share no row and no column, so that their gains add up to the most.

    Parameters
    ----------
    rows, columns : ndarray of integers, shape (K,)
        The ends of each edge, numbered from 0 on each side.
    gain : ndarray of float64, shape (K,)
        Above 0.

    Returns
    -------
    ndarray of int64
        Places of the chosen edges, ascending.

    Notes
    -----
    An edge that gains at least as much as the best other edge at each of its ends together belongs to a best choice: whoever gives it
    up gains no more in its place. Such edges are taken first, again and again. Groups that stay tangled are solved one by one (Crouse,
    IEEE Transactions on Aerospace and Electronic Systems 52(4), 2016, 1679-1696, as in scipy).

    Examples
    --------
    >>> assignment(np.array([0, 0, 1]), np.array([0, 1, 0]), np.array([0.6, 0.5, 0.4])).tolist()
    [1, 2]
    """
    chosen, open_edges = _certain(rows, columns, gain, int(rows.max(initial=-1)) + 1, int(columns.max(initial=-1)) + 1)
    if not len(open_edges):
        return chosen
    return np.sort(np.concatenate([chosen, _by_group(rows, columns, gain, open_edges)]))


@njit(cache=True, nogil=True)
def _certain(
    rows: NDArray[np.int64], columns: NDArray[np.int64], gain: NDArray[np.float64], n_rows: int, n_columns: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Edges that belong to a best choice for certain, and those whose ends are both still free."""
    free_row, free_column = np.ones(n_rows, np.bool_), np.ones(n_columns, np.bool_)
    chosen = np.zeros(len(gain), np.bool_)
    for _ in range(_SWEEPS):
        row_best, row_next, row_edge = _two_best(rows, columns, gain, free_row, free_column, n_rows, rows)
        column_best, column_next, column_edge = _two_best(rows, columns, gain, free_row, free_column, n_columns, columns)
        took = False
        for e in range(len(gain)):
            r, c = rows[e], columns[e]
            if free_row[r] and free_column[c]:
                beside = row_next[r] if row_edge[r] == e else row_best[r]
                below = column_next[c] if column_edge[c] == e else column_best[c]
                if gain[e] >= beside + below:
                    chosen[e] = took = True
                    free_row[r] = free_column[c] = False
        if not took:
            break
    left = np.zeros(len(gain), np.bool_)
    for e in range(len(gain)):
        left[e] = free_row[rows[e]] and free_column[columns[e]]
    return np.flatnonzero(chosen), np.flatnonzero(left)


@njit(cache=True, nogil=True)
def _two_best(
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    gain: NDArray[np.float64],
    free_row: NDArray[np.bool_],
    free_column: NDArray[np.bool_],
    count: int,
    ends: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """The best and the second best gain at each end among the open edges (0 where there is none), and the edge of the best."""
    best, second, edge = np.zeros(count), np.zeros(count), np.full(count, -1, np.int64)
    for e in range(len(gain)):
        if free_row[rows[e]] and free_column[columns[e]]:
            end = ends[e]
            if gain[e] > best[end]:
                best[end], second[end], edge[end] = gain[e], best[end], e
            elif gain[e] > second[end]:
                second[end] = gain[e]
    return best, second, edge


def _by_group(
    rows: NDArray[np.integer[Any]], columns: NDArray[np.integer[Any]], gain: NDArray[np.float64], edges: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The best choice among these edges: a dense assignment for every group of edges that hang together."""
    from scipy.optimize import linear_sum_assignment
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    top = int(rows[edges].max()) + 1
    size = top + int(columns[edges].max()) + 1
    links = coo_array((np.ones(len(edges)), (rows[edges], top + columns[edges])), shape=(size, size))
    group = connected_components(links, directed=False)[1][rows[edges]]
    order = np.argsort(group, kind="stable")
    chosen: list[int] = []
    for members in np.split(edges[order], np.flatnonzero(np.diff(group[order])) + 1):
        r, i = np.unique(rows[members], return_inverse=True)
        c, j = np.unique(columns[members], return_inverse=True)
        table = np.zeros((len(r), len(c)))
        edge = np.full(table.shape, -1)
        table[i, j] = gain[members]
        edge[i, j] = members
        took = edge[linear_sum_assignment(table, maximize=True)]
        chosen += took[took >= 0].tolist()
    return np.array(chosen, np.int64)
