"""Generalised Dice: one overlap of all classes, the rare ones weighing as much as the common."""

from __future__ import annotations

import torch
from torch import Tensor

from microtome.losses.dense._overlaps import overlap
from microtome.losses.dense._pixels import Activation

__all__ = ["generalised_dice"]


def generalised_dice(
    outputs: Tensor,
    target: Tensor,
    *,
    weight: Tensor | None = None,
    ignore: int | None = None,
    per_image: bool = False,
    activation: Activation = "softmax",
) -> Tensor:
    """``1 - 2 sum w_c I_c / sum w_c (P_c + G_c)`` with ``w_c = 1 / G_c²``, G_c the pixels of class c.

    Parameters
    ----------
    outputs : Tensor (N, C, *spatial), logits
        One channel counts as two classes, foreground and background.
    target : Tensor
        Classes, integer (N, *spatial), or shares, float (N, C, *spatial).
    weight : Tensor (N, *spatial), optional
        How much each pixel counts in every sum.
    ignore : int, optional
        Pixels of this value count nowhere.
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

    Notes
    -----
    A class the truth does not have weighs as much as the rarest it has: the formula would weigh it without end.

    References
    ----------
    C. H. Sudre et al., Generalised Dice overlap, DLMIA 2017, section 2.1, arXiv:1707.03237.

    Examples
    --------
    >>> p = torch.tensor([[[0.7, 0.6, 0.2, 0.1], [0.2, 0.3, 0.7, 0.2], [0.1, 0.1, 0.1, 0.7]]])
    >>> round(generalised_dice(p, torch.tensor([[0, 0, 1, 2]]), activation="none").item(), 6)
    0.349057
    """
    found = overlap(outputs, target, weight, ignore, activation=activation, per_image=per_image, two=True)
    present = found.true > 0
    rarest = torch.where(present, found.true, torch.inf).amin(1, keepdim=True)
    # Only the weights' ratios matter: measured against the rarest class none is above 1, and none overflows.
    weights = torch.where(present, rarest / found.true.clamp_min(torch.finfo(found.true.dtype).tiny), 1.0) ** 2
    shared, whole = (weights * found.both).sum(1), (weights * (found.predicted + found.true)).sum(1)
    some = present.any(1).to(shared.dtype)
    values = some * (1 - 2 * shared / whole.clamp_min(torch.finfo(whole.dtype).tiny))
    return values.sum() / some.sum().clamp_min(1)
