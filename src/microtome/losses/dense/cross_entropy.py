"""Cross-entropy: how surprised the network is by each pixel's class."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from torch import Tensor
from torch.nn import functional

from microtome.core.errors import RecipeError
from microtome.core.parameters import Range
from microtome.losses.dense._pixels import Pixels, mean, parse

__all__ = ["cross_entropy"]


def cross_entropy(
    outputs: Tensor,
    target: Tensor,
    *,
    weight: Tensor | None = None,
    ignore: int | None = None,
    label_smoothing: Annotated[float, Range(0, 1, search=(0, 0.2))] = 0.0,
    class_weights: Annotated[tuple[float, ...] | None, Range(min=0)] = None,
    reduction: Literal["weights", "pixels"] = "weights",
) -> Tensor:
    """The mean of ``log sum exp s - s_y`` over the pixels.

    Parameters
    ----------
    outputs : Tensor (N, C, *spatial), logits
        Two channels or more; one channel is `bce`.
    target : Tensor
        Classes, integer (N, *spatial), or shares that sum to 1, float (N, C, *spatial).
    weight : Tensor (N, *spatial), optional
        How much each pixel counts.
    ignore : int, optional
        Pixels of this value count nowhere.
    label_smoothing : float
        The share of each pixel's target that is spread evenly over all classes (C. Szegedy et al., CVPR 2016, section 7).
    class_weights : numbers, one a class, optional
        As `microtome.losses.class_weights` finds them.
    reduction : "weights" (default) or "pixels"
        What the weighted sum is divided by: the sum of the weights, so that their scale plays no part, or the number of valid
        pixels, so that it does.

    Returns
    -------
    Tensor, a scalar
        At least float32; 0 with zero gradient where no pixel is valid.

    Raises
    ------
    InputError
        If shapes or types do not fit, or the target holds a class that has no channel.
    RecipeError
        If there is not one weight a class.

    Notes
    -----
    Class weights weigh each class's term, inside the smoothing too, as torch does.

    Examples
    --------
    >>> logits = torch.tensor([[[2.0], [1.0], [0.0]]], dtype=torch.float64)
    >>> round(cross_entropy(logits, torch.tensor([[0]])).item(), 9)
    0.407605964
    """
    pixels = parse(outputs, target, weight, ignore)
    channels = outputs.shape[1]
    if class_weights is not None and len(class_weights) != channels:
        raise RecipeError(f"cross_entropy: class_weights: found {len(class_weights)} numbers, expected {channels}, one a class")
    each = None if class_weights is None else pixels.logits.new_tensor(class_weights)
    values = functional.cross_entropy(pixels.logits, pixels.target, each, reduction="none", label_smoothing=label_smoothing)
    if reduction == "pixels":
        return (values * pixels.mass).sum() / pixels.valid.clamp_min(1)
    return mean(values, pixels.mass) if each is None else _by_weights(values, pixels, each)


def _by_weights(values: Tensor, pixels: Pixels, each: Tensor) -> Tensor:
    """Divide by the weights of the pixels' classes, which the values hold already."""
    across = each.reshape(-1, *[1] * (pixels.logits.ndim - 2))
    of_pixel = each[pixels.target] if pixels.hard else (pixels.target * across).sum(1)
    total = (of_pixel * pixels.mass).sum()
    return (values * pixels.mass).sum() / total.clamp_min(torch.finfo(total.dtype).tiny)
