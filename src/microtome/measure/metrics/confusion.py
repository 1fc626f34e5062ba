"""Truth by prediction: how many pixels of each class were given to each class."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.measure.metrics.contingency import contingency

__all__ = ["Confusion", "confusion"]


@dataclass(frozen=True, eq=False)
class Confusion:
    """Pixels by true and predicted class. Confusions of several images add up with ``+``.

    Attributes
    ----------
    classes : tuple of int
        The class values, ascending.
    counts : ndarray of int64, shape (C, C)
        Row: truth; column: prediction.
    unanswered : ndarray of int64, shape (C,)
        Pixels of each true class whose prediction is an ignored value: they are wrong, and no class's false positives.
    """

    classes: tuple[int, ...]
    counts: NDArray[np.int64]
    unanswered: NDArray[np.int64]

    @property
    def truth_pixels(self) -> NDArray[np.int64]:
        """The pixels each class has in the truth."""
        return self.counts.sum(axis=1) + self.unanswered

    @property
    def pred_pixels(self) -> NDArray[np.int64]:
        """The valid pixels each class has in the prediction."""
        return self.counts.sum(axis=0)

    def __add__(self, other: Confusion) -> Confusion:
        """Both together, over the classes of either."""
        classes = tuple(sorted({*self.classes, *other.classes}))
        counts, unanswered = np.zeros((len(classes), len(classes)), np.int64), np.zeros(len(classes), np.int64)
        for one in (self, other):
            place = np.searchsorted(classes, one.classes)
            counts[np.ix_(place, place)] += one.counts
            unanswered[place] += one.unanswered
        return Confusion(classes, counts, unanswered)


def confusion(pred: NDArray[Any], truth: NDArray[Any], *, ignore: Collection[int] = ()) -> Confusion:
    """Count pixels by true and predicted class.

    Parameters
    ----------
    pred, truth : ndarray of integers, same shape
    ignore : collection of int
        Values that are no class. Pixels whose truth is one of them are left out; a prediction of one of them is wrong.

    Returns
    -------
    Confusion
        Over the classes that occur on either side of the valid pixels.

    Raises
    ------
    InputError
        If the shapes differ.

    Examples
    --------
    >>> confusion(np.array([[0, 1, 1, 1]]), np.array([[0, 0, 1, 255]]), ignore=(255,)).counts.tolist()
    [[1, 1], [0, 1]]
    """
    table = contingency(pred, truth)
    valid = ~np.isin(table.truth, list(ignore))
    t, p, pixels = table.truth[valid], table.pred[valid], table.pixels[valid]
    answered = ~np.isin(p, list(ignore))
    classes = np.union1d(t, p[answered])
    counts, unanswered = np.zeros((len(classes), len(classes)), np.int64), np.zeros(len(classes), np.int64)
    rows = np.searchsorted(classes, t)
    counts[rows[answered], np.searchsorted(classes, p[answered])] = pixels[answered]
    np.add.at(unanswered, rows[~answered], pixels[~answered])
    return Confusion(tuple(classes.tolist()), counts, unanswered)
