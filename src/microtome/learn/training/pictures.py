"""Small pictures of held-out images while training goes on: the truth's outlines, and what the network makes of it at each validation."""

from __future__ import annotations

import io
import os
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.raster import Image, InstanceMap, SemanticMap
from microtome.io.whole import whole_file

__all__ = ["FOUND", "SIDE", "TRUE", "draw", "write_case", "write_step"]

SIDE = 320
"""The longer side of a picture at most, in pixels."""

TRUE, FOUND = (86, 180, 233), (230, 159, 0)
"""The colours of true outlines (sky blue) and of found ones (orange), which people with any colour vision tell apart."""

# The set of Okabe and Ito (Color Universal Design, 2008) but black, in the order the report's pages use it.
_CLASSES = np.array([(230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (213, 94, 0), (204, 121, 167)], np.uint8)
_LOW, _HIGH = 0.5, 99.5
_TINT = 0.45
_DIMMED = 0.55  # the image below outlines, so that they stand out on bright objects too

Mask = SemanticMap | InstanceMap


def draw(image: Image, mask: Mask | None = None, truth: Mask | None = None, *, bare: bool = False) -> bytes:
    """Draw an image with what was found in it and what is true, as a PNG to look at.

    Parameters
    ----------
    image : Image
        8-bit pixels are shown as they are, others stretched between percentiles 0.5 and 99.5. One channel is grey, two are magenta and
        green, of more than three the first three are red, green and blue.
    mask : SemanticMap or InstanceMap, optional
        What was found, of the image's shape.
    truth : SemanticMap or InstanceMap, optional
        What is true. It decides which slice of a volume is shown: of those with most labelled pixels the middle one; without it `mask`
        decides, and without both the middle slice is shown.
    bare : bool
        Leave masks away: the slice is still that of `truth`.

    Returns
    -------
    bytes
        A PNG of red, green, blue, its longer side at most `SIDE` pixels; a smaller image keeps its size.

    Raises
    ------
    InputError
        If a mask has another shape than the image.

    Notes
    -----
    The image is dimmed below outlines, which lie inside their object, one pixel wide, in the picture's pixels. Found ones lie over true
    ones: blue that is left is what was not found. A class map of more than one class besides the background is drawn as a tint of its
    classes instead: that of `mask` where it is given, else that of `truth`. Pixels of an `ignore` class are darkened.

    Examples
    --------
    >>> import PIL.Image
    >>> disc = np.hypot(*np.mgrid[-32:32, -32:32]) < 12
    >>> drawn = draw(Image(disc * np.uint8(200)), truth=InstanceMap(disc.astype(np.int32)))
    >>> picture = PIL.Image.open(io.BytesIO(drawn))
    >>> picture.size, picture.getpixel((32, 21))
    ((64, 64), (86, 180, 233))
    """
    import PIL.Image

    for name, one in (("the mask", mask), ("the truth", truth)):
        if one is not None and one.shape != image.shape:
            raise InputError(f"{image.source or 'the image'}: is {image.shape}, {name} {one.shape}; they must be of one shape")
    plane = _plane(image, truth if truth is not None else mask)
    flat = image.pixels if plane is None else image.pixels[plane]
    factor = min(1.0, SIDE / max(flat.shape[:2]))
    size = max(round(flat.shape[0] * factor), 1), max(round(flat.shape[1] * factor), 1)
    picture = _visible(flat, size, image.has_channels)
    if not bare and (mask is not None or truth is not None):
        picture = (picture * _DIMMED + 0.5).astype(np.uint8)
        _draw_masks(picture, mask, truth, plane)
    file = io.BytesIO()
    PIL.Image.fromarray(picture).save(file, "PNG", optimize=False, compress_level=6)
    return file.getvalue()


def write_case(run: str | os.PathLike[str], case: str, image: Image, truth: Mask) -> None:
    """Write ``RUN/pictures/CASE/image.png`` and ``truth.png``, before the first validation.

    Parameters
    ----------
    run : path
        The training's folder.
    case : str
        The image's name; each part between slashes is a folder.
    image, truth
        See `draw`.

    Raises
    ------
    RunError
        If the disk refuses.
    """
    folder = Path(run) / _folder(case)
    _write(folder / "image.png", draw(image, truth=truth, bare=True))
    _write(folder / "truth.png", draw(image, truth=truth))


def write_step(run: str | os.PathLike[str], case: str, step: int, image: Image, mask: Mask, truth: Mask) -> str:
    """Write ``RUN/pictures/CASE/STEP.png``, and return its path within the folder, with forward slashes.

    Parameters
    ----------
    run : path
    case : str
    step : int
    image, mask, truth
        See `draw`.

    Raises
    ------
    RunError
        If the disk refuses.
    """
    place = _folder(case) / f"{step:07d}.png"
    _write(Path(run) / place, draw(image, mask, truth))
    return place.as_posix()


def _folder(case: str) -> PurePosixPath:
    """Within the run, whatever the case is called."""
    parts = (part.replace(":", "_") for part in case.replace("\\", "/").split("/"))
    safe = [part for part in parts if part not in ("", ".", "..")]
    return PurePosixPath("pictures", *(safe or ["image"]))


def _write(path: Path, data: bytes) -> None:
    with whole_file(path) as temporary:
        temporary.write_bytes(data)


def _plane(image: Image, labels: Mask | None) -> int | None:
    """The slice of a volume that shows most; None for a flat image."""
    if image.ndim == 2:
        return None
    if labels is None:
        return len(image.pixels) // 2
    counts = np.array([np.count_nonzero(one) for one in _labelled(labels)])
    best = np.flatnonzero(counts == counts.max())
    return int(best[len(best) // 2])


def _labelled(mask: Mask) -> NDArray[Any]:
    return mask.pixels if isinstance(mask, InstanceMap) else mask.foreground()


def _visible(flat: NDArray[Any], size: tuple[int, int], has_channels: bool) -> NDArray[np.uint8]:
    """As red, green, blue of `size`: averaged first, then stretched where it is not 8-bit."""
    import cv2

    pixels = _three(flat) if has_channels else flat[..., None]
    if pixels.dtype == bool:
        pixels = pixels.astype(np.uint8) * 255
    if pixels.dtype not in (np.uint8, np.uint16, np.float32):
        pixels = pixels.astype(np.float32)
    if pixels.shape[:2] != size:
        pixels = np.asarray(cv2.resize(np.ascontiguousarray(pixels), size[::-1], interpolation=cv2.INTER_AREA)).reshape(*size, -1)
    if pixels.dtype != np.uint8:
        pixels = _stretched(pixels)
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels.copy()


def _three(flat: NDArray[Any]) -> NDArray[Any]:
    if flat.shape[-1] == 2:
        return flat[..., [0, 1, 0]]
    return flat[..., : 1 if flat.shape[-1] == 1 else 3]


def _stretched(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    values = pixels.astype(np.float32)
    values[~np.isfinite(values)] = np.nan
    if np.isnan(values).all():
        return np.zeros(pixels.shape, np.uint8)
    low, high = np.nanpercentile(values, (_LOW, _HIGH))  # over all channels at once: colours stay as they are
    scaled = (values - low) / (high - low if high > low else 1.0)
    return (np.nan_to_num(scaled.clip(0, 1)) * 255 + 0.5).astype(np.uint8)


def _draw_masks(picture: NDArray[np.uint8], mask: Mask | None, truth: Mask | None, plane: int | None) -> None:
    size = picture.shape[0], picture.shape[1]
    top = mask if mask is not None else truth
    if isinstance(top, SemanticMap) and len(_shown_classes(top)) > 1:
        _tint(picture, top, _small(top, plane, size))
    else:
        for one, colour in ((truth, TRUE), (mask, FOUND)):
            if one is not None:
                labels = _small(one, plane, size)
                picture[_inner_edge(_numbers(one, labels))] = colour
    for one in (mask, truth):
        if isinstance(one, SemanticMap) and (ignored := one.classes.values("ignore")):
            outside = np.isin(_small(one, plane, size), ignored)
            picture[outside] = picture[outside] // 3


def _small(mask: Mask, plane: int | None, size: tuple[int, int]) -> NDArray[Any]:
    """The labels nearest to each shown pixel's centre: none is mixed."""
    labels = mask.pixels if plane is None else mask.pixels[plane]
    (height, width), (rows, columns) = labels.shape, size
    down = ((np.arange(rows) + 0.5) * height / rows).astype(np.intp)
    right = ((np.arange(columns) + 0.5) * width / columns).astype(np.intp)
    return np.asarray(labels[down[:, None], right])


def _numbers(mask: Mask, labels: NDArray[Any]) -> NDArray[Any]:
    return labels if isinstance(mask, InstanceMap) else np.isin(labels, _shown_classes(mask)) * labels.astype(np.int32)


def _shown_classes(mask: SemanticMap) -> list[int]:
    """The classes that are neither background nor ignored."""
    outside = {*mask.classes.values("background", "ignore")}
    known = {entry.value for entry in mask.classes}
    return sorted(known - outside)


def _tint(picture: NDArray[np.uint8], mask: SemanticMap, labels: NDArray[Any]) -> None:
    for number, value in enumerate(_shown_classes(mask)):
        inside = labels == value
        colour = _CLASSES[number % len(_CLASSES)]
        picture[inside] = ((1 - _TINT) * picture[inside] + _TINT * colour + 0.5).astype(np.uint8)
    picture[_inner_edge(_numbers(mask, labels))] //= 2


def _inner_edge(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Pixels of a label (but 0) with another one beside, above or below them."""
    around = np.pad(labels, 1, mode="edge")
    here = around[1:-1, 1:-1]
    differ = (here != around[:-2, 1:-1]) | (here != around[2:, 1:-1]) | (here != around[1:-1, :-2]) | (here != around[1:-1, 2:])
    return np.asarray(differ & (here != 0))
