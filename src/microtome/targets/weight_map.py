"""U-Net's weight map: background pixels between two objects count most, so that a network learns to keep them apart."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from microtome.core.errors import RecipeError
from microtome.core.kernels.bands import in_bands
from microtome.core.parameters import Length, Range
from microtome.core.raster import InstanceMap
from microtome.losses.class_weights import balanced
from microtome.targets._nearest_two import nearest_two
from microtome.targets._objects import objects

__all__ = ["weight_map"]

_NOTHING = 25.0  # exp(-25) of the term is lost in float32 beside a class's weight


def weight_map(
    mask: InstanceMap,
    *,
    w0: Annotated[float, Range(min=0, search=(1, 30), log=True)] = 10,
    sigma: Annotated[float, Length(above=0, search=(2, 15))] = 5,
    class_weights: Annotated[tuple[float, ...] | None, Range(min=0)] = None,
) -> NDArray[np.float32]:
    """How much each pixel counts: ``w_c + w0 exp(-(d1 + d2)² / 2 sigma²)``, the term on background only.

    Parameters
    ----------
    mask : InstanceMap, axes yx or zyx
    w0 : float
    sigma : length, in pixels of the finest axis
    class_weights : two numbers, background and objects, optional
        By default those that balance this mask (`microtome.losses.class_weights.balanced`); give those of the whole set to let images
        differ.

    Returns
    -------
    ndarray of float32
        d1 and d2 are the distances to the nearest and the second nearest object, exact. Where there are fewer than two objects in the
        image, w_c alone.

    Raises
    ------
    InputError
        If the mask holds classes.
    RecipeError
        If there are not two class weights.

    Notes
    -----
    Objects farther than 7 sigma are not looked for: their term would be below 1e-10.

    References
    ----------
    O. Ronneberger, P. Fischer and T. Brox, U-Net, MICCAI 2015, equation 2, arXiv:1505.04597.

    Examples
    --------
    >>> weight_map(InstanceMap(np.array([[1, 1, 0, 2, 2]])), class_weights=(1, 0.5)).round(2).tolist()
    [[0.5, 0.5, 10.229999542236328, 0.5, 0.5]]
    """
    noun = objects(mask, "weight_map")
    labels = noun.pixels
    if class_weights is None:
        covered = int(np.count_nonzero(labels))
        class_weights = tuple(balanced([labels.size - covered, covered]))
    if len(class_weights) != 2:
        raise RecipeError(f"weight_map: class_weights: found {len(class_weights)} numbers, expected 2, of background and objects")
    spread = 2 * float(sigma) ** 2
    found = nearest_two(labels, noun.aspect, float(np.sqrt(_NOTHING * spread)))
    weights = np.empty(labels.shape, np.float32)
    flat: list[NDArray[Any]] = [array.reshape(len(labels), -1) for array in (labels, found.near, found.far, weights)]
    background, inside = (float(w) for w in class_weights)
    in_bands(lambda first, past: _weigh(*(array[first:past] for array in flat), background, inside, float(w0), spread), len(labels), 64)
    return weights


@njit(cache=True, nogil=True)
def _weigh(labels, near, far, weights, background, inside, w0, spread):  # type: ignore[no-untyped-def]
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            if labels[y, x] > 0:
                weights[y, x] = inside
                continue
            both = np.sqrt(np.float64(near[y, x])) + np.sqrt(np.float64(far[y, x]))
            term = both * both / spread
            weights[y, x] = background + (w0 * np.exp(-term) if term < _NOTHING else 0.0)
