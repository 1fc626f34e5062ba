"""What the loader gives, as tensors: from any step on, without an end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from microtome.learn.data.loader import Batch, Loader
from microtome.learn.objectives.objective import Tensors

__all__ = ["Batches", "Drawn", "tensors_of"]


class Drawn(NamedTuple):
    """A batch, and the images it is of."""

    tensors: Tensors
    names: tuple[str, ...]


class Batches:
    """The batches of a run in their order, which the seed settles.

    Parameters
    ----------
    loader : Loader
    device : device
    share : (int, int)
        Which of how many processes this is: each gets its part of every batch.

    Attributes
    ----------
    per_epoch : int
    """

    def __init__(self, loader: Loader, device: torch.device, share: tuple[int, int] = (0, 1)) -> None:
        self._loader, self._device, self._share = loader, device, share
        self.per_epoch = loader.steps(0, share=share)

    def after(self, taken: int) -> Iterator[Drawn]:
        """All batches but the first `taken`, again and again through the data."""
        epoch, first = divmod(taken, self.per_epoch)
        while True:
            for batch in self._loader.epoch(epoch, first=first, share=self._share):
                yield Drawn(tensors_of(batch, self._device), batch.names)
            epoch, first = epoch + 1, 0


def tensors_of(batch: Batch, device: torch.device) -> Tensors:
    """The image as float32 (N, C, *spatial), its values still lying channels last; targets as they are, whole numbers as int64."""
    image = torch.from_numpy(np.ascontiguousarray(batch.image, np.float32)).movedim(-1, 1).to(device)
    return {"image": image, **{name: _target(values).to(device) for name, values in batch.targets.items()}}


def _target(values: NDArray[Any]) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, np.int64 if values.dtype.kind in "iu" else np.float32))
