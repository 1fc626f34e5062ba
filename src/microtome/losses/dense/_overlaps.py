"""How much prediction and truth share, class by class: what Dice, Jaccard and Tversky are made of."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from microtome.losses.dense._pixels import Activation, one_hot, parse, probabilities

__all__ = ["Overlap", "mean_of_present", "overlap", "ratio"]


class Overlap(NamedTuple):
    """Weighted sums over the pixels, each (images, classes): of p g, of p, and of g. One row where images are pooled."""

    both: Tensor
    predicted: Tensor
    true: Tensor


def overlap(
    outputs: Tensor,
    target: Tensor,
    weight: Tensor | None,
    ignore: int | None,
    *,
    activation: Activation = "softmax",
    background: bool = True,
    per_image: bool = False,
    squared: bool = False,
    two: bool = False,
) -> Overlap:
    """Sum over the valid pixels. `squared` sums p² and g²; `two` makes a background beside a single channel."""
    pixels = parse(outputs, target, weight, ignore)
    p, g = probabilities(pixels.logits, activation), one_hot(pixels)
    if p.shape[1] == 1 and two:
        p, g = torch.cat([1 - p, p], 1), torch.cat([1 - g, g], 1)
    if not background and p.shape[1] > 1:
        p, g = p[:, 1:], g[:, 1:]
    mass = pixels.mass.unsqueeze(1)
    axes = [axis for axis in range(p.ndim) if axis > 1 or (axis == 0 and not per_image)]

    def total(values: Tensor) -> Tensor:
        return (values * mass).sum(axes).reshape(-1, p.shape[1])

    return Overlap(total(p * g), total(p * p if squared else p), total(g * g if squared else g))


def ratio(above: Tensor, below: Tensor, eps: float) -> Tensor:
    """``(above + eps) / (below + eps)``; 1 where nothing is divided by nothing."""
    whole = below + eps
    return torch.where(whole > 0, (above + eps) / whole.clamp_min(torch.finfo(whole.dtype).tiny), 1.0)


def mean_of_present(values: Tensor, found: Overlap, *, keep_empty: bool) -> Tensor:
    """The mean over the classes the truth has, or over all; 0 with zero gradient where there is none."""
    counts = torch.ones_like(values) if keep_empty else (found.true > 0).to(values.dtype)
    return (values * counts).sum() / counts.sum().clamp_min(1)
