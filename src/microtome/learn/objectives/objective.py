"""What the training loop asks of an objective; it knows nothing else of what is trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from torch import Tensor, nn

from microtome.losses.weighted_sum import Summed

__all__ = ["Objective", "Tensors", "Turn"]

Tensors = Mapping[str, Tensor]
"""A batch: ``image`` (N, C, *spatial), and what the objective compares with, (N, ...) each."""


@dataclass(frozen=True)
class Turn:
    """One move of a training step: the weights of `module` go downhill on `loss`.

    Most objectives have one; an adversarial one has two, its discriminator's and its generator's, in this order.

    Attributes
    ----------
    name : str
    module : Module
        Whose weights are moved.
    loss : function
        From a batch to its loss.
    """

    name: str
    module: nn.Module
    loss: Callable[[Tensors], Summed]


class Objective(Protocol):
    """Networks and what they are taught, joined."""

    @property
    def turns(self) -> Sequence[Turn]:
        """The moves of a step, in order."""

    def wrap(self, wrapper: Callable[[nn.Module], nn.Module]) -> Self:
        """The same objective, its networks called through a wrapper: how several processes share a step."""
