"""The processes that train together, and the device each has: one alone, or those that ``torchrun`` started, through accelerate."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from microtome.core.errors import RunError

__all__ = ["Crew"]


class Crew:
    """Every process of a run has one.

    Parameters
    ----------
    device : str
        ``"auto"``: an accelerator where there is one; ``"cpu"``.

    Attributes
    ----------
    rank, count : int
        Which of how many this process is.
    """

    def __init__(self, device: str = "auto") -> None:
        from accelerate import Accelerator

        try:
            self._accelerator: Any = Accelerator(cpu=device == "cpu", mixed_precision="no")
        except (RuntimeError, ValueError) as error:
            raise RunError(f"the processes that shall train together do not find each other: {error}") from None
        self.rank: int = self._accelerator.process_index
        self.count: int = self._accelerator.num_processes

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes files."""
        return self.rank == 0

    @cached_property
    def device(self) -> torch.device:
        """Where this process computes."""
        found: torch.device = self._accelerator.device
        return found

    def wrap(self, module: nn.Module) -> nn.Module:
        """A module whose gradients are the mean over all processes."""
        wrapped: nn.Module = self._accelerator.prepare(module.to(self.device))
        return wrapped

    def mean(self, numbers: Sequence[float]) -> list[float]:
        """The mean of each number over the processes; the same everywhere."""
        if self.count == 1:
            return list(numbers)
        values: Tensor = self._accelerator.reduce(torch.tensor(numbers, dtype=torch.float64, device=self.device), reduction="mean")
        return [float(value) for value in values]

    def from_first(self, numbers: Sequence[float]) -> list[float]:
        """What the first process says; the same everywhere."""
        if self.count == 1:
            return list(numbers)
        return [value * self.count for value in self.mean([number if self.first else 0.0 for number in numbers])]

    def wait(self) -> None:
        """Until all processes are here."""
        if self.count > 1:
            self._accelerator.wait_for_everyone()

    def close(self) -> None:
        """Part from the others."""
        if self.count > 1:
            self._accelerator.end_training()
            torch.distributed.destroy_process_group()
