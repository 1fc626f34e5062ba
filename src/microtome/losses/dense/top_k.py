"""Top-k: the mean cross-entropy of the pixels that are hardest now."""

from __future__ import annotations

from math import ceil
from typing import Annotated

import torch
from torch import Tensor

from microtome.core.parameters import Range
from microtome.losses.dense._pixels import mean, parse, surprise

__all__ = ["hardest", "top_k"]


def top_k(
    outputs: Tensor,
    target: Tensor,
    *,
    weight: Tensor | None = None,
    ignore: int | None = None,
    percent: Annotated[float, Range(max=100, above=0, search=(5, 50))] = 10.0,
) -> Tensor:
    """The mean of the `percent` largest of all valid pixels' cross-entropies.

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
    percent : float
        Of the batch's pixels; at least one is taken.

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
    Z. Wu, C. Shen and A. van den Hengel, arXiv:1605.06885, section 2.3; F. Isensee et al., nnU-Net, Nature Methods 18, 2021.

    Examples
    --------
    >>> logits = torch.tensor([[[4.0, 1.0, -1.0, 3.0]]])
    >>> round(top_k(logits, torch.ones(1, 4), percent=25).item(), 6)
    1.313262
    """
    pixels = parse(outputs, target, weight, ignore)
    values, mass = surprise(pixels).flatten(), pixels.mass.flatten()
    return hardest(values, mass, percent / 100)


def hardest(values: Tensor, mass: Tensor, share: float) -> Tensor:
    """The mean of the largest values, as many as `share` of those with mass, at least one.

    Examples
    --------
    >>> losses = torch.tensor([0.1, 2.3, 0.05, 0.7, 1.1, 0.4, 0.02, 3.0])
    >>> round(hardest(losses, torch.ones(8), 0.25).item(), 6)
    2.65
    """
    counted = torch.where(mass > 0, values, -torch.inf)
    largest, at = counted.topk(max(1, min(len(values), ceil(len(values) * share))))
    wanted = ((mass > 0).sum().double() * share + 1e-9).floor().clamp_min(1)
    taken = torch.arange(len(largest), device=values.device) < wanted
    return mean(torch.where(largest > -torch.inf, largest, 0), torch.where(taken, mass[at], 0))
