"""What pictures show, as far as their pixels tell: whether colours are stains of a bright field, channels of their own, or just colours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from microtome.core.raster import Image
from microtome.learn.augment.default import Content

__all__ = ["content_of"]

_SIDE = 256  # pixels along an axis that are looked at
_COLOURED = 0.02  # of the range: channels closer than that are grey
_LIGHT = 0.5
_MOST = 0.9


def content_of(images: Iterable[Image]) -> tuple[Content, str]:
    """Guess what the images of a set show.

    Parameters
    ----------
    images : iterable of Image
        Some of the set, as they were read; only a few pixels of each are looked at.

    Returns
    -------
    content : {"grey", "fluorescence", "histology", "colour"}
        As `default_chain` takes it. One channel is grey; two, or four and more, are fluorescence. Of three channels a bright, coloured
        picture that is darkest in green or red (what haematoxylin and eosin take away) and nowhere much greener than it is red or blue is
        histology, a dark one in whose pixels one channel leads is fluorescence, and everything else is colour. A set of several sorts is
        colour: nothing is done to it that is right for one sort only.
    reason : str

    Examples
    --------
    >>> content_of([Image(np.zeros((8, 8), np.uint8))])
    ('grey', 'one channel')
    """
    found: Counter[Content] = Counter()
    channels = set()
    for image in images:
        channels.add(image.channel_count)
        found[_content(image)] += 1
    if not found:
        return "grey", "no image was looked at"
    if max(channels) == 1:
        return "grey", "one channel"
    if 3 not in channels:
        return "fluorescence", f"{max(channels)} channels"
    total = found.total()
    content, count = found.most_common(1)[0]
    if count < _MOST * total:
        parts = ", ".join(f"{number} {name}" for name, number in found.most_common())
        return "colour", f"pictures of several sorts among {total}: {parts}"
    return content, f"{count} of {total} pictures look like it"


def _content(image: Image) -> Content:
    if image.channel_count == 1:
        return "grey"
    if image.channel_count != 3:
        return "fluorescence"
    steps = tuple(slice(None, None, max(1, n // _SIDE)) for n in image.shape)
    pixels = image.pixels[steps].reshape(-1, 3).astype(np.float64)
    top = float(np.iinfo(image.pixels.dtype).max) if image.pixels.dtype.kind == "u" else max(float(pixels.max()), 1e-30)
    shares = pixels / top
    apart = shares.max(axis=1) - shares.min(axis=1)
    if np.percentile(apart, 99) < _COLOURED:
        return "grey"
    red, green, blue = shares.mean(axis=0)
    if np.median(shares.mean(axis=1)) > _LIGHT:
        # Haematoxylin and eosin let blue and red through and take green; DAB takes blue, and its nuclei's counterstain red.
        return "histology" if green < max(red, blue) and green - min(red, blue) < 0.1 else "colour"
    dark = shares.mean(axis=1) < _LIGHT / 2
    return "fluorescence" if dark.mean() > _LIGHT else "colour"
