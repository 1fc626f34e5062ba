"""A network that is being trained, on a whole image: by the same windows and the same resizing that its bundle will use."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from microtome.core.raster import Image, ScoreMap
from microtome.learn.objectives.dense import Dense
from microtome.learn.training.precision import Precision, autocast
from microtome.run.tiles.whole import Windows, over_image

__all__ = ["scores_of"]


@torch.inference_mode()
def scores_of(objective: Dense, network: nn.Module, image: Image, windows: Windows, precision: Precision, device: torch.device) -> ScoreMap:
    """What a network says of a prepared image, over the image's own pixels."""
    layers = tuple(layer for head in objective.heads for layer in head.layers)
    own = over_image(image, partial(_ask, objective, network, precision, device), windows, layers)
    return ScoreMap(own, **{**image.geometry(), "axes": image.axes.rstrip("c") + "c"}, layers=layers)


def _ask(
    objective: Dense, network: nn.Module, precision: Precision, device: torch.device, windows: NDArray[np.float32]
) -> NDArray[np.float32]:
    images = torch.from_numpy(np.ascontiguousarray(windows)).movedim(-1, 1).to(device)
    with autocast(precision):
        scores = objective.scores(network, images)
    return np.ascontiguousarray(scores.movedim(1, -1).cpu().numpy())
