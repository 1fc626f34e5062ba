"""Smooth L1: squared near zero, absolute farther off."""

from __future__ import annotations

from typing import Annotated

from torch import Tensor
from torch.nn import functional

from microtome.core.parameters import Range
from microtome.losses.dense._numbers import parse_numbers
from microtome.losses.dense._pixels import mean

__all__ = ["smooth_l1"]


def smooth_l1(
    outputs: Tensor,
    target: Tensor,
    *,
    weight: Tensor | None = None,
    ignore: int | None = None,
    beta: Annotated[float, Range(above=0)] = 1.0,
) -> Tensor:
    """The mean of ``d² / 2 beta`` where ``d = |x - t|`` is below beta, ``d - beta / 2`` beyond.

    Parameters
    ----------
    outputs : Tensor (N, C, *spatial)
        Numbers, such as distances; not logits.
    target : Tensor, float (N, C, *spatial), or (N, *spatial) of one channel
    weight : Tensor (N, *spatial), optional
        How much each pixel counts.
    ignore : int, optional
        Pixels whose channels all hold this value count nowhere.
    beta : float
        Where it turns from squared to absolute.

    Returns
    -------
    Tensor, a scalar
        At least float32; 0 with zero gradient where no pixel is valid.

    Raises
    ------
    InputError
        If shapes or types do not fit.

    References
    ----------
    R. Girshick, Fast R-CNN, ICCV 2015, equation 3, arXiv:1504.08083.

    Examples
    --------
    >>> import torch
    >>> smooth_l1(torch.tensor([[[0.0, 1.0]]]), torch.tensor([[1.0, 3.0]])).item()
    1.0
    """
    pixels = parse_numbers(outputs, target, weight, ignore)
    values = functional.smooth_l1_loss(pixels.logits, pixels.target, beta=beta, reduction="none")
    return mean(values.mean(1), pixels.mass)
