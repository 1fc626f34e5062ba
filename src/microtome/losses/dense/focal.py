"""Focal loss: cross-entropy that looks away from what is already right."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from microtome.core.errors import RecipeError
from microtome.core.parameters import Range
from microtome.losses.dense._pixels import Pixels, mean, one_hot, parse, surprise

__all__ = ["focal"]


def focal(
    outputs: Tensor,
    target: Tensor,
    *,
    weight: Tensor | None = None,
    ignore: int | None = None,
    gamma: Annotated[float, Range(min=0, search=(0, 5))] = 2.0,
    alpha: Annotated[float | tuple[float, ...] | None, Range(0, 1, search=(0.1, 0.9))] = None,
) -> Tensor:
    """The mean of ``-alpha_t (1 - p_t)^gamma log p_t``, p_t the probability of what is true.

    Parameters
    ----------
    outputs : Tensor (N, C, *spatial), logits
        One channel: a yes or no. Several: one class a pixel.
    target : Tensor
        Classes, integer (N, *spatial), or shares, float (N, C, *spatial).
    weight : Tensor (N, *spatial), optional
        How much each pixel counts.
    ignore : int, optional
        Pixels of this value count nowhere.
    gamma : float
        How far to look away; 0 is plain cross-entropy.
    alpha : float, or one number a class, optional
        Over one channel the weight of a yes, that of a no being the rest to 1; over several, a weight for each class.

    Returns
    -------
    Tensor, a scalar
        At least float32; divided by the weights of the valid pixels, not by the number of objects as in the paper.

    Raises
    ------
    InputError
        If shapes or types do not fit.
    RecipeError
        If `alpha` does not fit the channels.

    Notes
    -----
    Of a soft target p_t is ``exp(-CE)``.

    References
    ----------
    T.-Y. Lin et al., Focal loss for dense object detection, ICCV 2017, equation 5, arXiv:1708.02002.

    Examples
    --------
    >>> logits = torch.logit(torch.tensor([[[0.9, 0.3]]], dtype=torch.float64))
    >>> round(focal(logits, torch.tensor([[1, 0]])).item(), 9)
    0.016577175
    """
    pixels = parse(outputs, target, weight, ignore)
    values = surprise(pixels)
    # 1 - p_t without cancelling; kept off 0, where a power below 1 has no slope.
    wrong = (-torch.expm1(-values)).clamp_min(torch.finfo(values.dtype).tiny)
    values = wrong**gamma * values
    return mean(values if alpha is None else values * _alpha(pixels, alpha), pixels.mass)


def _alpha(pixels: Pixels, alpha: float | tuple[float, ...]) -> Tensor:
    channels = pixels.logits.shape[1]
    each = (1 - alpha, alpha) if isinstance(alpha, (int, float)) and channels == 1 else alpha
    if not isinstance(each, tuple) or len(each) != max(channels, 2):
        found = f"{len(each)} numbers" if isinstance(each, tuple) else f"{each}"
        raise RecipeError(f"focal: alpha: found {found}, expected {max(channels, 2)} numbers, one a class")
    weights = pixels.logits.new_tensor(each)
    if pixels.hard:
        return weights[pixels.target]
    shares = one_hot(pixels)
    shares = torch.cat([1 - shares, shares], 1) if channels == 1 else shares
    return (shares * weights.reshape(-1, *[1] * (shares.ndim - 2))).sum(1)
