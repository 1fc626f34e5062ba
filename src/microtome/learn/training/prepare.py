"""From a sample as it was read to what windows are cut from: the recipe's own preparing steps, and the network's scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from microtome.core.raster import Image, InstanceMap, SemanticMap
from microtome.core.regrid import nearest
from microtome.core.result import Sample
from microtome.run import catalogue
from microtome.run.tiles.resize import resized, scaled_shape

__all__ = ["Prepare", "done", "prepared", "scales_of"]

StepDocument = str | Mapping[str, Any]
Noun = TypeVar("Noun")
Mask = SemanticMap | InstanceMap


@dataclass(frozen=True)
class Prepare:
    """Prepares samples; a plain object, so that worker processes can have it.

    Attributes
    ----------
    steps : tuple
        Of the recipe's `prepare`.
    scale : float, or one an axis
        What images are resized by; labels take the nearest pixel, they are never blended.
    channel : str or int, optional
        Of images as they lie on the disk: the only one to use.
    """

    steps: tuple[StepDocument, ...]
    scale: float | tuple[float, ...] = 1.0
    channel: str | int | None = None

    def __call__(self, sample: Sample) -> Sample:
        """The sample, its image float32."""
        chosen = sample.image if self.channel is None else sample.image.channel(self.channel)
        image = prepared(chosen, self.steps)
        scales = scales_of(self.scale, image.ndim)
        if all(by == 1 for by in scales):
            return replace(sample, image=image)
        shape = scaled_shape(image.shape, scales)
        pixels = image.pixels.astype(np.float32, copy=False)
        larger = resized(pixels if image.has_channels else pixels[..., None], shape)
        spacing = _finer(image.spacing, scales)
        seen = replace(image, pixels=larger if image.has_channels else larger[..., 0], spacing=spacing)
        return replace(sample, image=seen, truth=replace(self.labels(sample.truth), spacing=spacing))

    def labels(self, truth: Mask) -> Mask:
        """The labels alone."""
        scales = scales_of(self.scale, truth.ndim)
        if all(by == 1 for by in scales):
            return truth
        pixels = nearest(truth.pixels, scaled_shape(truth.shape, scales))
        return replace(truth, pixels=pixels, spacing=_finer(truth.spacing, scales))


def scales_of(scale: float | Sequence[float] | None, ndim: int) -> tuple[float, ...]:
    """A recipe's `scale` along each axis; 1 where it has none.

    >>> scales_of(0.5, 2), scales_of([2, 1, 1], 3), scales_of(None, 2)
    ((0.5, 0.5), (2, 1, 1), (1.0, 1.0))
    """
    if isinstance(scale, Sequence):
        return tuple(scale)
    return (1.0 if scale is None else scale,) * ndim


def _finer(spacing: tuple[float, ...] | None, scales: Sequence[float]) -> tuple[float, ...] | None:
    return None if spacing is None else tuple(s / by for s, by in zip(spacing, scales, strict=True))


def prepared(image: Image, steps: Sequence[StepDocument]) -> Image:
    """An image after the recipe's preparing steps.

    >>> prepared(Image(np.array([[0, 5, 10]], np.uint8)), [{"normalise": {"lo": 0, "hi": 100}}]).pixels.tolist()
    [[0.0, 0.5, 1.0]]
    """
    return done(image, steps)


def done(noun: Noun, steps: Sequence[StepDocument]) -> Noun:
    """What steps of a recipe, one after the other, make of an image or a mask.

    >>> from microtome.core.raster import SemanticMap
    >>> done(SemanticMap(np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]])), ["fill_holes"]).pixels.min()
    np.int32(1)
    """
    for step in steps:
        name, settings = (step, None) if isinstance(step, str) else next(iter(step.items()))
        noun = catalogue.load(name)(noun, **(settings or {}))
    return noun
