"""Sizes of images: what one can be, what the headers of a folder say, and who reaches beyond."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from microtome.core.errors import InputError
from microtome.core.events import collect_warnings, warn
from microtome.core.objects import Objects
from microtome.io.images.limits import MOST

__all__ = ["checked", "image_sizes", "tell_beyond"]

Size = tuple[int, int]


def checked(height: Any, width: Any) -> Size:
    """A size that an image can have.

    Raises
    ------
    InputError
        If one is no whole number from 1, or together they are more pixels than any image read here.
    """
    try:
        found = int(height), int(width)
        whole = found == (float(height), float(width))
    except (TypeError, ValueError, OverflowError):
        whole = False
    if not whole:
        raise InputError(f"the image's size must be two whole numbers, found {height!r} x {width!r}")
    if min(found) < 1 or math.prod(found) > MOST:
        raise InputError(f"the image's size is {found[0]} x {found[1]}; expected from 1 x 1 to {MOST} pixels")
    return found


def image_sizes(folder: Path) -> dict[str, Size]:
    """Height and width of every image in a folder and below it, by its path within; only headers are read.

    Raises
    ------
    InputError
        If the folder holds no image, or one cannot be read.
    """
    from microtome.io.find import find_images
    from microtome.io.images import shape_of

    with collect_warnings():  # what a reader assumes of the pixels is no matter here
        shapes = {found.name: shape_of(found.path)[-2:] for found in find_images([folder])}
    return {name: (height, width) for name, (height, width) in shapes.items()}


def tell_beyond(images: Sequence[Objects], path: Path) -> None:
    """Warn of objects with corners more than half a pixel outside of their image: pixels there are in no mask."""
    beyond = sum(_beyond(item.box, one.shape) for one in images for item in one.items if item.runs is None)
    if beyond:
        every = sum(map(len, images))
        warn(f"{path}: {beyond} of {every} objects reach beyond their image; what lies outside is in no mask")


def _beyond(box: tuple[float, float, float, float], shape: Size) -> bool:
    return bool(np.min(box[:2]) < -0.5 or box[2] > shape[0] + 0.5 or box[3] > shape[1] + 0.5)
