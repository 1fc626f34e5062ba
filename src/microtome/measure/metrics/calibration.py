"""Whether confidences are as high as the share that is correct: the reliability table, expected and greatest error, Brier score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from microtome.core.errors import InputError, RecipeError

__all__ = ["BINS", "Reliability", "brier", "ece", "mce", "reliability"]

BINS = 15


@dataclass(frozen=True, eq=False)
class Reliability:
    """Predictions by the confidence they were made with. Those of several images add up with ``+`` where their bins are the same.

    Attributes
    ----------
    edges : ndarray of float64, shape (B + 1,)
        The bins' bounds, 0 to 1.
    closed : {"right", "left"}
        Which bound belongs to a bin: (low, high] or [low, high).
    count : ndarray of int64, shape (B,)
        Predictions in each bin.
    correct : ndarray of int64, shape (B,)
        How many of them were correct.
    summed : ndarray of float64, shape (B,)
        The sum of their confidences.
    squared : float
        The sum over all predictions of (confidence - correct) squared.
    """

    edges: NDArray[np.float64]
    closed: Literal["right", "left"]
    count: NDArray[np.int64]
    correct: NDArray[np.int64]
    summed: NDArray[np.float64]
    squared: float

    @property
    def confidence(self) -> NDArray[np.float64]:
        """The mean confidence in each bin; nan in an empty one."""
        return self.summed / np.where(self.count, self.count, np.nan)

    @property
    def accuracy(self) -> NDArray[np.float64]:
        """The share correct in each bin; nan in an empty one."""
        return self.correct / np.where(self.count, self.count, np.nan)

    def __add__(self, other: Reliability) -> Reliability:
        """Both together."""
        if self.closed != other.closed or not np.array_equal(self.edges, other.edges):
            raise InputError("reliability tables add up where both have the same bins, closed on the same side")
        return Reliability(self.edges, self.closed, self.count + other.count, self.correct + other.correct,
                           self.summed + other.summed, self.squared + other.squared)  # fmt: skip


def reliability(confidence: ArrayLike, correct: ArrayLike, *, bins: int = BINS, closed: Literal["right", "left"] = "right") -> Reliability:
    """Sort predictions into bins of equal width by their confidence.

    Parameters
    ----------
    confidence : ndarray of float, any shape
        0 to 1: the probability of the class that was chosen; or, for one class against the rest, that class's probability.
    correct : ndarray of bool, or of integers 0 and 1; same shape
        Whether the choice is right; or, for one class against the rest, whether the pixel is of that class.
    bins : int
        15, as in the paper, or another number.
    closed : {"right", "left"}
        Bins (low, high], the first one with 0 (default); or [low, high), the last one with 1. The values below depend on it.

    Returns
    -------
    Reliability

    Raises
    ------
    InputError
        If the shapes differ, a confidence is NaN or outside 0 to 1, or `correct` has other values than 0 and 1.
    RecipeError
        If there is no whole number of bins from 1 up, or `closed` is neither side.

    References
    ----------
    C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, International Conference on Machine Learning, 2017, PMLR 70, 1321-1330, section 2.

    Examples
    --------
    >>> table = reliability(np.array([0.95, 0.85, 0.9, 0.65]), np.array([1, 1, 0, 1]), bins=10)
    >>> table.count[6:].tolist(), table.correct[6:].tolist()
    ([1, 0, 2, 1], [1, 0, 1, 1])
    """
    if bins != int(bins) or bins < 1:
        raise RecipeError(f"bins {bins}: a whole number from 1 up is expected")
    if closed not in ("right", "left"):
        raise RecipeError(f"closed {closed!r}; known: left, right")
    confidence, correct = np.asarray(confidence), np.asarray(correct)
    _check(confidence, correct)
    values, right = confidence.reshape(-1), correct.reshape(-1) == 1
    edges = np.arange(bins + 1) / bins
    # In the confidences' own precision: 0.7 as float32 lies on the edge 0.7, not beside it.
    place = np.searchsorted(edges[1:-1].astype(values.dtype), values, side="left" if closed == "right" else "right")
    wide = values.astype(np.float64, copy=False)
    return Reliability(
        edges,
        closed,
        np.bincount(place, minlength=bins),
        np.bincount(place[right], minlength=bins),
        np.bincount(place, wide, minlength=bins).astype(np.float64, copy=False),
        float(np.sum((wide - right) ** 2)),
    )


def ece(table: Reliability) -> float:
    """The expected calibration error: the gap between share correct and mean confidence, averaged over predictions; nan without any.

    Empty bins are skipped. The value depends on the bins, and on which side they are closed.

    Examples
    --------
    >>> round(ece(reliability(np.array([0.9, 0.9, 0.9, 0.9]), np.array([1, 1, 1, 0]))), 6)
    0.15
    """
    whole = int(table.count.sum())
    return float(np.sum(np.abs(table.correct - table.summed))) / whole if whole else float("nan")


def mce(table: Reliability) -> float:
    """The maximum calibration error: the widest gap of any bin that is not empty; nan without predictions."""
    used = table.count > 0
    return float(np.abs(table.accuracy - table.confidence)[used].max()) if used.any() else float("nan")


def brier(table: Reliability) -> float:
    """The Brier score: the mean of (confidence - correct) squared, whatever the bins; 0 is best; nan without predictions.

    Over one probability a pixel. Brier's own sum over both classes is twice this.

    References
    ----------
    G. W. Brier, Monthly Weather Review 78(1), 1950, 1-3.
    """
    whole = int(table.count.sum())
    return table.squared / whole if whole else float("nan")


def _check(confidence: NDArray[Any], correct: NDArray[Any]) -> None:
    if confidence.shape != correct.shape:
        raise InputError(f"confidences of shape {confidence.shape} and answers of {correct.shape}: one answer for each is expected")
    if confidence.dtype.kind != "f":
        raise InputError(f"confidences of {confidence.dtype}: floats from 0 to 1 are expected")
    outside = ~((confidence >= 0) & (confidence <= 1))
    if outside.any():
        place = tuple(int(k) for k in np.argwhere(outside)[0])
        raise InputError(f"{np.count_nonzero(outside)} confidences are outside 0 to 1, the first {confidence[place]} at {place}; "
                         "give probabilities, such as a softmax of the logits")  # fmt: skip
    if correct.dtype != bool and not np.isin(correct, (0, 1)).all():
        raise InputError("whether a prediction is correct is 1 or 0, found other values; compare the prediction with the truth first")
