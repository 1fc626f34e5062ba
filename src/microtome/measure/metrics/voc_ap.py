"""Pascal VOC's average precision of a curve: the area under it, or its mean at eleven recalls."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from microtome.core.errors import InputError

__all__ = ["voc_ap"]


def voc_ap(precision: Sequence[float], recall: Sequence[float], *, eleven_points: bool = False) -> float:
    """Average precision, where each recall counts with the best precision at that recall or a higher one.

    Parameters
    ----------
    precision, recall : sequence of float
        One for each number of predictions kept, the surest first; recall never falls.
    eleven_points : bool
        The mean at the recalls 0, .1, .2 ... 1, as until 2009; by default the area under the stairs, as from 2010 on.

    Returns
    -------
    float
        0 without predictions.

    Raises
    ------
    InputError
        If the lengths differ, a value is not in [0, 1], or recall falls.

    Notes
    -----
    The eleven recalls are k/10, each the float nearest to it, so that a recall of 3/5 reaches .6. ``np.arange(0, 1.1, 0.1)``, which many
    programs use, has .6000000000000001 there, and does not count it.

    References
    ----------
    M. Everingham et al., International Journal of Computer Vision 88, 2010, 303-338, section 4.2, doi:10.1007/s11263-009-0275-4.

    Examples
    --------
    >>> round(voc_ap([1, 1, 0.75], [0.2, 0.4, 0.6]), 9)
    0.55
    """
    p, r = np.asarray(precision, np.float64), np.asarray(recall, np.float64)
    if p.shape != r.shape or p.ndim != 1:
        raise InputError(f"a curve needs one precision for each recall, found shapes {p.shape} and {r.shape}")
    if not all(((side >= 0) & (side <= 1)).all() for side in (p, r)):
        raise InputError("precision and recall must be numbers from 0 to 1")
    if (np.diff(r) < 0).any():
        raise InputError(f"recall falls after prediction {int(np.flatnonzero(np.diff(r) < 0)[0]) + 1}: give the surest predictions first")
    best = np.append(np.maximum.accumulate(p[::-1])[::-1], 0.0)
    if eleven_points:
        return float(best[np.searchsorted(r, [k / 10 for k in range(11)])].mean())
    return float((np.diff(r, prepend=0.0) * best[:-1]).sum())
