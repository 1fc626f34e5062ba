"""Lovász softmax: the Jaccard loss itself, made smooth enough to be followed downhill."""

from __future__ import annotations

import torch
from torch import Tensor

from microtome.losses.dense._lovasz import lovasz_extension
from microtome.losses.dense._pixels import Activation, one_hot, parse, probabilities

__all__ = ["lovasz"]


def lovasz(
    outputs: Tensor,
    target: Tensor,
    *,
    weight: Tensor | None = None,
    ignore: int | None = None,
    per_image: bool = False,
    keep_empty: bool = False,
    background: bool = True,
    activation: Activation = "softmax",
) -> Tensor:
    """The mean over classes of the Lovász extension of ``1 - J`` at the errors ``|g - p|``.

    Parameters
    ----------
    outputs : Tensor (N, C, *spatial), logits
        One channel is the foreground of two classes.
    target : Tensor
        Classes, integer (N, *spatial), or shares, float (N, C, *spatial).
    weight : Tensor (N, *spatial), optional
        How much each pixel counts in intersection and union.
    ignore : int, optional
        Pixels of this value count nowhere.
    per_image : bool
        Rank the errors of each image alone and average, instead of those of the batch.
    keep_empty : bool
        Count classes too that the truth does not have.
    background : bool
        Count class 0 too, where there are several channels.
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
    Sorts every pixel once a class. Of equal errors the first pixel comes first.

    References
    ----------
    M. Berman, A. Rannen Triki and M. B. Blaschko, The Lovász-softmax loss, CVPR 2018, section 3, arXiv:1705.08790.

    Examples
    --------
    >>> p, g = torch.tensor([[[0.9, 0.8, 0.3, 0.1]]]), torch.tensor([[1, 1, 0, 0]])
    >>> round(lovasz(p, g, activation="none").item(), 6)
    0.2
    """
    pixels = parse(outputs, target, weight, ignore)
    p, g = probabilities(pixels.logits, activation), one_hot(pixels)
    if not background and p.shape[1] > 1:
        p, g = p[:, 1:], g[:, 1:]
    mass = pixels.mass.unsqueeze(1).expand_as(g)
    if not per_image:
        p, g, mass = (values.transpose(0, 1).unsqueeze(0) for values in (p, g, mass))
    rows = p.shape[0] * p.shape[1]
    p, g, mass = (values.reshape(rows, -1) for values in (p, g, mass))
    values = lovasz_extension((g - p).abs(), g, mass)
    counts = torch.ones_like(values) if keep_empty else ((g * mass).sum(1) > 0).to(values.dtype)
    return (values * counts).sum() / counts.sum().clamp_min(1)
