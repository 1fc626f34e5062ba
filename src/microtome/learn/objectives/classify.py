"""One class an image: a network answers for a whole image, and is compared with the class it has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Self

import torch
from torch import Tensor, nn

from microtome.learn.objectives.objective import Tensors, Turn
from microtome.losses.weighted_sum import Summed, WeightedSum, weighted_sum

__all__ = ["Classify"]


@dataclass(frozen=True, eq=False)
class Classify:
    """A network with an answer for a whole image, and the loss it learns by.

    Attributes
    ----------
    network : Module
        From (N, C, *spatial) to a dict in which `output` has logits (N, classes), such as the network ``encoder_classifier``.
    output : str
        The network's output, and the array of a batch that holds the classes, int64 (N,).
    losses : WeightedSum
        Cross-entropy where nothing else is said; any loss of classes, an image in a pixel's place.
    ignore : int or None
        The class of images that teach nothing.

    Examples
    --------
    >>> from microtome.networks import build
    >>> network = build("encoder_classifier", channels_in=1, outputs={"kind": 3}, depth=2, root=4)
    >>> batch = {"image": torch.zeros(5, 1, 8, 8), "kind": torch.tensor([0, 1, 2, 0, 1])}
    >>> found = Classify(network, "kind").loss(batch)
    >>> list(found.parts), found.total.shape
    (['cross_entropy'], torch.Size([]))
    """

    network: nn.Module
    output: str
    losses: WeightedSum = field(default_factory=lambda: weighted_sum("cross_entropy"))
    ignore: int | None = None

    @property
    def turns(self) -> tuple[Turn, ...]:
        """One: the network, by its loss."""
        return (Turn("network", self.network, self.loss),)

    def wrap(self, wrapper: Callable[[nn.Module], nn.Module]) -> Self:
        """The same objective, its network called through a wrapper."""
        return replace(self, network=wrapper(self.network))

    def loss(self, batch: Tensors) -> Summed:
        """Of a batch's images, each counting the same."""
        logits = self.network(batch["image"])[self.output]
        return self.losses(logits.float(), batch[self.output], ignore=self.ignore)

    @torch.inference_mode()
    def probabilities(self, network: nn.Module, images: Tensor) -> Tensor:
        """What a network makes of images: (N, classes), float32, each row summing to 1."""
        logits: Tensor = network(images)[self.output]
        return logits.float().softmax(1)
