"""Validation of a network that classifies whole images: how many of the held-out ones it gets right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from microtome.core.errors import InputError
from microtome.learn.objectives.classify import Classify
from microtome.learn.training.events import Validated
from microtome.learn.training.whole_images import WholeImages

__all__ = ["Accuracy"]


@dataclass(frozen=True, eq=False)
class Accuracy:
    """Validates a network at some step of its training.

    Attributes
    ----------
    objective : Classify
    held : WholeImages
        The images that were held out; every one is asked.

    Notes
    -----
    Call it with a network and a step. The deciding score is ``accuracy``, the share of images whose most probable class is theirs;
    ``balanced_accuracy`` is the mean of that share over the classes, so that a rare class counts as much as a frequent one.
    """

    objective: Classify
    held: WholeImages

    def __call__(self, network: nn.Module, step: int) -> Validated:
        """Classify and compare all held-out images."""
        found, truth, losses = [], [], []
        for tensors in self.held.in_order():
            found.append(self.objective.probabilities(network, tensors["image"]).argmax(1))
            truth.append(tensors[self.objective.output])
            with torch.inference_mode():
                own = self.objective.wrap(lambda _: network)
                losses.append(own.loss(tensors).total.item() * int(self._counts(truth[-1]).sum()))
        kinds = torch.cat(truth).cpu().numpy()
        known = self._counts(torch.cat(truth)).cpu().numpy()
        if not known.any():
            raise InputError("none of the held-out images has a class that counts: all are to be ignored")
        right = (torch.cat(found) == torch.cat(truth)).cpu().numpy()[known]
        scores = {"accuracy": float(right.mean()), "balanced_accuracy": _balanced(right, kinds[known])}
        names = [name for name, counts in zip(self.held.names, known, strict=True) if counts]
        images = dict(zip(names, right.astype(float).tolist(), strict=True))
        return Validated(step, "accuracy", scores["accuracy"], best=False, scores=scores, loss=sum(losses) / len(right), images=images)

    def _counts(self, truth: Tensor) -> Tensor:
        """Which images have a class that is not ignored."""
        return torch.ones_like(truth, dtype=torch.bool) if self.objective.ignore is None else truth != self.objective.ignore


def _balanced(right: NDArray[np.bool_], kinds: NDArray[Any]) -> float:
    return float(np.mean([right[kinds == kind].mean() for kind in np.unique(kinds)]))
