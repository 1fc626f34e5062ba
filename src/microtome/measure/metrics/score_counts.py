"""How many pixels of the foreground, and of the background, have each score: what ROC and precision-recall are drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from microtome.core.errors import InputError

__all__ = ["ScoreCounts", "score_counts"]


@dataclass(frozen=True, eq=False)
class ScoreCounts:
    """Pixels by score. Those of several images add up with ``+``.

    Attributes
    ----------
    scores : ndarray of float32 or float64, shape (K,)
        The scores that occur, descending; equal scores stand once.
    positives, negatives : ndarray of int64, shape (K,)
        How many pixels of the truth's foreground and background have each score.
    """

    scores: NDArray[Any]
    positives: NDArray[np.int64]
    negatives: NDArray[np.int64]

    @property
    def one_sided(self) -> bool:
        """Whether the truth has only foreground, only background, or no pixel at all."""
        return not self.positives.any() or not self.negatives.any()

    def __add__(self, other: ScoreCounts) -> ScoreCounts:
        """Both together, over the scores of either."""
        ascending, place = np.unique(np.concatenate([self.scores, other.scores]), return_inverse=True)
        positives, negatives = np.zeros(len(ascending), np.int64), np.zeros(len(ascending), np.int64)
        np.add.at(positives, place, np.concatenate([self.positives, other.positives]))
        np.add.at(negatives, place, np.concatenate([self.negatives, other.negatives]))
        return ScoreCounts(ascending[::-1], positives[::-1], negatives[::-1])


def score_counts(scores: ArrayLike, truth: ArrayLike, *, mask: NDArray[np.bool_] | None = None) -> ScoreCounts:
    """Count the pixels of foreground and background at each score.

    Parameters
    ----------
    scores : ndarray of floats or integers, any shape
        The higher, the more likely foreground; on any scale. Infinite scores are the first or the last.
    truth : ndarray of bool, or of integers 0 and 1; same shape
    mask : ndarray of bool, same shape, optional
        Only these pixels, such as the field of view of a fundus camera.

    Returns
    -------
    ScoreCounts

    Raises
    ------
    InputError
        If the shapes differ, a score is NaN or an integer above 2**53, the scores are no real numbers, or the truth has values other
        than 0 and 1.

    Examples
    --------
    >>> found = score_counts(np.array([0.1, 0.4, 0.35, 0.8, 0.4, 0.2]), np.array([0, 0, 1, 1, 1, 0]))
    >>> found.scores.tolist(), found.positives.tolist(), found.negatives.tolist()
    ([0.8, 0.4, 0.35, 0.2, 0.1], [1, 1, 1, 0, 0], [0, 1, 0, 1, 1])
    """
    scores, truth = np.asarray(scores), np.asarray(truth)
    _check_shapes(scores, truth, mask)
    kept, right = (scores.reshape(-1), truth.reshape(-1)) if mask is None else (scores[mask], truth[mask])
    foreground = _foreground(right)
    values = _exact(kept)
    if values.dtype.kind == "f" and np.isnan(values).any():
        _refuse_nan(scores, mask)
    return ScoreCounts(*_counts(np.sort(values[foreground]), np.sort(values[~foreground])))


def _check_shapes(scores: NDArray[Any], truth: NDArray[Any], mask: NDArray[np.bool_] | None) -> None:
    if scores.shape != truth.shape:
        raise InputError(f"the scores have shape {scores.shape} and the truth {truth.shape}: both must cover the same pixels")
    if mask is not None and (mask.shape != truth.shape or mask.dtype != bool):
        raise InputError(f"the mask is {mask.dtype} of shape {mask.shape}: bool of the truth's shape {truth.shape} is expected")


def _exact(scores: NDArray[Any]) -> NDArray[np.float32] | NDArray[np.float64]:
    """The scores in the narrower of the two dtypes that are counted in that holds every one exactly."""
    if scores.dtype.kind not in "buif" or scores.dtype.itemsize > 8:
        raise InputError(f"scores of {scores.dtype}: floats or integers up to 64 bits are expected")
    if np.can_cast(scores.dtype, np.float32):
        return scores.astype(np.float32, copy=False)
    if scores.dtype.kind in "ui" and scores.size and max(-int(scores.min()), int(scores.max())) > 1 << 53:
        raise InputError(
            f"scores from {scores.min()} to {scores.max()}: integers up to 2**53 are expected; above, some would count as equal"
        )
    return scores.astype(np.float64, copy=False)


def _foreground(truth: NDArray[Any]) -> NDArray[np.bool_]:
    if truth.dtype == bool:
        return truth
    foreground = truth == 1
    other = truth[~foreground & (truth != 0)]
    if len(other):
        raise InputError(f"the truth must be 1 for foreground and 0 for background, found {other[0]} and {len(other) - 1} more of these; "
                         "compare with the class that the scores are for: truth == class")  # fmt: skip
    return foreground


def _refuse_nan(scores: NDArray[Any], mask: NDArray[np.bool_] | None) -> None:
    bad = np.isnan(scores) if mask is None else np.isnan(scores) & mask
    place = tuple(int(k) for k in np.argwhere(bad)[0])
    raise InputError(f"{np.count_nonzero(bad)} scores are NaN, the first at {place}; a pixel without a score must be left out by the mask")


@njit(cache=True, nogil=True)
def _counts(positive: NDArray[Any], negative: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64]]:
    """Merge two ascending lists of scores from their ends."""
    most = len(positive) + len(negative)
    scores = np.empty(most, positive.dtype)
    positives, negatives = np.zeros(most, np.int64), np.zeros(most, np.int64)
    p, n, k = len(positive) - 1, len(negative) - 1, 0
    while p >= 0 or n >= 0:
        score = positive[p] if n < 0 or (p >= 0 and positive[p] > negative[n]) else negative[n]
        scores[k] = score
        while p >= 0 and positive[p] == score:
            positives[k] += 1
            p -= 1
        while n >= 0 and negative[n] == score:
            negatives[k] += 1
            n -= 1
        k += 1
    return scores[:k].copy(), positives[:k].copy(), negatives[:k].copy()
