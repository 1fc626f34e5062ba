"""Variation of information between two partitions, in bits, by its two halves: what is split too often, what is merged."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from microtome.measure.metrics.contingency import Contingency

__all__ = ["voi_merge", "voi_split"]


def voi_split(table: Contingency) -> float:
    """H(prediction | truth) in bits: what the prediction cuts within the truth's objects. 0 is best, and the value without pixels.

    All pixels count, and each label, the background's 0 too, is one cluster.

    References
    ----------
    M. Meilă, Journal of Multivariate Analysis 98(5), 2007, 873-895, doi:10.1016/j.jmva.2006.11.013.

    Examples
    --------
    One object in two halves:

    >>> from microtome.measure.metrics.contingency import contingency
    >>> voi_split(contingency(np.array([[1, 1, 2, 2]]), np.array([[1, 1, 1, 1]])))
    1.0
    """
    return _conditional(table, "truth")


def voi_merge(table: Contingency) -> float:
    """H(truth | prediction) in bits: what the prediction joins of the truth. 0 is best, and the value without pixels.

    Counted as `voi_split`; the sum of the two is the variation of information.

    Examples
    --------
    Two objects merged into one:

    >>> from microtome.measure.metrics.contingency import contingency
    >>> voi_merge(contingency(np.array([[1, 1, 1, 1]]), np.array([[1, 1, 2, 2]])))
    1.0
    """
    return _conditional(table, "pred")


def _conditional(table: Contingency, given: str) -> float:
    """The entropy in bits of the other side where one is known."""
    labels, areas = table.areas(given)
    own: NDArray[np.int32] = getattr(table, given)
    shared = areas[np.searchsorted(labels, own)]
    share = table.pixels / max(1, int(table.pixels.sum()))
    return float(np.sum(share * np.log2(shared / table.pixels)))
