"""Steps for red, green and blue say so."""

from __future__ import annotations

from microtome.core.errors import InputError
from microtome.learn.augment.example import Example

__all__ = ["rgb_only"]


def rgb_only(example: Example, step: str) -> None:
    """Refuse an image that has not three channels."""
    channels = example.image.shape[-1]
    if channels != 3:
        raise InputError(f"{example.name or 'the image'}: {step} needs red, green and blue, found {channels} channels; leave {step} out")
