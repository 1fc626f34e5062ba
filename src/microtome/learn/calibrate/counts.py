"""An interval about the number of objects in an image, from the errors on held-out images (split conformal prediction)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.run.count_interval import CountInterval

__all__ = ["FEWEST", "LEVELS", "fit_count_interval"]

LEVELS = (0.9, 0.8)
"""What is aimed at: the first that there are enough groups for."""

FEWEST = {level: math.ceil(round(level / (1 - level), 9)) for level in LEVELS}
"""How many groups of held-out images a level needs: 9 for 90 %, 4 for 80 %. Fewer cannot say so much, whatever their errors."""


def fit_count_interval(found: Sequence[int], true: Sequence[int], groups: Sequence[str] = ()) -> CountInterval | None:
    """Make an interval of held-out images.

    Parameters
    ----------
    found, true : sequence of int
        The number of objects in each held-out image: as the model gives it, with the settings it will have, and by its labels.
    groups : sequence of str, optional
        What belongs together: the interval is for images of other groups. Left out, or empty: each image by itself.

    Returns
    -------
    CountInterval or None
        None where the groups are fewer than `FEWEST` asks for the lowest level.

    Raises
    ------
    InputError
        If the sequences are not of one length.

    Notes
    -----
    The error of image i is ``|true - found| / sqrt(found + 1)``: numbers that are counted scatter by about the root of their size. The
    quantile is the k-th smallest of n errors, k = ceil((n + 1) level). If a further image is exchangeable with the held-out ones, its
    error is no greater with a probability of at least the level; nothing is assumed of how errors are distributed. Two things weaken
    that: the held-out images chose the weights and the decoding, so their errors are a little too small; and images of one group resemble
    each other, so that many images of few groups say less than n of them would. `coverage` therefore leaves out whole groups. The level is
    a mean over images: it does not hold for each kind of image by itself.

    References
    ----------
    J. Lei, M. G'Sell, A. Rinaldo, R. J. Tibshirani and L. Wasserman, Journal of the American Statistical Association 113(523), 2018,
    1094-1111, doi:10.1080/01621459.2017.1307116: split and locally weighted conformal inference.

    Examples
    --------
    >>> interval = fit_count_interval([24] * 9, [24, 25, 23, 26, 22, 24, 24, 29, 24])
    >>> interval.level, interval.quantile, interval.around(24)
    (0.9, 1.0, (19, 29))
    """
    names = [name or f"#{number}" for number, name in enumerate(groups or [""] * len(found))]
    if not len(found) == len(true) == len(names):
        raise InputError(f"{len(found)} counts, {len(true)} true ones and {len(names)} groups: each image has one of each")
    count = len(set(names))
    level = next((level for level in LEVELS if count >= FEWEST[level]), None)
    if level is None:
        return None
    there = np.asarray(found, float)
    errors = np.abs(np.asarray(true, float) - there) / np.sqrt(there + 1)
    quantile = _quantile(errors, level)
    quantile = math.ceil(quantile * 1e6) / 1e6  # never less than the error it is
    return CountInterval(level, quantile, len(found), count, _coverage(errors, names, level), int(there.max()))


def _quantile(errors: NDArray[np.float64], level: float) -> float:
    """The error that a further one exceeds with a probability of at most 1 - level; infinite where there are too few to say."""
    place = math.ceil(round((len(errors) + 1) * level, 9))
    return float(np.sort(errors)[place - 1]) if place <= len(errors) else math.inf


def _coverage(errors: NDArray[np.float64], names: Sequence[str], level: float) -> float | None:
    """The share of images inside what the images of other groups give."""
    of = np.array(names)
    inside = 0
    for name in dict.fromkeys(names):
        quantile = _quantile(errors[of != name], level)
        if math.isinf(quantile):
            return None
        inside += int(np.count_nonzero(errors[of == name] <= quantile))
    return round(inside / len(errors), 4)
