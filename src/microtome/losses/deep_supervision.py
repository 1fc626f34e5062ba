"""Deep supervision: a loss at several scales, the coarser ones counting less."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from microtome.core.errors import InputError

__all__ = ["at_size", "deep_supervision", "scale_weights"]


def deep_supervision(
    outputs: Sequence[Tensor],
    target: Tensor,
    *,
    loss: Callable[..., Tensor],
    weight: Tensor | None = None,
    ignore: int | None = None,
    drop_coarsest: bool = False,
) -> Tensor:
    """The mean of a loss over outputs of several sizes, weighted by `scale_weights`.

    Parameters
    ----------
    outputs : sequence of Tensor (N, C, *spatial), finest first
    target : Tensor (N, *spatial) or (N, C, *spatial)
        Of the finest size; the nearest pixel is taken at the others.
    loss : function
        Any loss, called as ``loss(outputs, target, weight=..., ignore=...)``.
    weight : Tensor (N, *spatial), optional
    ignore : int, optional
    drop_coarsest : bool
        Leave the last output out, as nnU-Net does.

    Raises
    ------
    InputError
        If there is no output, or only the one that is dropped.

    References
    ----------
    Q. Dou et al., 3D deeply supervised network, MICCAI 2016, arXiv:1607.00582; F. Isensee et al., Nature Methods 18, 2021, 203-211.

    Examples
    --------
    >>> from microtome.losses.dense.mse import mse
    >>> scales = [torch.full((1, 1, n), float(n)) for n in (4, 2)]
    >>> round(deep_supervision(scales, torch.zeros(1, 4), loss=mse).item(), 6)
    12.0
    """
    factors = scale_weights(len(outputs), drop_coarsest=drop_coarsest)
    total = torch.zeros((), dtype=torch.float32, device=outputs[0].device)
    for scale, factor in zip(outputs, factors, strict=True):
        if factor:
            size = tuple(scale.shape[2:])
            sized = None if weight is None else at_size(weight, size)
            total = total + factor * loss(scale, at_size(target, size), weight=sized, ignore=ignore)
    return total


def scale_weights(count: int, *, drop_coarsest: bool = False) -> tuple[float, ...]:
    """``2^-i`` over their sum, the finest scale first; 0 for the coarsest where it is dropped.

    Raises
    ------
    InputError
        If no scale is left.

    Examples
    --------
    >>> [round(w, 6) for w in scale_weights(4, drop_coarsest=True)]
    [0.571429, 0.285714, 0.142857, 0.0]
    """
    kept = count - drop_coarsest
    if kept < 1:
        raise InputError(f"deep supervision: {count} output(s){' less the coarsest' if drop_coarsest else ''} leave no scale to compare")
    total = sum(2.0**-i for i in range(kept))
    return (*(2.0**-i / total for i in range(kept)), *[0.0] * drop_coarsest)


def at_size(values: Tensor, size: Sequence[int]) -> Tensor:
    """Take the nearest pixel along each of the last axes: classes are never blended.

    >>> at_size(torch.tensor([[0, 1, 2, 3]]), (2,)).tolist()
    [[1, 3]]
    """
    first = values.ndim - len(size)
    for axis, length in enumerate(size, first):
        old = values.shape[axis]
        if length != old:
            centres = (torch.arange(length, device=values.device, dtype=torch.float64) + 0.5) * (old / length)
            values = values.index_select(axis, centres.long().clamp_max(old - 1))
    return values
