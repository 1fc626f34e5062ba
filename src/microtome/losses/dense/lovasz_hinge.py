"""Lovász hinge: the Jaccard loss of one foreground, by the margins of its logits."""

from __future__ import annotations

from torch import Tensor

from microtome.core.errors import InputError
from microtome.losses.dense._lovasz import lovasz_extension
from microtome.losses.dense._pixels import one_hot, parse

__all__ = ["lovasz_hinge"]


def lovasz_hinge(
    outputs: Tensor, target: Tensor, *, weight: Tensor | None = None, ignore: int | None = None, per_image: bool = False
) -> Tensor:
    """The Lovász extension of ``1 - J`` at the errors ``max(0, 1 - x)`` in the foreground, ``max(0, 1 + x)`` outside.

    Parameters
    ----------
    outputs : Tensor (N, 1, *spatial), logits
    target : Tensor
        0 and 1: integer (N, *spatial), or float (N, 1, *spatial).
    weight : Tensor (N, *spatial), optional
        How much each pixel counts in intersection and union.
    ignore : int, optional
        Pixels of this value count nowhere.
    per_image : bool
        Rank the errors of each image alone and average, instead of those of the batch.

    Returns
    -------
    Tensor, a scalar
        At least float32; 0 with zero gradient where no pixel is valid. Where the truth is empty, the largest error.

    Raises
    ------
    InputError
        If there is more than one channel, or shapes or types do not fit.

    References
    ----------
    M. Berman, A. Rannen Triki and M. B. Blaschko, CVPR 2018, section 2.2, arXiv:1705.08790.

    Examples
    --------
    >>> import torch
    >>> lovasz_hinge(torch.tensor([[[2.0, -1.0, 0.5, -2.0]]]), torch.tensor([[1, 1, 0, 0]])).item()
    1.25
    """
    if outputs.ndim > 1 and outputs.shape[1] != 1:
        raise InputError(f"lovasz_hinge takes one channel, found {outputs.shape[1]}; lovasz takes several")
    pixels = parse(outputs, target, weight, ignore)
    rows = len(outputs) if per_image else 1
    x, g, mass = (values.reshape(rows, -1) for values in (pixels.logits, one_hot(pixels), pixels.mass))
    errors = (1 - x * (2 * g - 1)).clamp_min(0)
    return lovasz_extension(errors, g, mass).mean()
