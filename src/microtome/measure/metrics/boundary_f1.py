"""Boundary F1: how many boundary pixels of the prediction lie near the truth's, and of the truth near the prediction's."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import hypot

import numpy as np
from numpy.typing import ArrayLike

from microtome.measure.metrics._same_pixels import same_pixels
from microtome.measure.metrics.surface_distances import SurfaceDistances, checked_spacing, surface_distances, within

__all__ = ["boundary_f1", "boundary_f1_by_class", "default_tolerance"]


def default_tolerance(shape: tuple[int, ...], spacing: Sequence[float] | None = None) -> float:
    """0.75 % of the diagonal, in the unit of the spacing; an InputError where the spacing does not fit the shape.

    >>> default_tolerance((300, 400))
    3.75
    """
    return 0.0075 * hypot(*(extent * step for extent, step in zip(shape, checked_spacing(shape, spacing), strict=True)))


def boundary_f1(distances: SurfaceDistances, tolerance: float) -> float:
    """The harmonic mean of precision and recall of boundary pixels within a tolerance.

    Parameters
    ----------
    distances : SurfaceDistances
        Of one class: `surface_distances` of the prediction and the truth.
    tolerance : float
        In the unit of the spacing, 0 or more; usually `default_tolerance`.

    Returns
    -------
    float
        1 where both sides are empty, 0 where one is.

    Raises
    ------
    RecipeError
        If the tolerance is below 0 or not finite.

    References
    ----------
    G. Csurka, D. Larlus and F. Perronnin, British Machine Vision Conference, 2013, 32.1-32.11, doi:10.5244/C.27.32.

    Examples
    --------
    >>> truth = np.zeros((12, 12), bool)
    >>> truth[3:9, 4:10] = True
    >>> found = surface_distances(np.roll(truth, (-1, -2), (0, 1)), truth)
    >>> [round(boundary_f1(found, t), 2) for t in (0, 1, 2)]
    [0.1, 0.55, 0.95]
    """
    near_pred, near_truth = within(distances.pred, tolerance), within(distances.truth, tolerance)
    if not len(near_pred) or not len(near_truth):
        return float(len(near_pred) == len(near_truth))
    precision, recall = float(near_pred.mean()), float(near_truth.mean())
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def boundary_f1_by_class(
    pred: ArrayLike,
    truth: ArrayLike,
    *,
    tolerance: float | None = None,
    spacing: Sequence[float] | None = None,
    ignore: Collection[int] = (),
) -> dict[int, float]:
    """`boundary_f1` of each class of two class maps.

    Parameters
    ----------
    pred, truth : ndarray of integers, axes yx or zyx, same shape
    tolerance : float, optional
        In the unit of the spacing. By default `default_tolerance`: 0.75 % of the diagonal.
    spacing : sequence of float, optional
        The distance between pixel centres along each axis. By default 1.
    ignore : collection of int
        Values that are no class. Pixels whose truth is one of them have no boundary and make none.

    Returns
    -------
    dict of int to float
        The background too. A class absent on both sides is left out.

    Raises
    ------
    InputError
        If the shapes or the spacing do not fit, or a map holds no whole numbers.
    RecipeError
        If the tolerance is below 0 or not finite.

    Notes
    -----
    The frame's pixels are boundary, as in `surface_distances`. MATLAB's bfscore has the same default tolerance.

    Examples
    --------
    >>> truth = np.zeros((40, 40), np.uint8)
    >>> truth[8:30, 8:30] = 1
    >>> boundary_f1_by_class(truth, truth)
    {0: 1.0, 1: 1.0}
    """
    pred, truth = same_pixels(pred, truth)
    ignored = np.isin(truth, list(ignore)) if ignore else None
    compared = ... if ignored is None else ~ignored
    classes = sorted({*np.unique(pred[compared]).tolist(), *np.unique(truth[compared]).tolist()} - set(ignore))
    near = default_tolerance(truth.shape, spacing) if tolerance is None else tolerance
    return {
        value: boundary_f1(surface_distances(pred == value, truth == value, spacing=spacing, ignored=ignored), near) for value in classes
    }
