"""Jaccard: one minus the intersection of prediction and truth over their union, or its logarithm."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from microtome.core.parameters import Range
from microtome.losses.dense._overlaps import mean_of_present, overlap, ratio
from microtome.losses.dense._pixels import Activation

__all__ = ["jaccard"]


def jaccard(
    outputs: Tensor,
    target: Tensor,
    *,
    weight: Tensor | None = None,
    ignore: int | None = None,
    log: bool = False,
    eps: Annotated[float, Range(min=0)] = 1e-5,
    keep_empty: bool = False,
    background: bool = True,
    per_image: bool = False,
    activation: Activation = "softmax",
) -> Tensor:
    """The mean over classes of ``1 - J``, ``J = (sum p g + eps) / (sum p + sum g - sum p g + eps)``.

    Parameters
    ----------
    outputs : Tensor (N, C, *spatial), logits
        One channel is the foreground of two classes.
    target : Tensor
        Classes, integer (N, *spatial), or shares, float (N, C, *spatial).
    weight : Tensor (N, *spatial), optional
        How much each pixel counts in every sum.
    ignore : int, optional
        Pixels of this value count nowhere.
    log : bool
        ``-log J`` instead: steeper where hardly anything overlaps. Added to cross-entropy it is the loss of V. Iglovikov,
        S. Mushinskiy and V. Osin (2017).
    eps : float
    keep_empty : bool
        Count classes too that the truth does not have.
    background : bool
        Count class 0 too, where there are several channels.
    per_image : bool
        Sum over each image alone and average, instead of over the batch.
    activation : "softmax" (default), "sigmoid" or "none"
        As in `dice`.

    Returns
    -------
    Tensor, a scalar
        At least float32; 0 with zero gradient where no class is present.

    Raises
    ------
    InputError
        If shapes or types do not fit.

    References
    ----------
    M. A. Rahman and Y. Wang, ISVC 2016, section 3; V. Iglovikov et al., equation 3, arXiv:1706.06169.

    Examples
    --------
    >>> p, g = torch.tensor([[[0.9, 0.8, 0.3, 0.1]]]), torch.tensor([[1, 1, 0, 0]])
    >>> round(jaccard(p, g, activation="none", eps=0).item(), 6)
    0.291667
    """
    found = overlap(outputs, target, weight, ignore, activation=activation, background=background, per_image=per_image)
    share = ratio(found.both, found.predicted + found.true - found.both, eps)
    values = -share.clamp_min(torch.finfo(share.dtype).tiny).log() if log else 1 - share
    return mean_of_present(values, found, keep_empty=keep_empty)
