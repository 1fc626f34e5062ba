"""The Lovász extension of the Jaccard loss: what each error adds when the largest come first."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["lovasz_extension"]


def lovasz_extension(errors: Tensor, true: Tensor, mass: Tensor) -> Tensor:
    """Sum the errors, each as often as it raises the Jaccard loss of all errors above it.

    Parameters
    ----------
    errors : Tensor (rows, pixels)
    true : Tensor (rows, pixels)
        1 where the class is.
    mass : Tensor (rows, pixels)
        What a pixel weighs in intersection and union; those of weight 0 add nothing, wherever they are sorted.

    Returns
    -------
    Tensor (rows,)
    """
    errors, order = errors.sort(dim=1, descending=True, stable=True)
    true, mass = true.gather(1, order), mass.gather(1, order)
    total = (true * mass).sum(1, keepdim=True)
    left = total - (true * mass).cumsum(1)
    union = total + ((1 - true) * mass).cumsum(1)
    lost = torch.where(union > 0, 1 - left / union.clamp_min(torch.finfo(union.dtype).tiny), 0.0)
    steps = torch.cat([lost[:, :1], lost[:, 1:] - lost[:, :-1]], 1)
    return (errors * steps.detach()).sum(1)
