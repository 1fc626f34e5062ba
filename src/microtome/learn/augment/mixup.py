"""Two samples shown through each other, images and targets alike."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.parameters import Range

__all__ = ["apply", "draw", "soft"]


def draw(rng: Generator, count: int, *, alpha: Annotated[float, Range(above=0, max=100)] = 0.2) -> dict[str, Any]:
    """Draw a partner and a share for each sample of a batch.

    Parameters
    ----------
    rng : Generator
    count : int
        The samples of the batch.
    alpha : float
        The share is of the beta distribution of alpha, alpha: the smaller, the nearer to 0 or 1.

    Returns
    -------
    dict
        ``partner``: a permutation; ``share``: of the sample itself, 0 to 1.

    References
    ----------
    H. Zhang et al., mixup: Beyond Empirical Risk Minimization, ICLR 2018, arXiv 1710.09412, section 2.

    Examples
    --------
    >>> sorted(draw(np.random.default_rng(0), 3)["partner"])
    [0, 1, 2]
    """
    return {"partner": [int(one) for one in rng.permutation(count)], "share": [float(one) for one in rng.beta(alpha, alpha, count)]}


def apply(
    parameters: dict[str, Any], images: NDArray[Any], targets: NDArray[np.floating[Any]]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mix images and targets by the same shares: share x1 + (1 - share) x2.

    Parameters
    ----------
    parameters : dict
    images : ndarray, shape (N, ...)
    targets : ndarray of floats, shape (N, ...)
        Soft ones: whole numbers cannot be mixed (see `soft`).

    Returns
    -------
    images, targets : ndarray of float32

    Raises
    ------
    InputError
        If the targets are whole numbers, or there is not one for each image.

    Examples
    --------
    >>> apply({"partner": [1, 0], "share": [0.75, 1.0]}, np.array([[0.0], [8.0]]), np.array([[1.0, 0.0], [0.0, 1.0]]))[1].tolist()
    [[0.75, 0.25], [0.0, 1.0]]
    """
    if targets.dtype.kind != "f":
        raise InputError(f"mixup: targets are {targets.dtype}; classes cannot be mixed, their shares can: mixup.soft(labels, count)")
    if not len(images) == len(targets) == len(parameters["share"]):
        raise InputError(f"mixup: {len(images)} images, {len(targets)} targets, parameters for {len(parameters['share'])}")
    return _mixed(parameters, images), _mixed(parameters, targets)


def _mixed(parameters: dict[str, Any], arrays: NDArray[Any]) -> NDArray[np.float32]:
    values = arrays.astype(np.float32)
    share = np.asarray(parameters["share"], np.float32).reshape(-1, *(1,) * (values.ndim - 1))
    mixed: NDArray[np.float32] = share * values + (1 - share) * values[parameters["partner"]]
    return mixed


def soft(labels: NDArray[Any], count: int, *, ignore: int | None = None) -> NDArray[np.float32]:
    """Classes as shares: shape (N, ...) becomes (N, count, ...); ignored pixels are 0 in every class.

    Raises
    ------
    InputError
        If a label is neither below `count` nor the ignored one.

    Examples
    --------
    >>> soft(np.array([[1, 255]]), 2, ignore=255)[0].tolist()
    [[0.0, 0.0], [1.0, 0.0]]
    """
    strange = (labels < 0) | (labels >= count)
    if ignore is not None:
        strange &= labels != ignore
    if strange.any():
        raise InputError(f"mixup: label {int(labels[strange][0])} with {count} classes, numbered from 0")
    return np.stack([labels == value for value in range(count)], axis=1).astype(np.float32)
