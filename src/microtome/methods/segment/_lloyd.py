"""Lloyd's iteration over weighted points: assign each to its nearest centre, move the centres, until nothing moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from microtome.core.kernels.bands import in_bands

__all__ = ["Clusters", "Metric", "fit", "lloyd", "nearest"]

Metric = Literal["l2", "l1"]
Floats = NDArray[np.float64]

MOST_ROUNDS = 300
NOBODY = np.uint8(255)  # the label of a point that has no centre yet


@dataclass(frozen=True, eq=False)
class Clusters:
    """Where an iteration came to rest.

    Attributes
    ----------
    centres : ndarray of float64, shape (k, d)
    cost : float
        Sum over the points of the squared distance (l2) or the sum of absolute differences (l1) to the nearest centre.
    sizes : ndarray of float64, shape (k,)
        The weight of the points nearest to each centre.
    """

    centres: Floats
    cost: float
    sizes: Floats


def fit(values: Floats, counts: Floats, classes: int, metric: Metric, restarts: int, seed: int) -> Clusters:
    """The cheapest of several iterations, each from centres drawn by k-means++ (far points are likelier).

    Parameters
    ----------
    values : ndarray of float64, shape (n, d)
        Distinct points, at least `classes` of them.
    counts : ndarray of float64, shape (n,)
        How often each occurs.
    """

    def attempt(number: int, _: int) -> Clusters:
        draw = np.random.default_rng((seed, number))  # each restart has its own numbers, whatever thread it runs on
        return lloyd(values, counts, _spread(values, counts, classes, metric, draw), metric)

    return min(in_bands(attempt, restarts, 1), key=lambda clusters: clusters.cost)


def lloyd(values: Floats, counts: Floats, centres: Floats, metric: Metric) -> Clusters:
    """Iterate from these centres to a fixed point, or for 300 rounds.

    Centres move to the mean (l2) or the median along each axis (l1) of their points. A centre without points moves to
    the point farthest from its own centre.

    Examples
    --------
    >>> line = np.array([[0.0], [1], [2], [10], [11], [12], [100]])
    >>> lloyd(line, np.ones(7), np.array([[0.0], [12]]), "l2").centres.ravel().tolist()
    [6.0, 100.0]
    """
    orders = np.argsort(values, axis=0, kind="stable") if metric == "l1" else None
    state = _State(values, counts, metric)
    state.assign(centres)
    for _ in range(MOST_ROUNDS):
        moved = state.means() if orders is None else _medians(values, counts, state.labels, orders, centres)
        if not state.sizes.all():
            far = state.assign(centres)
            for empty in np.flatnonzero(state.sizes == 0):
                farthest = int(np.argmax(far))
                moved[empty], far[farthest] = values[farthest], 0.0
        shifts = _lengths(moved - centres, metric)
        if not shifts.any():
            break
        centres = moved
        state.follow(centres, shifts)
    far = state.assign(centres)
    return Clusters(centres, float(np.sum((far * far if metric == "l2" else far) * counts)), state.sizes)


class _State:
    """Which centre each point belongs to, and what is known of the distances: enough to pass over most points.

    A point need not be looked at while the distance to its own centre, at most `upper`, stays below the distance to any
    other, at least `lower` (G. Hamerly, SIAM International Conference on Data Mining, 2010, 130-140). The slack
    covers rounding: a point that is nearly as near to another centre is always looked at. `sums` and `sizes` follow
    the points that change sides.
    """

    def __init__(self, values: Floats, counts: Floats, metric: Metric) -> None:
        self.values, self.counts, self.absolute = values, counts, metric == "l1"
        self.labels = np.empty(len(values), np.uint8)
        self.upper, self.lower = np.empty(len(values)), np.empty(len(values))
        self.slack = 1e-10 * values.shape[1] * float(np.ptp(values))

    def assign(self, centres: Floats) -> Floats:
        """Give every point its nearest centre, whatever was known before; return the distances to it."""
        self.labels[:], self.upper[:], self.lower[:] = NOBODY, np.inf, -np.inf
        self.sums, self.sizes = np.zeros(centres.shape), np.zeros(len(centres))
        self.follow(centres, np.zeros(len(centres)))
        return self.upper.copy()

    def follow(self, centres: Floats, shifts: Floats) -> None:
        """Bring everything up to date with centres that have moved by `shifts`."""
        _follow(self.values, self.counts, centres, shifts, self.slack, self.absolute,
                self.labels, self.upper, self.lower, self.sums, self.sizes)  # fmt: skip

    def means(self) -> Floats:
        """Each cluster's mean; zero where it is empty."""
        return self.sums / np.maximum(self.sizes, 1e-300)[:, None]


