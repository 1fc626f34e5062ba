"""Several rings as one, joined by bridges of no width, for formats that hold a single ring an object."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["bridged"]

Ring = NDArray[np.float64]


def bridged(rings: Sequence[Ring]) -> Ring:
    """One ring that encloses the same area under the even-odd rule: from ring to ring and back between their nearest corners.

    Parameters
    ----------
    rings : sequence of ndarray of float64, shape (N, 2)
        At least one; they do not overlap.

    Returns
    -------
    ndarray of float64, shape (M, 2)
        A bridge is walked twice, so what one walk turns the other turns back.

    Examples
    --------
    >>> square = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0]])
    >>> bridged([square, square + (0, 3)])[:, 1].tolist()
    [0.0, 1.0, 3.0, 4.0, 4.0, 3.0, 3.0, 1.0, 1.0, 0.0]
    """
    from scipy.spatial import cKDTree

    whole = rings[0]
    for ring in rings[1:]:
        far, nearest = (np.atleast_1d(found) for found in cKDTree(whole).query(ring))
        there = int(far.argmin())
        here = int(nearest[there])
        whole = np.concatenate([whole[: here + 1], ring[there:], ring[: there + 1], whole[here:]])
    return whole
