"""Otsu's threshold, and its generalisation to several classes."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.events import warn
from microtome.core.explain import explain
from microtome.core.kernels.histogram import Histogram, extent, histogram
from microtome.core.parameters import Range
from microtome.core.raster import Image, SemanticMap
from microtome.core.step import step
from microtome.core.tiling import Reducible
from microtome.methods.segment._levels import Foreground, by_level
from microtome.methods.segment._partition import partition, squared

__all__ = ["otsu", "thresholds"]


@step(tiling=Reducible(extent, histogram), channels="refused")
def otsu(image: Image, *, classes: Annotated[int, Range(2, 5)] = 2, foreground: Foreground = "bright", summary: Histogram) -> SemanticMap:
    """Split the pixels where the classes' means lie farthest apart.

    Parameters
    ----------
    image : Image, axes yx or zyx, any real dtype but bool
        NaN and channels are refused.
    classes : int
        How many classes to make, with one threshold fewer. The thresholds are the exact optimum, not a local one.
    foreground : "bright" (default) or "dark"
        Two classes: the pixels above the threshold (``I > t``), or the others (``I <= t``). More classes: class 0, the
        background, is the darkest or the brightest, and the others follow in order.

    Returns
    -------
    SemanticMap
        Classes 0..classes-1.

    Raises
    ------
    InputError
        If the image has fewer distinct values than classes (two classes of a constant image are allowed).

    Warns
    -----
    MicrotomeWarning
        If the image is constant: all of it is dark, the threshold is its value. If integers reach over more than
        65,536 levels: they are counted in bins of several levels.

    Notes
    -----
    Thresholds maximise the variance between classes, ``sum of P_c (u_c - u)^2`` with the share P_c of the pixels in
    class c, its mean u_c and the mean u of all. (A class mean divides by its own share: left out, as some texts do, the
    result is another threshold.) A threshold is the last value of the lower class; of equally good ones, the smallest
    that the image holds.

    Integers of 8 and 16 bits are counted level by level. Floats are counted in 256 bins from the least value to the
    greatest and the threshold is a bin's centre, so that a picture held as floats and as uint8 may differ by a level.

    References
    ----------
    N. Otsu, IEEE Transactions on Systems, Man, and Cybernetics 9(1), 1979, 62-66, doi:10.1109/TSMC.1979.4310076.

    P.-S. Liao, T.-S. Chen and P.-C. Chung, Journal of Information Science and Engineering 17(5), 2001, 713-727.

    Examples
    --------
    >>> image = Image(np.array([[10, 11, 12, 200, 201, 90]], np.uint8))
    >>> otsu(image).pixels.tolist()
    [[0, 0, 0, 1, 1, 0]]
    >>> otsu(image, classes=3, foreground="dark").pixels.tolist()
    [[2, 2, 2, 0, 0, 1]]
    """
    found = thresholds(summary, classes)
    if np.count_nonzero(summary.counts) == 1:
        warn(f"otsu: every pixel is {found[0]:g}, so there is nothing to split; all are dark")
    if summary.width > 1:
        low, high = summary.levels[0] - summary.width + 1, summary.levels[-1]
        warn(f"otsu: values from {low} to {high} are counted in bins of {summary.width} levels, so the threshold is that coarse")
    shown = ", ".join(f"{t:g}" for t in found)
    explain(
        "histogram",
        f"Otsu cuts at {shown}, where the {classes} classes' means lie farthest apart for the number of their pixels.",
        counts=summary.counts, levels=summary.levels, thresholds=found,
    )  # fmt: skip
    return by_level(image, found, foreground)


def thresholds(histogram: Histogram, classes: int = 2) -> tuple[Any, ...]:
    """Otsu's `classes` - 1 thresholds, ascending, each a level of the histogram.

    Raises
    ------
    InputError
        If fewer levels than classes occur (but one level is enough for two classes).

    Examples
    --------
    >>> thresholds(Histogram(np.array([2, 2, 0, 2, 3, 3]), np.arange(6)), 3)
    (1, 4)
    """
    # Levels are evenly spaced, so their numbers can stand for them: the arithmetic is whole numbers for floats too.
    occurring = np.flatnonzero(histogram.counts)
    if occurring.size == 1 and classes == 2:
        return (histogram.levels[occurring[0]].item(),)
    if occurring.size < classes:
        raise InputError(
            f"otsu: {classes} classes need {classes} distinct values, found {occurring.size}; ask for fewer classes or look at the image"
        )
    counts, numbers = histogram.counts[occurring], occurring - int(occurring.mean())
    cuts = [_best_of_two(counts, numbers)] if classes == 2 else partition(occurring.size, classes, squared(counts, numbers))
    return tuple(histogram.levels[occurring[cut]].item() for cut in cuts)


def _best_of_two(counts: NDArray[np.int64], levels: NDArray[np.int64]) -> int:
    """The last place of the lower class. Floats find the best few; whole numbers decide between them, ties and all."""
    below, sum_below = np.cumsum(counts), np.cumsum(counts * levels)
    everything, total = int(below[-1]), int(sum_below[-1])
    below, sum_below = below[:-1], sum_below[:-1]
    excess = sum_below.astype(np.float64) * everything - below.astype(np.float64) * total
    between = excess * excess / (below * (everything - below.astype(np.float64)))
    near = np.flatnonzero(between >= between.max() * (1 - 1e-9)).tolist()

    def exactly(cut: int) -> Fraction:
        pixels = int(below[cut])
        return Fraction((int(sum_below[cut]) * everything - pixels * total) ** 2, pixels * (everything - pixels))

    return max(near, key=exactly)
