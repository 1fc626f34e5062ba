"""How far apart the surfaces of two masks are: Hausdorff distance, its 95th percentile, the mean, and the share within a tolerance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from microtome.core.errors import InputError, RecipeError
from microtome.measure.metrics._same_pixels import same_pixels
from microtome.measure.metrics.surfaces import nearest, surface

__all__ = ["SurfaceDistances", "assd", "checked_spacing", "hd", "hd95", "nsd", "surface_distances", "within"]


@dataclass(frozen=True, eq=False)
class SurfaceDistances:
    """From each pixel of one side's surface, the distance to the other side's; infinite where the other side is empty.

    Attributes
    ----------
    pred, truth : ndarray of float64
        One for each pixel of that side's surface, in raster order, in the unit of the spacing; empty where that side is.
    """

    pred: NDArray[np.float64]
    truth: NDArray[np.float64]

    @property
    def both(self) -> NDArray[np.float64]:
        """The distances of both sides, one after the other."""
        return np.concatenate([self.pred, self.truth])


def surface_distances(
    pred: ArrayLike, truth: ArrayLike, *, spacing: Sequence[float] | None = None, ignored: NDArray[np.bool_] | None = None
) -> SurfaceDistances:
    """Measure from surface to surface, in both directions.

    Parameters
    ----------
    pred, truth : ndarray of bool or integers, axes yx or zyx, same shape
        One object, or everything of one class; other than 0 is inside.
    spacing : sequence of float, optional
        The distance between pixel centres along each axis, the same for both. By default 1: distances in pixels.
    ignored : ndarray of bool, same shape, optional
        Pixels that are not compared. No surface lies in them, and none arises where an object meets them.

    Returns
    -------
    SurfaceDistances
        Between pixel centres.

    Raises
    ------
    InputError
        If the shapes or the spacing do not fit, a mask holds no whole numbers, or has other than two or three axes.

    Notes
    -----
    The surface is the mask without its erosion by one pixel across faces (4 neighbours in a picture, 6 in a volume), the frame's pixels
    included. A volume of one slice is measured as its slice; of two slices or more, the first and the last are surface.
    Peers differ: DeepMind's surface-distance weights the distances by the area of surface elements.

    Examples
    --------
    >>> truth = np.zeros((12, 12), bool)
    >>> truth[3:9, 4:10] = True
    >>> found = surface_distances(np.roll(truth, (-1, -2), (0, 1)), truth)
    >>> round(hd(found), 6), round(hd95(found), 6), round(assd(found), 6), nsd(found, 1)
    (2.236068, 2.011803, 1.332514, 0.55)
    """
    p, t = (mask.astype(bool, copy=False) for mask in same_pixels(pred, truth))
    steps = checked_spacing(p.shape, spacing)
    if ignored is not None and (ignored.shape != t.shape or ignored.dtype != bool):
        raise InputError(f"the ignored pixels are {ignored.dtype} of shape {ignored.shape}: bool of the masks' shape {t.shape} is expected")
    if p.ndim == 3 and len(p) == 1:
        p, t, steps, ignored = p[0], t[0], steps[1:], ignored if ignored is None else ignored[0]
    box = _box(p, t)
    if ignored is None:
        on_p, on_t = surface(p[box]), surface(t[box])
    else:
        on_p, on_t = (_compared_surface(mask, ignored, box) for mask in (p, t))
    return SurfaceDistances(nearest(on_p, on_t, steps), nearest(on_t, on_p, steps))


def hd(distances: SurfaceDistances) -> float:
    """The Hausdorff distance: the greatest distance, of both directions. 0 where both sides are empty, nan where one is."""
    return _finite(float(distances.both.max(initial=0)))


def hd95(distances: SurfaceDistances) -> float:
    """The greater of the two directions' 95th percentiles (linear). 0 where both sides are empty, nan where one is.

    MedPy takes one percentile of both directions together, which hides the worse one behind the longer one.
    """
    directions = [one for one in (distances.pred, distances.truth) if len(one)]
    if not np.isfinite(distances.both).all():
        return float("nan")
    return max((float(np.percentile(one, 95)) for one in directions), default=0.0)


def assd(distances: SurfaceDistances) -> float:
    """The average symmetric surface distance: the mean over both directions together. 0 where both sides are empty, nan where one is."""
    both = distances.both
    return _finite(float(both.mean())) if len(both) else 0.0


def nsd(distances: SurfaceDistances, tolerance: float) -> float:
    """The share of both surfaces that lies within a tolerance of the other (normalised surface distance, surface Dice).

    Parameters
    ----------
    distances : SurfaceDistances
    tolerance : float
        In the unit of the spacing, 0 or more; a distance equal to it, up to rounding, is within.

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
    S. Nikolov et al., Journal of Medical Internet Research 23(7), 2021, e26151, doi:10.2196/26151 (there with the areas of surface
    elements in place of counted pixels).
    """
    near = within(distances.both, tolerance)
    return float(near.mean()) if len(near) else 1.0


def within(distances: NDArray[np.float64], tolerance: float) -> NDArray[np.bool_]:
    """Which distances are at most the tolerance: three steps of 0.1 are within 0.3, whatever their rounded sum."""
    if not 0 <= tolerance < float("inf"):
        raise RecipeError(f"tolerance {tolerance}: a finite distance of 0 or more is expected")
    return distances <= tolerance * (1 + 1e-9)


def _finite(distance: float) -> float:
    return distance if distance < float("inf") else float("nan")


def checked_spacing(shape: tuple[int, ...], spacing: Sequence[float] | None) -> tuple[float, ...]:
    """The distance between pixel centres along each axis of masks of this shape; 1 where none is given.

    Raises
    ------
    InputError
        If there are other than two or three axes, or not one number above zero for each.
    """
    if len(shape) not in (2, 3):
        raise InputError(f"masks of shape {shape}: surfaces are measured over two axes (yx) or three (zyx)")
    found = (1.0,) * len(shape) if spacing is None else tuple(float(step) for step in np.atleast_1d(spacing))
    if len(found) != len(shape) or not all(0 < step < float("inf") for step in found):
        raise InputError(f"spacing {spacing}: {len(shape)} numbers above zero are expected, one for each axis of a mask of {shape}")
    return found


def _box(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> tuple[slice, ...]:
    """The smallest box around both masks."""
    box: tuple[slice, ...] = ()
    for axis in range(first.ndim):
        others = tuple(k for k in range(first.ndim) if k != axis)
        used = np.flatnonzero(first[box].any(axis=others) | second[box].any(axis=others))
        box += (slice(int(used[0]), int(used[-1]) + 1) if len(used) else slice(0, 0),)
    return box


def _compared_surface(mask: NDArray[np.bool_], ignored: NDArray[np.bool_], box: tuple[slice, ...]) -> NDArray[np.bool_]:
    """The surface outside the ignored pixels, which count as inside for their neighbours."""
    wide = tuple(slice(max(one.start - 1, 0), one.stop + 1) for one in box)
    inner = tuple(slice(one.start - w.start, one.stop - w.start) for one, w in zip(box, wide, strict=True))
    return surface(mask[wide] | ignored[wide])[inner] & (mask & ~ignored)[box]
