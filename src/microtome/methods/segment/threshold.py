"""A fixed threshold."""

from __future__ import annotations

from typing import Annotated

from microtome.core.events import warn
from microtome.core.parameters import Range
from microtome.core.raster import Image, SemanticMap
from microtome.core.step import step
from microtome.core.tiling import Local
from microtome.methods.segment._levels import Foreground, by_level

__all__ = ["threshold"]


@step(tiling=Local(0), channels="refused")
def threshold(image: Image, *, value: Annotated[float, Range()], foreground: Foreground = "bright") -> SemanticMap:
    """Split the pixels at a value that you know.

    Parameters
    ----------
    image : Image, axes yx or zyx, any real dtype
        Compared as it is: nothing is scaled.
    value : number, in the image's own units
        The last value of the darker class. The same number means another place in an image of another type: 0.5 splits
        an image of 0..1, and puts all of a uint8 image but its zeros above.
    foreground : "bright" (default) or "dark"
        The pixels above `value` (``I > value``), or the others (``I <= value``): exact complements.

    Returns
    -------
    SemanticMap
        1 in the foreground, 0 elsewhere.

    Warns
    -----
    MicrotomeWarning
        Where all pixels fall on one side.

    Notes
    -----
    A pixel's class depends on that pixel alone. A tile that lies wholly on one side is warned of as an image is.

    Examples
    --------
    >>> image = Image(np.array([[10, 100, 101, 200]], np.uint8))
    >>> threshold(image, value=100).pixels.tolist()
    [[0, 0, 1, 1]]
    >>> threshold(image, value=100, foreground="dark").pixels.tolist()
    [[1, 1, 0, 0]]
    """
    mask = by_level(image, (value,), foreground)
    if not mask.pixels.any() or mask.pixels.all():
        low, high = image.extremes
        all_or_none = "every pixel is" if mask.pixels.any() else "no pixel is"
        warn(f"threshold: {value:g} leaves all values, {low:g} to {high:g}, on one side: {all_or_none} foreground")
    return mask
