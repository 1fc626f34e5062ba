"""Accuracy, IoU, Dice, precision, recall and agreement of classes, from a confusion."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
from numpy.typing import NDArray

from microtome.measure.metrics.confusion import Confusion

__all__ = ["dice", "fwiou", "iou", "kappa", "mcc", "mean_acc", "miou_image", "miou_set", "pa", "precision", "recall"]


def pa(confusion: Confusion) -> float:
    """Pixel accuracy: the share of valid pixels given to their true class; nan without valid pixels."""
    whole = int(confusion.truth_pixels.sum())
    return int(np.trace(confusion.counts)) / whole if whole else float("nan")


def mean_acc(confusion: Confusion) -> float:
    """The share of each class's pixels that was found, averaged over the classes the truth has; nan without valid pixels."""
    truth = confusion.truth_pixels
    there = truth > 0
    return float(np.mean(np.diag(confusion.counts)[there] / truth[there])) if there.any() else float("nan")


def iou(confusion: Confusion) -> dict[int, float]:
    """TP / (TP + FP + FN) by class. A class absent on both sides is left out.

    References
    ----------
    P. Jaccard, New Phytologist 11(2), 1912, 37-50, doi:10.1111/j.1469-8137.1912.tb05611.x.

    Examples
    --------
    >>> from microtome.measure.metrics.confusion import confusion
    >>> iou(confusion(np.array([[0, 1, 1, 1]]), np.array([[0, 0, 1, 1]])))
    {0: 0.5, 1: 0.6666666666666666}
    """
    right = np.diag(confusion.counts)
    return _by_class(confusion, right, confusion.truth_pixels + confusion.pred_pixels - right)


def dice(confusion: Confusion) -> dict[int, float]:
    """2 TP / (2 TP + FP + FN) by class, which is its F1. A class absent on both sides is left out.

    References
    ----------
    L. R. Dice, Ecology 26(3), 1945, 297-302, doi:10.2307/1932409.
    """
    return _by_class(confusion, 2 * np.diag(confusion.counts), confusion.truth_pixels + confusion.pred_pixels)


def precision(confusion: Confusion) -> dict[int, float]:
    """TP / (TP + FP) by class, over the classes present on either side; nan for one that was never predicted.

    Examples
    --------
    >>> from microtome.measure.metrics.confusion import confusion
    >>> precision(confusion(np.array([[1, 1, 1, 1]]), np.array([[0, 0, 0, 1]])))
    {0: nan, 1: 0.25}
    """
    return _found(confusion, confusion.pred_pixels)


def recall(confusion: Confusion) -> dict[int, float]:
    """TP / (TP + FN) by class, over the classes present on either side; nan for one that the truth lacks."""
    return _found(confusion, confusion.truth_pixels)


def _found(confusion: Confusion, of: NDArray[np.int64]) -> dict[int, float]:
    there = confusion.truth_pixels + confusion.pred_pixels > 0
    right = np.diag(confusion.counts)
    return {
        value: int(a) / int(b) if b else float("nan") for value, a, b, kept in zip(confusion.classes, right, of, there, strict=True) if kept
    }


def fwiou(confusion: Confusion) -> float:
    """The mean of `iou` weighted by the pixels each class has in the truth; nan without valid pixels."""
    by_class, truth = iou(confusion), dict(zip(confusion.classes, confusion.truth_pixels.tolist(), strict=True))
    whole = sum(truth.values())
    return sum(truth[value] * number for value, number in by_class.items()) / whole if whole else float("nan")


def kappa(confusion: Confusion) -> float:
    """Cohen's kappa: accuracy less what chance gives, over the most it could be; nan where chance alone gives full agreement.

    Pixels without a valid prediction count as wrong.

    References
    ----------
    J. Cohen, Educational and Psychological Measurement 20(1), 1960, 37-46, doi:10.1177/001316446002000104.
    """
    right, whole, truth, pred = _totals(confusion)
    chance = sum(t * p for t, p in zip(truth, pred, strict=True))
    under = whole * whole - chance
    return (right * whole - chance) / under if under else float("nan")


def mcc(confusion: Confusion) -> float:
    """The Matthews correlation coefficient over all classes (R_K); nan where the truth or the prediction has one class only.

    Pixels without a valid prediction count as wrong, as if they were given to a class of their own. scikit-learn gives 0 for nan.

    References
    ----------
    J. Gorodkin, Computational Biology and Chemistry 28(5-6), 2004, 367-374, doi:10.1016/j.compbiolchem.2004.09.006.
    """
    right, whole, truth, pred = _totals(confusion)
    both = sum(t * p for t, p in zip(truth, pred, strict=True))
    spread_truth = whole * whole - sum(t * t for t in truth)
    spread_pred = whole * whole - sum(p * p for p in pred) - int(confusion.unanswered.sum()) ** 2
    under = (spread_truth * spread_pred) ** 0.5
    return (right * whole - both) / under if under else float("nan")


def _totals(confusion: Confusion) -> tuple[int, int, list[int], list[int]]:
    """Pixels that are right, all valid pixels, and those of each class on each side, in whole numbers of any size."""
    truth, pred = confusion.truth_pixels.tolist(), confusion.pred_pixels.tolist()
    return int(np.trace(confusion.counts)), sum(truth), truth, pred


def _by_class(confusion: Confusion, over: NDArray[np.int64], under: NDArray[np.int64]) -> dict[int, float]:
    return {value: int(a) / int(b) for value, a, b in zip(confusion.classes, over, under, strict=True) if b}


def miou_set(confusion: Confusion, *, classes: Collection[int] | None = None) -> float:
    """The mean of `iou` over the classes present on either side, over the pooled confusion of a set; 1 where none is present.

    Parameters
    ----------
    confusion : Confusion
        The sum over all images.
    classes : collection of int, optional
        Only these, such as ``(1,)`` for the foreground alone. By default every class, the background too.
    """
    found = [value for c, value in iou(confusion).items() if classes is None or c in classes]
    return sum(found) / len(found) if found else 1.0


def miou_image(confusions: Iterable[Confusion], *, classes: Collection[int] | None = None, empty: float | None = 1.0) -> float:
    """`miou_set` of each image, then the mean over images.

    Parameters
    ----------
    confusions : iterable of Confusion
        One an image.
    classes : collection of int, optional
        Only these. By default every class, the background too.
    empty : float or None
        The value of an image where none of the classes is on either side; None leaves such images out.
    """
    values = []
    for one in confusions:
        found = [value for c, value in iou(one).items() if classes is None or c in classes]
        if found or empty is not None:
            values.append(sum(found) / len(found) if found else float(empty or 0))
    return sum(values) / len(values) if values else float("nan")
