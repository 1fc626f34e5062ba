"""Normalisation behind a convolution: none, over the batch, over groups of channels, or over each channel of an image."""

from __future__ import annotations

from typing import Literal

from torch import nn

from microtome.core.errors import RecipeError

__all__ = ["Norm", "normalisation", "normalisation_parameters"]

Norm = Literal["none", "batch", "group", "instance"]


def normalisation(kind: Norm, channels: int, *, dimensions: int, groups: int = 8) -> nn.Module | None:
    """A layer with a learned scale and offset a channel, or None.

    Raises
    ------
    RecipeError
        If `groups` does not divide the channels.

    Examples
    --------
    >>> normalisation("group", 32, dimensions=2).num_groups
    8
    """
    if kind == "none":
        return None
    if kind == "group":
        if channels % groups:
            raise RecipeError(f"norm: {groups} groups do not divide {channels} channels; set groups to a divisor, or norm to instance")
        return nn.GroupNorm(groups, channels)
    if kind == "instance":
        return (nn.InstanceNorm2d if dimensions == 2 else nn.InstanceNorm3d)(channels, affine=True)
    return (nn.BatchNorm2d if dimensions == 2 else nn.BatchNorm3d)(channels)


def normalisation_parameters(kind: Norm, channels: int) -> int:
    """Its scales and offsets; the running statistics of batch normalisation are buffers and not counted."""
    return 0 if kind == "none" else 2 * channels
