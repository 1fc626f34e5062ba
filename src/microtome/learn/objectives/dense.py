"""Dense prediction: a network says something of every pixel, and is compared with what a target made of the labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor, nn

from microtome.core.errors import RecipeError
from microtome.learn.objectives.objective import Tensors, Turn
from microtome.learn.objectives.teach import PIXEL_WEIGHT
from microtome.losses.deep_supervision import at_size, scale_weights
from microtome.losses.weighted_sum import Summed, WeightedSum
from microtome.targets.heads import Head

__all__ = ["Dense"]


@dataclass(frozen=True, eq=False)
class Dense:
    """A network, the heads of its target, and the losses of each head.

    Attributes
    ----------
    network : Module
        From (N, C, *spatial) to a dict with an output a head, and perhaps coarser ones, ``HEAD_2``, ``HEAD_4`` (deep supervision).
    heads : tuple of Head
    losses : mapping of str to WeightedSum
        Of each head.
    ignore : int or None
        The value of class targets at which nothing is learned.

    Raises
    ------
    RecipeError
        If the losses are not those of the heads.
    """

    network: nn.Module
    heads: tuple[Head, ...]
    losses: Mapping[str, WeightedSum]
    ignore: int | None = None

    def __post_init__(self) -> None:
        named = {head.name for head in self.heads}
        if set(self.losses) != named:
            raise RecipeError(
                f"loss: the target has the heads {', '.join(sorted(named))}; found losses of {', '.join(sorted(self.losses))}"
            )

    @property
    def turns(self) -> tuple[Turn, ...]:
        """One: the network, by the sum of its heads' losses."""
        return (Turn("network", self.network, self.loss),)

    def wrap(self, wrapper: Callable[[nn.Module], nn.Module]) -> Self:
        """The same objective, its network called through a wrapper."""
        return replace(self, network=wrapper(self.network))

    def loss(self, batch: Tensors) -> Summed:
        """The sum over heads; parts are named ``head.loss`` where there are several heads, ``loss`` where there is one."""
        outputs = self.network(batch["image"])
        total = torch.zeros((), device=batch["image"].device)
        parts: dict[str, Tensor] = {}
        for head in self.heads:
            found = self._of_head(head, outputs, batch)
            total = total + found.total
            parts |= {(f"{head.name}.{name}" if len(self.heads) > 1 else name): value for name, value in found.parts.items()}
        return Summed(total, parts)

    def scores(self, network: nn.Module, images: Tensor) -> Tensor:
        """What a network says of images, (N, layers, *spatial), float32: the heads' layers one after another, activated."""
        outputs = network(images)
        return torch.cat([_activated(outputs[head.name].float(), head) for head in self.heads], dim=1)

    def _of_head(self, head: Head, outputs: Mapping[str, Tensor], batch: Tensors) -> Summed:
        """Coarser outputs count half as much a level; the weights sum to one."""
        scales = [name for name in outputs if name == head.name or _is_coarser(name, head.name)]
        scales.sort(key=lambda name: int(name.removeprefix(head.name).lstrip("_") or 1))
        sums = [self._at_scale(head, outputs[name], batch) for name in scales]
        factors = scale_weights(len(sums))
        total = sum((factor * one.total for factor, one in zip(factors, sums, strict=True)), torch.zeros((), device=sums[0].total.device))
        return Summed(total, sums[0].parts)

    def _at_scale(self, head: Head, output: Tensor, batch: Tensors) -> Summed:
        size = tuple(output.shape[2:])
        target = batch[head.name]
        if target.ndim == output.ndim:  # several numbers a pixel: encoded with the numbers last
            target = target.movedim(-1, 1)
        target = at_size(target, size)
        weight = self._weight(head, batch)
        return self.losses[head.name](
            output.float(), target, weight=None if weight is None else at_size(weight, size),
            ignore=self.ignore if head.activation == "softmax" else None,
        )  # fmt: skip

    def _weight(self, head: Head, batch: Tensors) -> Tensor | None:
        """How much each pixel counts for a head; None: all the same."""
        weight = batch.get(PIXEL_WEIGHT)
        if not head.within:
            return weight
        inside = (batch[head.within] > 0).float()
        return inside if weight is None else weight * inside


def _is_coarser(name: str, head: str) -> bool:
    return name.startswith(f"{head}_") and name.removeprefix(f"{head}_").isdigit()


def _activated(values: Tensor, head: Head) -> Tensor:
    if head.activation == "softmax":
        return values.softmax(1)
    return values.sigmoid() if head.activation == "sigmoid" else values
