"""The processes that train together, and the device each has: one alone, or those that ``torchrun`` started, through accelerate."""

from __future__ import annotations

import atexit
import gc
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from microtome.core.errors import RunError

__all__ = ["Crew", "LostProcess"]

_LONGEST_WAIT = timedelta(days=1)  # the others wait while the first one validates; who is lost is told by torchrun, not by a clock
_WORDS = ("gloo", "nccl", "connection", "socket", "peer", "broken pipe", "timed out", "store")


class LostProcess(RunError):
    """Another process of this training ended before its time."""


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

    Notes
    -----
    Gradients are the mean over the processes, so a loss that is a mean over equally many pixels is the one that a single process has.
    Statistics of batch normalisation are each process's own, of its part of a batch, and those of the first are kept; so are losses
    of a whole batch's overlap (dice). A run of several processes is therefore as good as one alone, but not equal to it.
    """

    def __init__(self, device: str = "auto") -> None:
        self._wanted = device
        self._accelerator: Any = None
        self.rank, self.count = 0, 1
        if int(os.environ.get("WORLD_SIZE", "1")) > 1:
            self._join()

    def _join(self) -> None:
        from accelerate import Accelerator, InitProcessGroupKwargs

        alone = self._wanted == "cpu" or not torch.accelerator.is_available()
        waiting = InitProcessGroupKwargs(timeout=_LONGEST_WAIT)
        try:
            self._accelerator = Accelerator(cpu=alone, mixed_precision="no", kwargs_handlers=[waiting])
        except (RuntimeError, ValueError) as error:
            raise RunError(f"the processes that shall train together do not find each other: {error}") from None
        self.rank, self.count = self._accelerator.process_index, self._accelerator.num_processes
        # Threads of gloo end with the modules that were wrapped, which hold themselves; one that asks for Python after its end aborts.
        atexit.register(gc.collect)

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes files."""
        return self.rank == 0

    @cached_property
    def device(self) -> torch.device:
        """Where this process computes."""
        if self._accelerator is not None:
            found: torch.device = self._accelerator.device
            return torch.device("cpu") if found.type == "cpu" else found
        accelerator = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
        return torch.device("cpu") if accelerator is None or self._wanted == "cpu" else accelerator

    def wrap(self, module: nn.Module) -> nn.Module:
        """A module whose gradients are the mean over all processes."""
        # A kernel of one channel lies in memory the same way channels-last or not; only its strides are called otherwise.
        warnings.filterwarnings("ignore", "Grad strides do not match bucket view strides", UserWarning)
        with self.together():
            wrapped: nn.Module = self._accelerator.prepare(module.to(self.device))
        return wrapped

    def mean(self, numbers: Sequence[float]) -> list[float]:
        """The mean of each number over the processes; the same everywhere."""
        return [value / self.count for value in self._sum(numbers)]

    def from_first(self, numbers: Sequence[float]) -> list[float]:
        """What the first process says; the same everywhere."""
        return self._sum([number if self.first else 0.0 for number in numbers])

    def wait(self) -> None:
        """Until all processes are here."""
        self._sum([0.0])

    def _sum(self, numbers: Sequence[float]) -> list[float]:
        if self.count == 1:
            return list(numbers)
        with self.together():
            values: Tensor = self._accelerator.reduce(torch.tensor(numbers, dtype=torch.float64, device=self.device), reduction="sum")
            return [float(value) for value in values]

    @contextmanager
    def together(self) -> Iterator[None]:
        """Around what all processes do at once.

        Raises
        ------
        LostProcess
            If one of them is not there any more.
        """
        try:
            yield
        except RuntimeError as error:
            if self.count == 1 or isinstance(error, RunError) or not any(word in str(error).lower() for word in _WORDS):
                raise
            raise LostProcess(f"another of the {self.count} processes that train together was lost") from error

    def close(self) -> None:
        """Part from the others."""
        if self.count > 1 and torch.distributed.is_initialized():
            self._accelerator.free_memory()
            torch.distributed.destroy_process_group()
