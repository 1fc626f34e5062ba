"""Binary cross-entropy: each channel is a yes or no of its own."""

from __future__ import annotations

from typing import Annotated

from torch import Tensor
from torch.nn import functional

from microtome.core.errors import RecipeError
from microtome.core.parameters import Range
from microtome.losses.dense._pixels import mean, one_hot, parse

__all__ = ["bce"]


def bce(
    outputs: Tensor,
    target: Tensor,
    *,
    weight: Tensor | None = None,
    ignore: int | None = None,
    pos_weight: Annotated[float | tuple[float, ...], Range(above=0)] = 1.0,
) -> Tensor:
    """The mean of ``max(x, 0) - x t + log(1 + exp(-|x|))`` over pixels and channels.

    Parameters
    ----------
    outputs : Tensor (N, C, *spatial), logits
    target : Tensor
        Integer (N, *spatial): over one channel 0 or 1, over several the class whose channel says yes. Or float
        (N, C, *spatial), 0 to 1, any number of channels at once; (N, *spatial) over one channel.
    weight : Tensor (N, *spatial), optional
        How much each pixel counts.
    ignore : int, optional
        Pixels of this value count nowhere.
    pos_weight : number, or one a channel
        How much a yes counts against a no.

    Returns
    -------
    Tensor, a scalar
        At least float32; 0 with zero gradient where no pixel is valid.

    Raises
    ------
    InputError
        If shapes or types do not fit.
    RecipeError
        If `pos_weight` holds neither one number nor one a channel.

    Examples
    --------
    >>> import torch
    >>> round(bce(torch.tensor([[[2.0]]]), torch.tensor([[0]])).item(), 6)
    2.126928
    """
    pixels = parse(outputs, target, weight, ignore)
    channels = outputs.shape[1]
    yes = pos_weight if isinstance(pos_weight, tuple) else (pos_weight,)
    if len(yes) not in (1, channels):
        raise RecipeError(f"bce: pos_weight: found {len(yes)} numbers, expected one or {channels}, one a channel")
    across = pixels.logits.new_tensor(yes).reshape(-1, *[1] * (outputs.ndim - 2))
    values = functional.binary_cross_entropy_with_logits(pixels.logits, one_hot(pixels), pos_weight=across, reduction="none")
    return mean(values.mean(1), pixels.mass)