def nearest(values: Floats, centres: Floats, metric: Metric) -> NDArray[np.uint8]:
    """The number of the nearest centre for each point; of equally near ones the first."""
    state = _State(values, np.ones(len(values)), metric)
    state.assign(centres)
    return state.labels


def _spread(values: Floats, counts: Floats, classes: int, metric: Metric, draw: np.random.Generator) -> Floats:
    """k-means++: draw each further centre with a probability that grows with its cost under those before."""
    state, least = _State(values, counts, metric), np.full(len(values), np.inf)
    chosen: list[int] = []
    weights = counts
    for _ in range(classes):
        running = np.cumsum(weights)
        chosen.append(int(np.searchsorted(running, draw.random() * running[-1], side="right")))
        np.minimum(least, state.assign(values[chosen[-1:]]), out=least)
        weights = counts * (least * least if metric == "l2" else least)
    return values[chosen]


def _lengths(steps: Floats, metric: Metric) -> Floats:
    return np.abs(steps).sum(axis=1) if metric == "l1" else np.sqrt(np.square(steps).sum(axis=1))


def _medians(values: Floats, counts: Floats, labels: NDArray[np.uint8], orders: NDArray[np.intp], centres: Floats) -> Floats:
    """The weighted median of each cluster along each axis; the middle of the two where the weights balance."""
    moved = centres.copy()
    for axis in range(values.shape[1]):
        ordered = orders[:, axis]
        for k in np.unique(labels):
            members = ordered[labels[ordered] == k]
            running = np.cumsum(counts[members])
            low, high = np.searchsorted(running, running[-1] / 2, "left"), np.searchsorted(running, running[-1] / 2, "right")
            moved[k, axis] = (values[members[low], axis] + values[members[high], axis]) / 2
    return moved


@njit(cache=True, nogil=True)
def _follow(
    values: Any, counts: Any, centres: Any, shifts: Any, slack: Any, absolute: Any,
    labels: Any, upper: Any, lower: Any, sums: Any, sizes: Any,
) -> None:  # fmt: skip
    classes, axes = centres.shape
    farthest_shift = shifts.max()
    for i in range(len(values)):
        own = labels[i]
        if own != NOBODY:
            upper[i] += shifts[own]
            lower[i] -= farthest_shift
        if upper[i] + slack < lower[i]:
            continue
        best, nearest, second = 0, np.inf, np.inf
        for k in range(classes):
            distance = 0.0
            for axis in range(axes):
                step = values[i, axis] - centres[k, axis]
                distance += abs(step) if absolute else step * step
            if distance < nearest:
                best, nearest, second = k, distance, nearest
            elif distance < second:
                second = distance
        upper[i] = nearest if absolute else np.sqrt(nearest)
        lower[i] = second if absolute else np.sqrt(second)
        if best == own:
            continue
        labels[i] = best
        sizes[best] += counts[i]
        for axis in range(axes):
            sums[best, axis] += counts[i] * values[i, axis]
        if own != NOBODY:
            sizes[own] -= counts[i]
            for axis in range(axes):
                sums[own, axis] -= counts[i] * values[i, axis]
