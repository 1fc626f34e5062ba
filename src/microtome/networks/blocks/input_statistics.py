"""The means and deviations that a pretrained encoder expects of its input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

__all__ = ["InputStatistics"]


class InputStatistics(nn.Module):
    """Brings each channel to the numbers an encoder was trained on: (x - mean) / deviation.

    They are kept with the weights: a network that is loaded from a bundle has them without knowing where its first weights came from.
    Until they are set, nothing is changed.

    Parameters
    ----------
    channels : int

    Examples
    --------
    >>> statistics = InputStatistics(2)
    >>> statistics.set([0.5, 0.0], [0.25, 1.0])
    >>> statistics(torch.ones(1, 2, 1, 1)).flatten().tolist()
    [2.0, 1.0]
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("deviation", torch.ones(channels))

    def set(self, means: Sequence[float], deviations: Sequence[float]) -> None:
        """Use these, one a channel, in units of the input."""
        cast(Tensor, self.mean).copy_(torch.tensor(means))
        cast(Tensor, self.deviation).copy_(torch.tensor(deviations))

    def forward(self, batch: Tensor) -> Tensor:
        """(N, channels, y, x) to the same."""
        mean, deviation = (cast(Tensor, one)[:, None, None] for one in (self.mean, self.deviation))
        return (batch - mean) / deviation
