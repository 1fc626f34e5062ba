"""The temperatures of a trained network's outputs, fitted to the held-out images before its decoding is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from microtome.core.classes import ClassTable
from microtome.core.events import collect_warnings
from microtome.core.raster import Image, InstanceMap, ScoreMap, SemanticMap
from microtome.core.result import Sample
from microtome.learn.calibrate.temperature import Calibration, Said, calibrate, cross_entropy
from microtome.targets.catalogue import Target
from microtome.targets.heads import Head

__all__ = ["MOST_IMAGES", "PIXELS", "Temperatures", "Tempered", "fit_temperatures"]

MOST_IMAGES = 48
"""So many held-out images are looked at, evenly chosen where there are more."""

PIXELS = 120_000
"""And so many pixels of all of them together, drawn at random from each."""

Scores = Callable[[nn.Module, Image], ScoreMap]
Held = Callable[[int], Sample]


class Tempered(nn.Module):
    """A network whose outputs are divided by their temperatures; coarser ones (deep supervision) stay.

    Parameters
    ----------
    network : Module
    temperatures : mapping of str to float
        By the output's name.
    """

    def __init__(self, network: nn.Module, temperatures: Mapping[str, float]) -> None:
        super().__init__()
        self.network, self.temperatures = network, dict(temperatures)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Images (N, C, *spatial) to outputs by name."""
        outputs = self.network(images)
        return {name: value / self.temperatures[name] if name in self.temperatures else value for name, value in outputs.items()}


@dataclass(frozen=True, eq=False)
class Temperatures:
    """What was fitted.

    Attributes
    ----------
    by_head : mapping of str to float
        Those other than 1.
    found : mapping of str to Calibration
        Of every head that gives probabilities, with or without a gain.
    """

    by_head: Mapping[str, float] = field(default_factory=dict)
    found: Mapping[str, Calibration] = field(default_factory=dict)

    def applied(self, network: nn.Module) -> nn.Module:
        """The network with them; itself where all are 1."""
        return Tempered(network, self.by_head) if self.by_head else network

    def setting(self, heads: Sequence[Head]) -> float | list[float]:
        """For the step `network`: one number where all outputs have the same."""
        each = [self.by_head.get(head.name, 1.0) for head in heads]
        return each if len(set(each)) > 1 else each[0]

    def facts(self) -> dict[str, Any]:
        """For the head of the card; nothing where no output gives probabilities."""
        return {"calibration": {name: one.facts() for name, one in self.found.items()}} if self.found else {}


def fit_temperatures(
    network: nn.Module, count: int, held: Held, scores: Scores, heads: Sequence[Head], target: Target, classes: ClassTable
) -> Temperatures:
    """Fit the temperature of each head that gives probabilities: of classes (softmax), or of yes and no (sigmoid).

    Parameters
    ----------
    network : Module
    count : int
        Of held-out images.
    held : function
        From 0 to `count` - 1 to one of them as the network sees it: prepared, and at its own scale. One is held at a time.
    scores : function
        What a network says of such an image.
    heads : sequence of Head
    target : Target
        What the heads were taught.
    classes : ClassTable
        Of the data set.

    Returns
    -------
    Temperatures
        See `microtome.learn.calibrate.temperature.calibrate` for when one is kept. It is fitted to scores that windows have blended
        already, so the network is asked again with it inside: if the cross entropy is not lower then, it is 1 after all.
    """
    numbers = sorted({round(number) for number in np.linspace(0, count - 1, min(count, MOST_IMAGES))})
    before = _said(network, numbers, held, scores, heads, target, classes)
    found = {name: calibrate(images) for name, images in before.items() if any(len(one.truth) for one in images)}
    wanted = {name: one.temperature for name, one in found.items() if one.temperature != 1}
    if not wanted:
        return Temperatures({}, found)
    after = _said(Tempered(network, wanted), numbers, held, scores, heads, target, classes)
    kept = {name: value for name, value in wanted.items() if _entropy(after[name]) < _entropy(before[name])}
    return Temperatures(kept, {name: one if name in kept or name not in wanted else _as_it_was(one) for name, one in found.items()})


def _as_it_was(one: Calibration) -> Calibration:
    return Calibration(1.0, one.before, one.before, one.entropy_before, one.entropy_before, one.images, one.pixels)


def _entropy(images: Sequence[Said]) -> float:
    together = (np.concatenate([one.probabilities for one in images]), np.concatenate([one.truth for one in images]))
    return cross_entropy(*together)


def _said(
    network: nn.Module, numbers: Sequence[int], held: Held, scores: Scores, heads: Sequence[Head], target: Target, classes: ClassTable
) -> dict[str, list[Said]]:
    """Of every head with probabilities, some pixels of each image; the same ones each time."""
    found: dict[str, list[Said]] = {}
    count = PIXELS // len(numbers)
    for number in numbers:
        sample = held(number)
        with collect_warnings():  # what encoding loses was told before training
            taught = target.encode(_with_classes(sample.truth, classes))
        pixels = scores(network, sample.image).pixels
        for head, layers in _layers(heads):
            true = taught[head.name]
            if true.dtype.kind in "bui":
                found.setdefault(head.name, []).append(_drawn(pixels[..., layers], true, head, count, number, sample.group))
    return found


def _with_classes(truth: SemanticMap | InstanceMap, classes: ClassTable) -> Any:
    if isinstance(truth, SemanticMap):
        return replace(truth, classes=classes)
    return replace(truth, classes=classes if len(classes) else ClassTable.binary())


def _layers(heads: Sequence[Head]) -> Iterator[tuple[Head, slice]]:
    """Where the channels of each head lie, of those with probabilities."""
    first = 0
    for head in heads:
        if head.activation != "none":
            yield head, slice(first, first + len(head.layers))
        first += len(head.layers)


def _drawn(pixels: NDArray[Any], true: NDArray[Any], head: Head, count: int, seed: int, group: str) -> Said:
    layers, answers = pixels.shape[-1], true.reshape(-1)
    classes = head.activation == "softmax"
    flat: NDArray[Any] = pixels.reshape(-1, layers) if classes else pixels.reshape(-1)
    valid = np.flatnonzero((answers >= 0) & (answers < (layers if classes else 2)))  # the rest is ignored
    if len(valid) > count:
        valid = valid[np.random.default_rng(seed).integers(0, len(valid), count)]
    return Said(flat[valid], answers[valid].astype(np.int64), group)
