"""Precision against recall of scores: the curve, and the average precision."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from microtome.measure.metrics.score_counts import ScoreCounts

__all__ = ["PrecisionRecall", "ap_pixel", "precision_recall"]


class PrecisionRecall(NamedTuple):
    """One point for each score that occurs, from the strictest threshold to the one that takes every pixel.

    Attributes
    ----------
    precision : ndarray of float64
        Of the pixels at or above the threshold, the share that is foreground in truth.
    recall : ndarray of float64
        Of the foreground in truth, the share at or above the threshold; nan where there is none.
    thresholds : ndarray of float
        Descending.
    """

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    thresholds: NDArray[Any]


def precision_recall(counts: ScoreCounts) -> PrecisionRecall:
    """The curve, for drawing: recall ascends. scikit-learn gives it in reverse, with a point (1, 0) added.

    Examples
    --------
    >>> from microtome.measure.metrics.score_counts import score_counts
    >>> curve = precision_recall(score_counts(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1])))
    >>> curve.recall.tolist(), curve.precision.round(3).tolist()
    ([0.5, 0.5, 1.0, 1.0], [1.0, 0.5, 0.667, 0.5])
    """
    tp, fp = np.cumsum(counts.positives), np.cumsum(counts.negatives)
    return PrecisionRecall(tp / (tp + fp), tp / (int(counts.positives.sum()) or np.nan), counts.scores)


def ap_pixel(counts: ScoreCounts) -> float:
    """Average precision: the precision at each threshold, weighted by the recall it adds.

    Not the area under straight lines between the points, which promises too much. nan where the truth has one class only.

    References
    ----------
    J. Davis and M. Goadrich, International Conference on Machine Learning, 2006, 233-240, doi:10.1145/1143844.1143874, on what lies
    between the points.

    Examples
    --------
    >>> from microtome.measure.metrics.score_counts import score_counts
    >>> round(ap_pixel(score_counts(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1]))), 6)
    0.833333
    """
    if counts.one_sided:
        return float("nan")
    precision = precision_recall(counts).precision
    return float(np.sum(counts.positives * precision)) / int(counts.positives.sum())
