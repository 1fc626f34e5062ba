"""Outputs that are numbers, not logits: each channel against a channel of the target."""

from __future__ import annotations

import torch
from torch import Tensor

from microtome.core.errors import InputError
from microtome.losses.dense._pixels import Pixels, parse

__all__ = ["parse_numbers"]


def parse_numbers(outputs: Tensor, target: Tensor, weight: Tensor | None, ignore: int | None) -> Pixels:
    """As `parse`, for a target of numbers (N, C, *spatial), or (N, *spatial) of one channel.

    Raises
    ------
    InputError
        Also if the target holds classes.
    """
    one = outputs.ndim > 1 and outputs.shape[1] == 1 and target.ndim == outputs.ndim - 1
    pixels = parse(
        outputs, target.to(torch.float64 if outputs.dtype == torch.float64 else torch.float32) if one else target, weight, ignore
    )
    if pixels.hard:
        raise InputError(f"the target has shape {tuple(target.shape)}; numbers for outputs {tuple(outputs.shape)} need that shape")
    return pixels
