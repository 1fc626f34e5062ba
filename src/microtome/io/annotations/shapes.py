"""Image sizes that the caller gives where a format does not say them, found by file name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from microtome.core.errors import InputError

__all__ = ["Shapes", "Sized"]


class Sized(NamedTuple):
    """An image's file name as the caller gives it, and its height and width."""

    name: str
    shape: tuple[int, int]


class Shapes:
    """Heights and widths by image file name; a name is matched whole, else by its last part, else by its stem.

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
        parts: dict[str, list[Sized]] = {}
        stems: dict[str, list[Sized]] = {}
        for name, (height, width) in (given or {}).items():
            one = Sized(_slashes(name), (int(height), int(width)))
            path = PurePosixPath(one.name)
            for key, found in ((one.name, whole), (path.name, parts), (path.stem, stems)):
                found.setdefault(key, []).append(one)
        self._whole, self._parts, self._stems = whole, parts, stems

    def find(self, name: str) -> Sized | None:
        """The one image meant by this name; None where none is.

        Raises
        ------
        InputError
            If images of several sizes are called so.
        """
        name = _slashes(name)
        path = PurePosixPath(name)
        steps = ((name, self._whole), (path.name, self._parts), (path.name, self._stems), (path.stem, self._stems))
        for key, known in steps:
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
