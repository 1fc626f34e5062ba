"""Absolute error: how far off the numbers are."""

from __future__ import annotations

from torch import Tensor

from microtome.losses.dense._numbers import parse_numbers
from microtome.losses.dense._pixels import mean

__all__ = ["l1"]


def l1(outputs: Tensor, target: Tensor, *, weight: Tensor | None = None, ignore: int | None = None) -> Tensor:
    """The mean of ``|x - t|`` over pixels and channels.

    Parameters
    ----------
    outputs : Tensor (N, C, *spatial)
        Numbers, such as distances; not logits.
    target : Tensor, float (N, C, *spatial), or (N, *spatial) of one channel
    weight : Tensor (N, *spatial), optional
        How much each pixel counts.
    ignore : int, optional
        Pixels whose channels all hold this value count nowhere.

    Returns
    -------
    Tensor, a scalar
        At least float32; 0 with zero gradient where no pixel is valid.

    Raises
    ------
    InputError
        If shapes or types do not fit.

    Examples
    --------
    >>> import torch
    >>> l1(torch.tensor([[[0.0, 1.0]]]), torch.tensor([[1.0, 3.0]])).item()
    1.5
    """
    pixels = parse_numbers(outputs, target, weight, ignore)
    values = (pixels.logits - pixels.target).abs()
    return mean(values.mean(1), pixels.mass)
