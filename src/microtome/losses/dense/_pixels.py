"""What every dense loss does first: wide logits, a checked target, and how much each pixel counts."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from microtome.core.errors import InputError

__all__ = ["Activation", "Pixels", "mean", "one_hot", "parse", "probabilities", "surprise", "wide"]

Activation = Literal["softmax", "sigmoid", "none"]
"""How outputs become probabilities: over the channels together (one channel: a sigmoid), each alone, or they are some already."""


class Pixels(NamedTuple):
    """A batch ready to be compared.

    Attributes
    ----------
    logits : Tensor (N, C, *spatial)
        float32, or float64 where they came so.
    target : Tensor
        int64 (N, *spatial), or shares of the logits' type (N, C, *spatial). Ignored pixels are 0.
    mass : Tensor (N, *spatial)
        The weight of each pixel; 0 where it is ignored.
    valid : Tensor, a scalar
        How many pixels are not ignored.
    """

    logits: Tensor
    target: Tensor
    mass: Tensor
    valid: Tensor

    @property
    def hard(self) -> bool:
        """Whether the target holds a class a pixel."""
        return self.target.ndim < self.logits.ndim


def parse(outputs: Tensor, target: Tensor, weight: Tensor | None, ignore: int | None) -> Pixels:
    """Check a batch's shapes, widen its numbers, and set ignored pixels aside.

    A soft pixel is ignored where all its channels hold the value `ignore`.

    Raises
    ------
    InputError
        If shapes or types do not fit, or (on the CPU, where looking costs little) a class has no channel.
    """
    logits = wide(outputs)
    soft = _is_soft(outputs, target)
    shaped = target.unsqueeze(1) if soft and target.ndim < outputs.ndim else target
    clean = shaped.to(logits.dtype) if soft else shaped.long()
    flat = (len(outputs), *outputs.shape[2:])
    if ignore is None:
        valid = None
    else:
        valid = ~(clean == ignore).all(1) if soft else clean != ignore
        clean = torch.where(valid.unsqueeze(1) if soft else valid, clean, 0)
    if not soft:
        _check_classes(clean, outputs.shape[1])
    mass = logits.new_ones(()).expand(flat) if weight is None else _weights(weight, flat).to(logits.dtype)
    if valid is None:
        return Pixels(logits, clean, mass, logits.new_tensor(float(mass.numel())))
    return Pixels(logits, clean, torch.where(valid, mass, 0), valid.sum().to(logits.dtype))


def wide(values: Tensor) -> Tensor:
    """At least float32: half-precision numbers are too coarse to be summed.

    Raises
    ------
    InputError
        If they are no floats.
    """
    if not values.is_floating_point():
        raise InputError(f"a loss compares floating-point outputs, found {values.dtype}")
    return values if values.dtype == torch.float64 else values.float()


def _is_soft(outputs: Tensor, target: Tensor) -> bool:
    if outputs.ndim < 2:
        raise InputError(f"outputs have shape {tuple(outputs.shape)}; a loss takes (N, C, *spatial)")
    flat, full = (len(outputs), *outputs.shape[2:]), tuple(outputs.shape)
    if tuple(target.shape) == full:
        return True
    if tuple(target.shape) != flat:
        raise InputError(f"the target has shape {tuple(target.shape)}; for outputs {full} it is {flat} (classes) or {full} (shares)")
    if target.is_floating_point() and outputs.shape[1] > 1:
        raise InputError(f"the target {flat} holds {target.dtype}: one class a pixel is a whole number; shares have shape {full}")
    return target.is_floating_point()


def _check_classes(target: Tensor, channels: int) -> None:
    if target.device.type != "cpu" or not target.numel():
        return
    low, high = (int(value) for value in torch.aminmax(target))
    top = max(channels, 2) - 1
    if low < 0 or high > top:
        found = low if low < 0 else high
        raise InputError(f"the target holds class {found}; {channels} channel(s) stand for 0 to {top}: map the classes, or set ignore")


def _weights(weight: Tensor, flat: tuple[int, ...]) -> Tensor:
    shape = tuple(weight.shape)
    if shape not in (flat, (flat[0], 1, *flat[1:])):
        raise InputError(f"pixel weights have shape {shape}, expected {flat}")
    return weight.reshape(flat)


def one_hot(pixels: Pixels) -> Tensor:
    """The target as shares (N, C, *spatial); over one channel, those of class 1."""
    if not pixels.hard:
        return pixels.target
    channel = pixels.target.unsqueeze(1)
    if pixels.logits.shape[1] == 1:
        return channel.to(pixels.logits.dtype)
    return torch.zeros_like(pixels.logits).scatter_(1, channel, 1.0)


def probabilities(logits: Tensor, activation: Activation) -> Tensor:
    """Turn logits into probabilities."""
    if activation == "none":
        return logits
    return logits.sigmoid() if activation == "sigmoid" or logits.shape[1] == 1 else logits.softmax(1)


def surprise(pixels: Pixels) -> Tensor:
    """Each pixel's cross-entropy (N, *spatial): over the channels or, where there is one, binary."""
    if pixels.logits.shape[1] == 1:
        return functional.binary_cross_entropy_with_logits(pixels.logits, one_hot(pixels), reduction="none").squeeze(1)
    return functional.cross_entropy(pixels.logits, pixels.target, reduction="none")


def mean(values: Tensor, mass: Tensor) -> Tensor:
    """The mean of values, each as often as its mass says; 0 with zero gradient where nothing counts."""
    return (values * mass).sum() / mass.sum().clamp_min(torch.finfo(mass.dtype).tiny)
