"""The receiver operating characteristic of scores: the curve, and the area under it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from microtome.measure.metrics.score_counts import ScoreCounts

__all__ = ["Roc", "roc", "roc_auc"]


class Roc(NamedTuple):
    """One point for each score that occurs, from (0, 0), where nothing is foreground, to (1, 1), where all is.

    Attributes
    ----------
    fpr, tpr : ndarray of float64
        The shares of the background and of the foreground at or above the threshold; nan where the truth has none.
    thresholds : ndarray of float
        Descending, the first one infinite.
    """

    fpr: NDArray[np.float64]
    tpr: NDArray[np.float64]
    thresholds: NDArray[Any]


def roc(counts: ScoreCounts) -> Roc:
    """The curve, for drawing: `thresholds` are those where ``score >= threshold`` changes.

    Examples
    --------
    >>> from microtome.measure.metrics.score_counts import score_counts
    >>> curve = roc(score_counts(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1])))
    >>> curve.fpr.tolist(), curve.tpr.tolist()
    ([0.0, 0.0, 0.5, 0.5, 1.0], [0.0, 0.5, 0.5, 1.0, 1.0])
    """
    return Roc(_share(counts.negatives), _share(counts.positives), np.concatenate([[np.inf], counts.scores]))


def roc_auc(counts: ScoreCounts) -> float:
    """The area under the ROC curve: how often a foreground pixel scores higher than a background pixel, equal scores counting half.

    nan where the truth has one class only.

    References
    ----------
    J. A. Hanley and B. J. McNeil, Radiology 143(1), 1982, 29-36, doi:10.1148/radiology.143.1.7063747.

    Examples
    --------
    >>> from microtome.measure.metrics.score_counts import score_counts
    >>> roc_auc(score_counts(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1])))
    0.75
    """
    if counts.one_sided:
        return float("nan")
    higher = np.cumsum(counts.positives) - counts.positives
    # Twice the pairs won, in whole numbers: exact up to some four thousand million pixels.
    won = int(np.sum(counts.negatives * (2 * higher + counts.positives)))
    return won / (2 * int(counts.positives.sum()) * int(counts.negatives.sum()))


def _share(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    whole = int(counts.sum())
    return np.concatenate([[0], np.cumsum(counts)]) / (whole or np.nan)
