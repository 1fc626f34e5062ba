"""From a file's dimensions to Microtome's axes: one frame, no dimension of one, channels last. Nothing is guessed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError, RecipeError
from microtome.io.images.picture import Picture

__all__ = ["Layout", "channels_last", "choose", "lay_out"]

_WANTED = "zyxc"
_KNOWN = "yxzct"


@dataclass(frozen=True)
class Layout:
    """What is decoded: the letters of all dimensions as stored, and the one frame taken of them, if any."""

    axes: str
    shape: tuple[int, ...]
    frame: tuple[int, int] | None = None

    @property
    def decoded(self) -> tuple[tuple[int, ...], str]:
        """Shape and letters of what `Picture.load` gives."""
        if self.frame is None:
            return self.shape, self.axes
        cut = self.frame[0]
        return self.shape[:cut] + self.shape[cut + 1 :], self.axes[:cut] + self.axes[cut + 1 :]


def choose(pictures: Sequence[Picture], page: int | None) -> tuple[Picture, int | None]:
    """The one picture that is meant, and the page that is still to be taken inside it."""
    if len(pictures) == 1:
        return pictures[0], page
    if page is None:
        listed = "; ".join(f"{number}: {_describe(picture)}" for number, picture in enumerate(pictures[:8]))
        more = ", ..." if len(pictures) > 8 else ""
        raise InputError(f"the file holds {len(pictures)} images ({listed}{more}): choose one, for example with page=0")
    return pictures[_checked(page, len(pictures), "images")], None


def _describe(picture: Picture) -> str:
    return f"{picture.name} {' x '.join(map(str, picture.shape))}".strip()


def _checked(page: int, count: int, what: str) -> int:
    if not 0 <= page < count:
        raise InputError(f"there is no page {page}: the file holds {count} {what}, numbered from 0")
    return page


def lay_out(picture: Picture, axes: str | None, page: int | None) -> Layout:
    """Settle what each dimension is, and which frame is taken.

    Parameters
    ----------
    picture : Picture
        Its axes are the file's own.
    axes : str or None
        The user's letters, for every dimension or for those longer than one, in the file's order.
    page : int or None
        The frame of a time series or the page of a stack of unknown meaning.

    Raises
    ------
    InputError
        If a dimension's meaning is unknown, or a time axis is left over.
    """
    letters = picture.axes if axes is None else _named_by_user(picture, axes)
    layout = Layout(letters, picture.shape)
    if not {"y", "x"} <= set(letters):
        raise InputError(_nameless(picture.shape))
    over = [number for number, letter in enumerate(letters) if letter not in _WANTED and picture.shape[number] > 1]
    if len(over) > 1:
        raise InputError(f"the file has {_sizes(layout)}: more dimensions than an image has; save the part that is meant")
    if not over:
        if page:
            raise InputError(f"there is no page {page}: the file holds one image ({_sizes(layout)})")
        return layout
    count, letter = picture.shape[over[0]], letters[over[0]]
    if page is None:
        raise InputError(_which(letter, count, layout))
    return Layout(letters, picture.shape, (over[0], _checked(page, count, "frames" if letter == "t" else "pages")))


def _nameless(shape: tuple[int, ...]) -> str:
    guesses = {3: "axes='zyx' (a volume), 'yxc' or 'cyx' (channels)", 4: "axes='zyxc' or 'zcyx'"}
    if len(shape) not in guesses:
        return f"an array of shape {shape} is not an image: two to four dimensions are"
    return f"the array of shape {shape} does not say what its dimensions are: give {guesses[len(shape)]}"


def _which(letter: str, count: int, layout: Layout) -> str:
    if letter == "t":
        return f"the file is a time series of {count} frames ({_sizes(layout)}): read one at a time, for example with page=0"
    if letter == "s":
        return f"the file has both channels and colour samples ({_sizes(layout)}); save it with one of them"
    named = layout.axes.replace("p", "{}", 1).replace("p", "")
    volume = f"axes={named.format('z')!r} if they are the slices of one volume, " if "z" not in named else ""
    channels = f"axes={named.format('c')!r} if they are channels, " if "c" not in named else ""
    return f"the file has {count} pages and does not say what they are: give {volume}{channels}or choose one with page=0"


def _named_by_user(picture: Picture, axes: str) -> str:
    axes = axes.lower()
    unknown = [letter for letter in axes if letter not in _KNOWN]
    if unknown or len(set(axes)) != len(axes) or not {"y", "x"} <= set(axes):
        raise RecipeError(f"axes {axes!r}: write y and x, and z, c, t where there are such, each once, in the file's order")
    long = [number for number, (n, letter) in enumerate(zip(picture.shape, picture.axes, strict=True)) if n > 1 or letter in "yx"]
    if len(axes) == len(picture.shape):
        return axes
    if len(axes) == len(long):
        letters = ["p"] * len(picture.shape)
        for number, letter in zip(long, axes, strict=True):
            letters[number] = letter
        return "".join(letters)
    raise InputError(f"axes {axes!r} name {len(axes)} dimensions, the file has {_sizes(Layout(picture.axes, picture.shape))}")


def _sizes(layout: Layout) -> str:
    return ", ".join(f"{'pages' if letter == 'p' else letter}: {n}" for letter, n in zip(layout.axes, layout.shape, strict=True))


def channels_last(pixels: NDArray[Any], axes: str) -> tuple[NDArray[Any], str]:
    """Drop dimensions of one and put the rest in the order z, y, x, c; contiguous, in native byte order.

    >>> channels_last(np.zeros((3, 1, 4, 5)), "czyx")[1]
    'yxc'
    """
    keep = [number for number, letter in enumerate(axes) if letter in "yx" or pixels.shape[number] > 1]
    pixels = pixels.reshape([pixels.shape[number] for number in keep])
    axes = "".join(axes[number] for number in keep)
    order = [axes.index(letter) for letter in _WANTED if letter in axes]
    pixels = np.ascontiguousarray(pixels.transpose(order))
    return pixels.astype(pixels.dtype.newbyteorder("="), copy=False), "".join(axes[number] for number in order)
