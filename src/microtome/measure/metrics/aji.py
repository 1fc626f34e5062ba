"""The aggregated Jaccard index of objects: as first defined, where predictions are used again, and one to one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from microtome.measure.metrics.assignment import assignment
from microtome.measure.metrics.matching import Overlaps

__all__ = ["aji", "aji_plus"]


def aji(found: Overlaps) -> float:
    """Shared pixels over joint pixels of each true object with the prediction of its best IoU.

    Parameters
    ----------
    found : Overlaps

    Returns
    -------
    float
        1 where neither side has an object, 0 where one side has none.

    Notes
    -----
    A prediction may serve several true objects, and is counted in the union each time. The pixels of objects that no pair holds, on
    either side, are added to the union. Of predictions with equal IoU the one with the smallest number is taken (the paper does not say).

    References
    ----------
    N. Kumar et al., IEEE Transactions on Medical Imaging 36(7), 2017, 1550-1560, algorithm 1, doi:10.1109/TMI.2017.2677499.

    Examples
    --------
    >>> from microtome.measure.metrics.matching import overlaps
    >>> aji(overlaps(np.array([[1, 1, 1, 1]]), np.array([[1, 1, 2, 2]])))
    0.5
    """
    order = np.lexsort((found.pred, -found.iou, found.truth))
    best = order[np.unique(found.truth[order], return_index=True)[1]]
    return _aggregated(found, best)


def aji_plus(found: Overlaps) -> float:
    """Shared pixels over joint pixels of objects paired one to one, so that the sum of their IoU is greatest.

    Parameters
    ----------
    found : Overlaps

    Returns
    -------
    float
        1 where neither side has an object, 0 where one side has none.

    Notes
    -----
    What is left over on either side adds its pixels to the union. It is the IoU that the authors' code maximises; where several choices
    have the same sum, any of them may be taken. `aji_plus` is mostly, but not always, the smaller: a true object that only a far larger,
    already taken prediction touches adds both areas to the union of `aji`, and only its own here.

    References
    ----------
    S. Graham et al., Medical Image Analysis 58, 2019, 101563, doi:10.1016/j.media.2019.101563, and its code (get_fast_aji_plus).

    Examples
    --------
    >>> from microtome.measure.metrics.matching import overlaps
    >>> aji_plus(overlaps(np.array([[1, 1, 1, 1]]), np.array([[1, 1, 2, 2]])))
    0.3333333333333333
    """
    return _aggregated(found, assignment(found.truth, found.pred, found.iou))


def _aggregated(found: Overlaps, pairs: NDArray[np.int64]) -> float:
    t, p, shared = found.truth[pairs], found.pred[pairs], int(found.shared[pairs].sum())
    alone = np.delete(found.truth_areas, t).sum() + np.delete(found.pred_areas, p).sum()
    joint = int(found.truth_areas[t].sum() + found.pred_areas[p].sum() + alone) - shared
    return shared / joint if joint else 1.0
