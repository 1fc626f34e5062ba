"""Accuracy, IoU and Dice of classes, from a confusion."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
from numpy.typing import NDArray

from microtome.measure.metrics.confusion import Confusion

__all__ = ["dice", "iou", "mean_acc", "miou_image", "miou_set", "pa"]


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

    Examples
    --------
    >>> from microtome.measure.metrics.confusion import confusion
    >>> iou(confusion(np.array([[0, 1, 1, 1]]), np.array([[0, 0, 1, 1]])))
    {0: 0.5, 1: 0.6666666666666666}
    """
    right = np.diag(confusion.counts)
    return _by_class(confusion, right, confusion.truth_pixels + confusion.pred_pixels - right)


def dice(confusion: Confusion) -> dict[int, float]:
    """2 TP / (2 TP + FP + FN) by class. A class absent on both sides is left out."""
    return _by_class(confusion, 2 * np.diag(confusion.counts), confusion.truth_pixels + confusion.pred_pixels)


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
