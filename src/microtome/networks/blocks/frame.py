"""The frame of a map: zeros put around it so that a network can halve it, and what is cut off again."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["crop", "crop_to", "pad_to_step"]


def pad_to_step(batch: Tensor, step: int, least: int) -> Tensor:
    """Zeros behind every spatial axis, up to the next multiple of `step` and to `least`: what the convolutions' padding holds.

    Examples
    --------
    >>> pad_to_step(torch.ones(1, 1, 5, 8), 4, 4).shape
    torch.Size([1, 1, 8, 8])
    """
    missing = [amount for side in reversed(batch.shape[2:]) for amount in (0, _to_step(side, step, least))]
    # An exporter must not learn from this image that nothing is missing, so it gets the padding always.
    if not torch.compiler.is_compiling() and not any(missing):
        return batch
    return F.pad(batch, missing)


def _to_step(side: int, step: int, least: int) -> int:
    # A multiple of the step as written, so that an exporter sees it can be halved; ONNX cuts a negative quotient towards zero.
    above = (side + step - 1) // step * step
    return (torch.sym_max(above, least) if least > step else above) - side  # type: ignore[no-untyped-call]


def crop_to(x: Tensor, size: Sequence[int]) -> Tensor:
    """Cut what lies behind `size` off every spatial axis: `pad_to_step` undone."""
    return x[(slice(None), slice(None), *(slice(0, side) for side in size))]


def crop(x: Tensor, margin: int) -> Tensor:
    """Cut `margin` pixels off both ends of every spatial axis.

    Examples
    --------
    >>> crop(torch.arange(5.0).view(1, 1, 1, 5).expand(1, 1, 5, 5), 2)
    tensor([[[[2.]]]])
    """
    return x[(slice(None), slice(None), *(slice(margin, -margin),) * (x.ndim - 2))] if margin else x
