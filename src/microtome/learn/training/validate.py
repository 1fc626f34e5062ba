"""Validation: the held-out images segmented whole, as the finished model will do it, and scored against their truth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol

import torch
from torch import nn

from microtome.core.events import collect_warnings
from microtome.core.raster import Image, InstanceMap, ScoreMap, SemanticMap
from microtome.core.step import Step
from microtome.learn.data.loader import Loader
from microtome.learn.objectives.dense import Dense
from microtome.learn.training.batches import tensors_of
from microtome.learn.training.events import Validated
from microtome.learn.training.precision import Precision, autocast
from microtome.learn.training.prepare import done
from microtome.learn.training.windows import scores_of
from microtome.measure.metrics.definitions import Task, choose
from microtome.measure.metrics.evaluate import pool, score
from microtome.measure.metrics.pair import Score
from microtome.run.tiles.whole import Windows

__all__ = ["SHOWN", "Case", "Cases", "Found", "Validator", "scored"]

Mask = SemanticMap | InstanceMap
Draw = Callable[[str, int, "Case", Mask], str]
_LOSS_BATCHES = 8


@dataclass(frozen=True, eq=False)
class Case:
    """A held-out image.

    Attributes
    ----------
    name : str
    shown : Image
        As it was read.
    image : Image
        Prepared, in its own pixels.
    truth : SemanticMap or InstanceMap
    """

    name: str
    shown: Image
    image: Image
    truth: Mask


class Cases(Protocol):
    """Held-out images in their order, held or made when asked for."""

    def __len__(self) -> int: ...

    def __getitem__(self, number: int, /) -> Case: ...

    def __iter__(self) -> Iterator[Case]: ...


@dataclass(frozen=True)
class Found:
    """The scores of a set of masks: of the set, and the deciding one of each image."""

    scores: Mapping[str, float]
    images: Mapping[str, float]


SHOWN: Mapping[Task, tuple[str, ...]] = {
    "instance": ("ap_50", "ap_75", "map_50_95", "f1_50", "fp_50", "fn_50"),
    "semantic": ("miou_set", "miou_image", "pa", "dice"),
}
"""What is shown besides the deciding metric: those that cost little."""


def scored(pairs: Iterable[tuple[Mask, Case]], metric: str) -> Found:
    """Compare masks with the truth of their cases, one at a time; an image for which the metric does not exist has nan."""
    each, alone = [], {}
    for mask, case in pairs:
        task: Task = "instance" if isinstance(case.truth, InstanceMap) else "semantic"
        with collect_warnings():
            each.append(score(mask, case.truth, task=task, metrics=choose([metric, *SHOWN[task]], task)))
            alone[case.name] = _of_one(each[-1], metric)
    return Found(pool(each), alone)


def _of_one(one: Score, metric: str) -> float:
    return float(one.values[metric] if metric in one.values else pool([one]).get(metric, float("nan")))


@dataclass(eq=False)
class Validator:
    """Validates a network at some step of its training.

    Attributes
    ----------
    objective : Dense
    cases : sized iterable of Case
        One is needed at a time.
    decode : Step
    settings : mapping
        Of decoding.
    windows : Windows
    precision : Precision
    device : device
    metric : str
    loader : Loader
        Of the same images, for the loss on windows of them.
    refine : sequence
        Steps that follow decoding, as a recipe has them.
    draw : function
        Of the cases named in `drawn`: makes a picture and says where it is.
    """

    objective: Dense
    cases: Cases
    decode: Step
    settings: Mapping[str, Any]
    windows: Windows
    precision: Precision
    device: torch.device
    metric: str
    loader: Loader
    refine: Sequence[Any] = ()
    draw: Draw | None = None
    drawn: Sequence[str] = field(default_factory=tuple)

    def __call__(self, network: nn.Module, step: int) -> Validated:
        """Segment and score all cases."""
        pictures = {}

        def segmented() -> Iterator[tuple[Mask, Case]]:
            for case in self.cases:
                mask = self.mask(self.scores(network, case))
                if self.draw is not None and case.name in self.drawn:
                    pictures[case.name] = self.draw(case.name, step, case, mask)
                yield mask, case

        found = self.judge(segmented())
        deciding = found.scores.get(self.metric, float("nan"))
        return Validated(step, self.metric, deciding if deciding == deciding else 0.0, best=False, scores=dict(found.scores),
                         loss=self.loss(network), images=found.images, pictures=pictures)  # fmt: skip

    def scores(self, network: nn.Module, case: Case) -> ScoreMap:
        """What the network says of a case."""
        return scores_of(self.objective, network, case.image, self.windows, self.precision, self.device)

    def mask(self, scores: ScoreMap, **settings: Any) -> Mask:
        """The mask that these scores decode to."""
        with collect_warnings():
            found: Mask = self.decode(scores, **{**self.settings, **settings})
            return done(found, self.refine)

    def judge(self, pairs: Iterable[tuple[Mask, Case]]) -> Found:
        """The scores of masks, each with its case."""
        return scored(pairs, self.metric)

    @torch.inference_mode()
    def loss(self, network: nn.Module) -> float:
        """The mean loss on the first windows of the held-out images, always the same ones, as they are."""
        own = self.objective.wrap(lambda _: network)
        totals = []
        for batch in islice(self.loader.epoch(0), _LOSS_BATCHES):
            with autocast(self.precision):
                totals.append(own.loss(tensors_of(batch, self.device)).total.item())
        return sum(totals) / len(totals)
