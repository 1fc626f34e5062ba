"""The running average of a network's weights: steadier than the weights of any one step, and what is validated and kept."""

from __future__ import annotations

import copy

import torch
from torch import nn

__all__ = ["Average"]


class Average:
    """An exponential moving average of a module's weights and running statistics.

    Parameters
    ----------
    module : Module
    decay : float
        What remains of the average at each step, 0 to 1; 0 is the module itself. Early it is less, ``(1 + step) / (10 + step)``, so that
        the first weights are forgotten soon.

    Notes
    -----
    B. T. Polyak, A. B. Juditsky, SIAM J. Control Optim. 30, 1992; the rise of the decay is TensorFlow's ``num_updates``.

    Examples
    --------
    >>> layer = nn.Linear(1, 1, bias=False)
    >>> _ = nn.init.ones_(layer.weight)
    >>> average = Average(layer, 0.9)
    >>> _ = nn.init.zeros_(layer.weight)
    >>> average.update(1000)
    >>> round(average.module.weight.item(), 3)
    0.9
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.module = copy.deepcopy(module).eval().requires_grad_(False)
        self.decay = decay
        self._of = module
        self._pairs = list(zip(self.module.state_dict().values(), module.state_dict().values(), strict=True))

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the module's weights after this step."""
        decay = min(self.decay, (1 + step) / (10 + step))
        floats = [(mean, new) for mean, new in self._pairs if mean.is_floating_point()]
        torch._foreach_lerp_([mean for mean, _ in floats], [new for _, new in floats], 1 - decay)
        for mean, new in self._pairs:
            if not mean.is_floating_point():
                mean.copy_(new)
