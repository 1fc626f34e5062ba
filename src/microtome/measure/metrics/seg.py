"""SEG of the Cell Tracking Challenge: how well each true object is covered, whatever else was predicted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from microtome.measure.metrics.matching import Overlaps

__all__ = ["seg", "seg_each"]


def seg(found: Overlaps) -> float:
    """The mean of `seg_each` over the objects of the truth; nan where the truth has none.

    Notes
    -----
    Predictions that cover no object cost nothing. The challenge averages over the objects of all frames: put the `seg_each` of a set
    together, and take one mean.

    References
    ----------
    M. Maška et al., Bioinformatics 30(11), 2014, 1609-1617, section 2.4, doi:10.1093/bioinformatics/btu080.

    Examples
    --------
    >>> from microtome.measure.metrics.matching import overlaps
    >>> seg(overlaps(np.array([[1, 1, 0, 2]]), np.array([[3, 3, 3, 4]])))
    0.8333333333333333
    """
    values = seg_each(found)
    return float(values.mean()) if len(values) else float("nan")


def seg_each(found: Overlaps) -> NDArray[np.float64]:
    """For each object of the truth the IoU with the prediction that covers more than half of it; 0 where there is none.

    Returns
    -------
    ndarray of float64
        In the order of ``found.truth_ids``. No more than one prediction can cover more than half of an object.
    """
    values = np.zeros(len(found.truth_ids))
    most = 2 * found.shared > found.truth_areas[found.truth]
    values[found.truth[most]] = found.iou[most]
    return values
