"""Sizes of images: what one can be, who knows those that a file does not say, and who reaches beyond."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np

from microtome.core.errors import InputError
from microtome.core.events import collect_warnings, warn
from microtome.core.objects import Objects
from microtome.core.outlines import Polygon
from microtome.io.find import stem_of
from microtome.io.images.limits import MOST

__all__ = ["Shapes", "Sized", "checked", "enough", "image_sizes", "tell_beyond"]

Size = tuple[int, int]
_LONGEST = 1 << 24


def checked(height: Any, width: Any) -> Size | None:
    """A size as a file says it, in numbers or text; None where it says 0 x 0: its writer did not know.

    Raises
    ------
    InputError
        If one is no whole number from 1, or together they are more pixels than any image read here.

    Examples
    --------
    >>> checked(480, "640.0"), checked(0, 0)
    ((480, 640), None)
    """
    try:
        sides = float(height), float(width)
    except (TypeError, ValueError, OverflowError):
        sides = (math.nan, math.nan)
    if not all(side.is_integer() for side in sides):
        raise InputError(f"the image's size must be two whole numbers, found {height!r:.40} x {width!r:.40}")
    if sides == (0, 0):
        return None
    if min(sides) < 1 or max(sides) > _LONGEST or math.prod(sides) > MOST:
        raise InputError(f"the image's size is {sides[0]:.0f} x {sides[1]:.0f}; expected sides from 1 to {_LONGEST}, together up to {MOST} "
                         "pixels")  # fmt: skip
    return int(sides[0]), int(sides[1])


def enough(polygons: Sequence[Polygon], path: Path) -> Size:
    """The size of the smallest image that holds these polygons of a file; 0 x 0 where there are none.

    Raises
    ------
    InputError
        If no image is so large.

    Examples
    --------
    >>> enough([Polygon(np.array([[0, 0], [0, 2.5], [4, 0]]))], Path("a.json"))
    (4, 3)
    """
    if not polygons:
        return 0, 0
    corners = np.concatenate([polygon.outer for polygon in polygons])
    height, width = (max(1, int(edge)) for edge in np.ceil(corners.max(axis=0)))
    if max(height, width) > _LONGEST or height * width > MOST:
        raise InputError(f"{path}: an image has no size, and its objects reach to {height} x {width}, which is none; pass the size")
    return height, width


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


class Sized(NamedTuple):
    """An image's file name as the caller gives it, and its height and width."""

    name: str
    shape: tuple[int, int]


class Shapes:
    """Heights and widths by image file name; a name is matched whole, with or without a suffix, else by its last part, else by its stem.

    Parameters
    ----------
    given : mapping of str to (int, int), optional
        The caller's `shapes`.

    Examples
    --------
    >>> shapes = Shapes({"plate/A01.png": (4, 6)})
    >>> shapes.find("A01.png").shape, shapes.find("A01").name, shapes.find("A02")
    ((4, 6), 'plate/A01.png', None)
    """

    def __init__(self, given: Mapping[str, tuple[int, int]] | None) -> None:
        whole: dict[str, list[Sized]] = {}
        bare: dict[str, list[Sized]] = {}
        parts: dict[str, list[Sized]] = {}
        stems: dict[str, list[Sized]] = {}
        for name, (height, width) in (given or {}).items():
            one = Sized(_slashes(name), (int(height), int(width)))
            path = PurePosixPath(one.name)
            for key, found in ((one.name, whole), (stem_of(one.name), bare), (path.name, parts), (stem_of(path.name), stems)):
                found.setdefault(key, []).append(one)
        self._whole, self._bare, self._parts, self._stems = whole, bare, parts, stems

    def find(self, name: str) -> Sized | None:
        """The one image meant by this name; None where none is.

        Raises
        ------
        InputError
            If images of several sizes are called so.
        """
        name = _slashes(name)
        last = PurePosixPath(name).name
        for key, known in ((name, self._whole), (name, self._bare), (last, self._parts), (last, self._stems), (stem_of(last), self._stems)):
            found = known.get(key, [])
            if len({one.shape for one in found}) > 1:
                raise InputError(
                    f"{name!r} may be {' or '.join(one.name for one in found[:4])}, which differ in size; give the whole names"
                )
            if found:
                return found[0]
        return None

    def need(self, name: str) -> Sized:
        """The same for formats that cannot be read without a size.

        Raises
        ------
        InputError
            If there is none, with what to pass.
        """
        found = self.find(name)
        if found is None:
            raise InputError(f"the size of image {name!r} is not in the file; pass shapes={{{name!r}: (height, width)}}")
        return found


def _slashes(name: str) -> str:
    return name.replace("\\", "/")


def tell_beyond(images: Sequence[Objects], path: Path) -> None:
    """Warn of objects with corners more than half a pixel outside of their image: pixels there are in no mask."""
    beyond = sum(_beyond(item.box, one.shape) for one in images for item in one.items if item.runs is None)
    if beyond:
        every = sum(map(len, images))
        warn(f"{path}: {beyond} of {every} objects reach beyond their image; what lies outside is in no mask")


def _beyond(box: tuple[float, float, float, float], shape: Size) -> bool:
    return bool(np.min(box[:2]) < -0.5 or box[2] > shape[0] + 0.5 or box[3] > shape[1] + 0.5)
