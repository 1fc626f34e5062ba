"""Dice: one minus twice what prediction and truth share, over what they have together."""

from __future__ import annotations

from typing import Annotated

from torch import Tensor

from microtome.core.parameters import Range
from microtome.losses.dense._overlaps import mean_of_present, overlap, ratio
from microtome.losses.dense._pixels import Activation

__all__ = ["dice"]


def dice(
    outputs: Tensor,
    target: Tensor,
    *,
    weight: Tensor | None = None,
    ignore: int | None = None,
    squared: bool = False,
    eps: Annotated[float, Range(min=0)] = 1e-5,
    keep_empty: bool = False,
    background: bool = True,
    per_image: bool = False,
    activation: Activation = "softmax",
) -> Tensor:
    """The mean over classes of ``1 - (2 sum p g + eps) / (sum p + sum g + eps)``.

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
    squared : bool
        Divide by ``sum p² + sum g²``, the paper's form.
    eps : float
    keep_empty : bool
        Count classes too that the truth does not have. Left out, they say nothing; kept, they push every p of theirs down, and
        `eps` says how hard.
    background : bool
        Count class 0 too, where there are several channels.
    per_image : bool
        Sum over each image alone and average, instead of over the batch.
    activation : "softmax" (default), "sigmoid" or "none"
        Over the channels together (one channel: a sigmoid); each alone, for classes that overlap; or they are probabilities already.

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
    F. Milletari, N. Navab and S.-A. Ahmadi, V-Net, 3DV 2016, section 3, arXiv:1606.04797.

    Examples
    --------
    >>> import torch
    >>> p, g = torch.tensor([[[0.9, 0.8, 0.3, 0.1]]]), torch.tensor([[1, 1, 0, 0]])
    >>> round(dice(p, g, activation="none", eps=0).item(), 6)
    0.170732
    """
    found = overlap(
        outputs, target, weight, ignore, activation=activation, background=background, per_image=per_image, squared=squared
    )  # fmt: skip
    return mean_of_present(1 - ratio(2 * found.both, found.predicted + found.true, eps), found, keep_empty=keep_empty)
