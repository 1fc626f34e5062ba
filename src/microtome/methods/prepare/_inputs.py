"""What several steps refuse."""

from __future__ import annotations

from microtome.core.errors import InputError
from microtome.core.raster import Image

__all__ = ["refuse_bool"]


def refuse_bool(image: Image, name: str) -> None:
    """Refuse pixels that are true or false: they are a mask, and have no levels.

    Raises
    ------
    InputError
        Naming the step and the image.
    """
    if image.pixels.dtype == bool:
        raise InputError(
            f"{name}: {image.source or 'image'} is of true and false, a mask; {name} works on a picture's levels"
            " (if it is one, write image.astype(np.uint8))"
        )
