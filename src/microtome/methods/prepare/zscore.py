"""Normalisation by mean and standard deviation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.events import warn
from microtome.core.kernels.bands import in_bands
from microtome.core.kernels.moments import Moments, moments_of
from microtome.core.kernels.per_channel import PerChannel, each_channel
from microtome.core.raster import Image
from microtome.core.step import step
from microtome.core.tiling import Reducible
from microtome.methods.prepare._inputs import refuse_bool

__all__ = ["zscore"]


def _look(image: Image, settings: Any, before: None) -> Moments:
    refuse_bool(image, "zscore")
    return moments_of(image, settings.above)


def _joint(settings: Any) -> bool:
    return bool(settings.joint)


@step(tiling=Reducible(each_channel(_look, _joint)), channels="each")
def zscore(image: Image, *, above: float | None = None, joint: bool = False, summary: PerChannel[Moments]) -> Image:
    """Subtract the mean and divide by the standard deviation, so that values are counted in deviations from the mean.

    Parameters
    ----------
    image : Image, axes yx, yxc, zyx or zyxc, any real dtype but bool
    above : float
        Take mean and deviation only over values greater than this, such as 0 in volumes whose surroundings were set to 0. All values
        are changed alike. None: over all.
    joint : bool
        Take them over all channels together, not over each alone.

    Returns
    -------
    Image
        float32, same shape and axes.

    Raises
    ------
    InputError
        If the image is of true and false, or has values beyond 1e150.

    Warns
    -----
    MicrotomeWarning
        If the deviation is 0, as in a constant image, or no value is above `above`: the result is 0 everywhere.

    Notes
    -----
    The deviation is the square root of the mean of squares (divided by the number of pixels, not by one less). Both are rounded once, from
    sums without rounding, over the whole image before the first tile is written: the same in whatever order pixels are added, and right
    where values are large and differ little.

    References
    ----------
    F. Isensee et al., nnU-Net, Nature Methods 18, 2021, doi:10.1038/s41592-020-01008-z, supplementary note 2.

    Examples
    --------
    >>> zscore(np.array([[1, 2], [3, 4]])).pixels
    array([[-1.3416408, -0.4472136],
           [ 0.4472136,  1.3416408]], dtype=float32)
    """
    refuse_bool(image, "zscore")
    if len(summary.parts) == 1:
        return image.with_pixels(_scale(image.pixels, image, summary.parts[0], above))
    planes = [_scale(image.pixels[..., c], image, part, above) for c, part in enumerate(summary.parts)]
    return image.with_pixels(np.stack(planes, axis=-1))


def _scale(pixels: NDArray[Any], image: Image, found: Moments, above: float | None) -> NDArray[np.float32]:
    mean, deviation = found.mean, found.deviation
    if not deviation > 0:
        why = f"all values are {mean:g}" if found.count else f"no value is above {above:g}"
        warn(f"zscore: {image.source or 'image'}: {why}; the result is 0 everywhere")
        return np.zeros(pixels.shape, np.float32)
    result = np.empty(pixels.shape, np.float32)

    def band(first: int, past: int) -> None:
        result[first:past] = (pixels[first:past].astype(np.float64) - mean) / deviation

    in_bands(band, len(pixels), height=64)
    return result
