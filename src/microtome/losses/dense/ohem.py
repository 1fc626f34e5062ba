"""Online hard example mining: the mean cross-entropy of the pixels that are still in doubt."""

from __future__ import annotations

from math import log
from typing import Annotated

import torch
from torch import Tensor

from microtome.core.parameters import Range
from microtome.losses.dense._pixels import mean, parse, surprise

__all__ = ["in_doubt", "ohem"]


def ohem(
    outputs: Tensor,
    target: Tensor,
    *,
    weight: Tensor | None = None,
    ignore: int | None = None,
    tau: Annotated[float, Range(max=1, above=0, search=(0.5, 0.95))] = 0.7,
    min_kept: Annotated[int, Range(min=1)] = 256,
) -> Tensor:
    """The mean of all cross-entropies above ``-log tau``, the pixels whose true class has a probability below tau.

    Parameters
    ----------
    outputs : Tensor (N, C, *spatial), logits
        One channel: a yes or no. Several: one class a pixel.
    target : Tensor
        Classes, integer (N, *spatial), or shares, float (N, C, *spatial).
    weight : Tensor (N, *spatial), optional
        How much each pixel counts among those that are chosen; those of weight 0 are not chosen.
    ignore : int, optional
        Pixels of this value count nowhere.
    tau : float
    min_kept : int
        At least so many pixels of the batch, the hardest; all where there are fewer.

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
    A. Shrivastava, A. Gupta and R. Girshick, CVPR 2016, arXiv:1604.03540 (of boxes); its form for pixels is in the code of
    OCNet and HRNet.

    Examples
    --------
    >>> logits = torch.tensor([[[4.0, 1.0, -1.0, 3.0]]])
    >>> round(ohem(logits, torch.ones(1, 4), min_kept=1).item(), 6)
    1.313262
    """
    pixels = parse(outputs, target, weight, ignore)
    return in_doubt(surprise(pixels).flatten(), pixels.mass.flatten(), -log(tau), min_kept)


def in_doubt(values: Tensor, mass: Tensor, above: float, min_kept: int) -> Tensor:
    """The mean of the values above a threshold, or of the `min_kept` largest where those are fewer.

    Examples
    --------
    >>> losses = torch.tensor([0.1, 2.3, 0.05, 0.7, 1.1, 0.4, 0.02, 3.0])
    >>> round(in_doubt(losses, torch.ones(8), -log(0.7), 1).item(), 6)
    1.5
    """
    counted = torch.where(mass > 0, values, -torch.inf).detach()
    least = counted.topk(min(min_kept, len(counted))).values[-1]
    kept = (counted > above) | (counted >= least)
    return mean(values, torch.where(kept, mass, 0))
