"""Tversky: an overlap in which a missed pixel and a false one weigh differently; focal Tversky, its power."""

from __future__ import annotations

from typing import Annotated

from torch import Tensor

from microtome.core.parameters import Range
from microtome.losses.dense._overlaps import mean_of_present, overlap, ratio
from microtome.losses.dense._pixels import Activation

__all__ = ["tversky"]


def tversky(
    outputs: Tensor,
    target: Tensor,
    *,
    weight: Tensor | None = None,
    ignore: int | None = None,
    alpha: Annotated[float, Range(min=0, search=(0.1, 0.9))] = 0.3,
    beta: Annotated[float, Range(min=0, search=(0.1, 0.9))] = 0.7,
    gamma: Annotated[float, Range(above=0, search=(1, 3))] = 1.0,
    eps: Annotated[float, Range(min=0)] = 1e-5,
    keep_empty: bool = False,
    background: bool = True,
    per_image: bool = False,
    activation: Activation = "softmax",
) -> Tensor:
    """The mean over classes of ``(1 - T)^(1 / gamma)``, ``T = I / (I + alpha FP + beta FN)``.

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
    alpha, beta : float
        What a false pixel and a missed one weigh. Half and half is Dice, one and one Jaccard.
    gamma : float
        1 is plain; 4/3 is the focal form of the paper, which looks longer at classes that overlap well.
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
    S. S. M. Salehi, D. Erdogmus and A. Gholipour, MLMI 2017, equation 3, arXiv:1706.05721; N. Abraham and N. M. Khan, ISBI 2019,
    equation 4, arXiv:1810.07842.

    Examples
    --------
    >>> import torch
    >>> p, g = torch.tensor([[[0.9, 0.8, 0.3, 0.1]]]), torch.tensor([[1, 1, 0, 0]])
    >>> round(tversky(p, g, activation="none", eps=0).item(), 6)
    0.162562
    """
    found = overlap(outputs, target, weight, ignore, activation=activation, background=background, per_image=per_image)
    false, missed = found.predicted - found.both, found.true - found.both
    values = 1 - ratio(found.both, found.both + alpha * false + beta * missed, eps)
    if gamma != 1:
        values = values.clamp_min(1e-12) ** (1 / gamma)  # a root has no slope at 0
    return mean_of_present(values, found, keep_empty=keep_empty)
