"""A network that is being trained, on a whole image: by the same windows and the same resizing that its bundle will use."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from microtome.core.raster import Image, ScoreMap
from microtome.learn.objectives.dense import Dense
from microtome.learn.training.precision import Precision, autocast
from microtome.learn.training.prepare import scales_of
from microtome.run.tiles.cover import snug
from microtome.run.tiles.resize import brought_back, resized, scaled_shape
from microtome.run.tiles.stitch import over_windows

__all__ = ["Windows", "scores_of"]


@dataclass(frozen=True)
class Windows:
    """How a network goes over an image.

    Attributes
    ----------
    size, overlap : tuple of int
        Of a window, along every axis.
    multiple : int
        Of which the sides of snug windows are multiples, see `microtome.run.tiles.cover.snug`; 0: windows keep their size.
    margin : int
        What the network takes off each side of its input.
    batch : int
    scale : float, or one an axis
        What an image is resized by before.
    """

    size: tuple[int, ...]
    overlap: tuple[int, ...]
    multiple: int = 0
    margin: int = 0
    batch: int = 4
    scale: float | tuple[float, ...] = 1.0


@torch.inference_mode()
def scores_of(objective: Dense, network: nn.Module, image: Image, windows: Windows, precision: Precision, device: torch.device) -> ScoreMap:
    """What a network says of a prepared image, over the image's own pixels."""
    pixels = image.pixels.astype(np.float32, copy=False)
    pixels = pixels if image.has_channels else pixels[..., None]
    inner = scaled_shape(image.shape, scales_of(windows.scale, image.ndim))
    size = [snug(n, side, over, windows.multiple) for n, side, over in zip(inner, windows.size, windows.overlap, strict=True)]
    overlap = [min(over, side // 2) for over, side in zip(windows.overlap, size, strict=True)]
    ask = partial(_ask, objective, network, precision, device)
    scores = over_windows(resized(pixels, inner), ask, window=size, overlap=overlap, margin=windows.margin, batch=windows.batch)
    layers = tuple(layer for head in objective.heads for layer in head.layers)
    own = brought_back(scores, image.shape, layers)
    return ScoreMap(own, **{**image.geometry(), "axes": image.axes.rstrip("c") + "c"}, layers=layers)


def _ask(
    objective: Dense, network: nn.Module, precision: Precision, device: torch.device, windows: NDArray[np.float32]
) -> NDArray[np.float32]:
    images = torch.from_numpy(np.ascontiguousarray(windows)).movedim(-1, 1).to(device)
    with autocast(precision):
        scores = objective.scores(network, images)
    return np.ascontiguousarray(scores.movedim(1, -1).cpu().numpy())
