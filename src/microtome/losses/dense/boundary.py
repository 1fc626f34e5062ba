"""Boundary loss: how far from the true outline the predicted foreground lies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from microtome.core.errors import RecipeError
from microtome.core.kernels.distance import distance
from microtome.core.parameters import Range
from microtome.losses.dense._pixels import Activation, mean, one_hot, parse, probabilities

__all__ = ["boundary", "outline_distance"]


def boundary(
    outputs: Tensor,
    target: Tensor,
    *,
    weight: Tensor | None = None,
    ignore: int | None = None,
    aspect: Annotated[tuple[float, ...] | None, Range(above=0)] = None,
    background: bool = False,
    activation: Activation = "softmax",
) -> Tensor:
    """The mean over pixels and classes of ``phi p``, phi the signed distance to the true outline, negative inside.

    Parameters
    ----------
    outputs : Tensor (N, C, *spatial), logits; two or three spatial axes
        One channel is the foreground of two classes.
    target : Tensor
        Classes, integer (N, *spatial); or phi itself, float (N, C, *spatial), computed once by `outline_distance`: here it is
        computed anew for every batch, on the CPU.
    weight : Tensor (N, *spatial), optional
        How much each pixel counts.
    ignore : int, optional
        Pixels of this value count nowhere; they belong to no class.
    aspect : numbers, one a spatial axis, optional
        The spacing in units of the finest axis.
    background : bool
        Count class 0 too, where there are several channels.
    activation : "softmax" (default), "sigmoid" or "none"
        As in `dice`.

    Returns
    -------
    Tensor, a scalar
        At least float32; below 0 where the prediction is good. 0 with zero gradient where no class has an outline.

    Raises
    ------
    InputError
        If shapes or types do not fit.

    Notes
    -----
    Not to be used alone: nothing at all is predicted at loss 0. The paper adds it to generalised Dice.

    References
    ----------
    H. Kervadec et al., Boundary loss for highly unbalanced segmentation, MIDL 2019, equation 5, arXiv:1812.07032.

    Examples
    --------
    >>> truth = torch.zeros(1, 5, 5, dtype=torch.int64)
    >>> truth[:, 1:4, 1:4] = 1
    >>> p = torch.where(truth == 1, 0.8, 0.1).unsqueeze(1)
    >>> round(boundary(p, truth, activation="none").item(), 6)
    0.038627
    """
    pixels = parse(outputs, target, weight, ignore)
    p = probabilities(pixels.logits, activation)
    first = 0 if background or p.shape[1] == 1 else 1
    if pixels.hard:
        ignored = pixels.mass == 0 if ignore is not None else None
        phi = _batch_distance(one_hot(pixels)[:, first:], ignored, aspect)
    else:
        phi = pixels.target[:, first:]
    return mean((p[:, first:] * phi).mean(1), pixels.mass)


def outline_distance(inside: NDArray[np.bool_], aspect: Sequence[float] | None = None) -> NDArray[np.float32]:
    """The signed distance to a class's outline: ``-(d - 1)`` inside, d outside, d the distance to the other side's pixels.

    Parameters
    ----------
    inside : ndarray of bool, axes yx or zyx
    aspect : sequence of float, optional
        The spacing of each axis in units of the finest.

    Returns
    -------
    ndarray of float32
        All 0 where there is no outline: a class that is nowhere, or everywhere.

    Examples
    --------
    >>> outline_distance(np.array([[0, 0, 1, 1, 1, 0]], bool)).tolist()
    [[2.0, 1.0, 0.0, -1.0, 0.0, 1.0]]
    """
    if inside.all() or not inside.any():
        return np.zeros(inside.shape, np.float32)
    spacing = tuple(aspect) if aspect is not None else (1.0,) * inside.ndim
    if len(spacing) != inside.ndim:
        raise RecipeError(f"boundary: aspect: found {len(spacing)} numbers, expected {inside.ndim}, one a spatial axis")
    return np.where(inside, 1 - distance(inside, spacing), distance(~inside, spacing))


def _batch_distance(classes: Tensor, ignored: Tensor | None, aspect: Sequence[float] | None) -> Tensor:
    inside = classes.detach().bool()
    if ignored is not None:
        inside = inside & ~ignored.unsqueeze(1)
    masks = inside.cpu().numpy()
    phi = np.stack([np.stack([outline_distance(mask, aspect) for mask in image]) for image in masks])
    return torch.from_numpy(phi).to(classes)
