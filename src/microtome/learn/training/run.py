"""A run's parts, put together from its recipe: samples prepared, loader, network, objective and validator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any

from microtome.core.errors import RecipeError
from microtome.core.kernels.bands import threads
from microtome.learn.data.loader import Loader
from microtome.learn.data.windows import Sampling
from microtome.learn.objectives.dense import Dense
from microtome.learn.objectives.teach import Teacher
from microtome.learn.training.batches import Batches
from microtome.learn.training.cases import HeldOut
from microtome.learn.training.crew import Crew
from microtome.learn.training.events import Choice, Planned
from microtome.learn.training.look import Look
from microtome.learn.training.loop import Fitting, Loop
from microtome.learn.training.memory import size_words
from microtome.learn.training.pictures import write_case, write_step
from microtome.learn.training.precision import choose, prepared
from microtome.learn.training.prepare import Prepare, scales_of
from microtome.learn.training.prepare import prepared as as_network_sees
from microtome.learn.training.recipe import TrainingRecipe
from microtome.learn.training.samples import Samples
from microtome.learn.training.source import Source
from microtome.learn.training.start import Start
from microtome.learn.training.validate import Case, Mask, Validator
from microtome.losses.weighted_sum import WeightedSum, weighted_sum
from microtome.networks.catalogue import build, without_download
from microtome.networks.network import Network
from microtome.run.tiles.whole import Windows
from microtome.targets.catalogue import Target

__all__ = ["Run"]

_IGNORE = 255
_LEARNED, _HELD = 0.8, 0.1  # of the memory that is left once images are read, for what is prepared of them
_MOST_WORKERS = 8
_WHOLE = 512  # the side of windows on whole images: fewer overlaps than those that training cuts


class Run:
    """What a run is made of.

    Parameters
    ----------
    source : Source
    look : Look
    recipe : TrainingRecipe
        Settled.
    target : Target
    crew : Crew
    folder : Path
    start : Start, optional
        The model to train further.
    resumed : bool
        Whether a checkpoint's weights follow, so that none need to be fetched.
    """

    def __init__(
        self,
        source: Source,
        look: Look,
        recipe: TrainingRecipe,
        target: Target,
        crew: Crew,
        folder: Path,
        start: Start | None = None,
        *,
        resumed: bool = False,
    ) -> None:
        self.source, self.look, self.recipe, self.target, self.crew, self.folder = source, look, recipe, target, crew, folder
        self.start, self._has_weights = start, start is not None or resumed
        self.heads = target.heads(look.classes, look.ndim)
        self.precision = choose(crew.device, recipe.precision)
        name, settings = next(iter((recipe.network or {}).items()))
        self.network_name, self.network_settings = str(name), dict(settings or {})
        self._begun: set[str] = set()
        self.choices = (Choice("precision", self.precision.name, self.precision.reason), self._memory_choice())
        self.prepare = Prepare(tuple(recipe.prepare or ()), self._scale)

    # The data

    def labels(self) -> Iterator[tuple[str, Mask]]:
        """The labels that are learned from, as windows are cut from them."""
        return ((name, self.prepare.labels(truth)) for name, truth in self.source.train.labels())

    @cached_property
    def cases(self) -> HeldOut:
        """The held-out images."""
        return HeldOut(self.source.held, self.prepare.steps)

    @cached_property
    def channels(self) -> int:
        """Of an image as the network sees it."""
        return as_network_sees(self.source.train[0].image, self.prepare.steps).channel_count

    @cached_property
    def loader(self) -> Loader:
        """Of the training windows."""
        recipe, samples = self.recipe, self.source.train
        return Loader(
            samples.source, shape=self._window, batch=recipe.batch or 1, augment=recipe.augment or [], mix=recipe.mix,
            sampling=Sampling(**(recipe.sampling or {})), seed=recipe.seed, workers=self._workers, memory=self._memory(samples, _LEARNED),
            margin=self.network.margin, prepare=self._prepare_of(samples), encode=self.teacher,
        )  # fmt: skip

    @cached_property
    def held_loader(self) -> Loader:
        """Of windows of the held-out images, as they are."""
        batch, samples = self.recipe.batch or 1, self.source.held
        return Loader(samples.source, shape=self._window, batch=batch, sampling=Sampling(windows=8 * batch), margin=self.network.margin,
                      memory=self._memory(samples, _HELD), prepare=self._prepare_of(samples), encode=self.teacher)  # fmt: skip

    def _prepare_of(self, samples: Samples) -> Prepare:
        """Files still have all their channels."""
        return self.prepare if samples.held is not None else replace(self.prepare, channel=self.recipe.channel)

    def _memory(self, samples: Samples, share: float) -> int:
        """The bytes of prepared images that a loader may keep."""
        return samples.reserved + int(share * self.source.room.left)

    @property
    def _workers(self) -> int:
        """Files that are read again and again are read beside the training."""
        if self.recipe.workers is not None or self.source.train.held is not None:
            return self.recipe.workers or 0
        return min(_MOST_WORKERS, max(1, threads() // (2 * self.crew.count)))

    def _memory_choice(self) -> Choice:
        train, room = self.source.train, self.source.room
        needed = round(train.prepared * prod(scales_of(self._scale, self.look.ndim)))
        told = f"{room.reason}; the images to learn from take {size_words(needed)}"
        if train.held is not None:
            return Choice("memory", size_words(room.limit), f"{told}, and stay in memory")
        share = min(1.0, self._memory(train, _LEARNED) / max(needed, 1))
        where = f"by {self._workers} worker processes" if self._workers else "in this process"
        return Choice("memory", size_words(room.limit), f"{told}: about {share:.0%} of them stay in memory, and the others are read from "
                      f"their files for each window, {where}")  # fmt: skip

    @cached_property
    def batches(self) -> Batches:
        """What the loop trains on."""
        return Batches(self.loader, self.crew.device, (self.crew.rank, self.crew.count))

    @property
    def teacher(self) -> Teacher:
        """What encodes windows."""
        return Teacher(self.target.name, self.target.settings, self.look.classes, self.recipe.pixel_weights)

    @property
    def _scale(self) -> float | tuple[float, ...]:
        scale = self.recipe.scale
        return tuple(scale) if isinstance(scale, list) else scale or 1.0

    @property
    def _window(self) -> tuple[int, ...]:
        return tuple(self.recipe.window or ())

    # The network

    @cached_property
    def network(self) -> Network:
        """With its first weights, on the crew's device."""
        return self._built()

    @cached_property
    def objective(self) -> Dense:
        """The network with its target's heads and their losses."""
        return self.objective_of(self.network)

    def _built(self) -> Network:
        outputs = {head.name: len(head.layers) for head in self.heads}
        settings = without_download(self.network_settings) if self._has_weights else self.network_settings
        built = build(self.network_name, channels_in=self.channels, outputs=outputs, seed=self.recipe.seed, place="network", **settings)
        if not built.output_size((built.sizes.at_least(1),) * built.dimensions):
            raise RecipeError(f"network: {self.network_name} answers for a whole image, and labels are of pixels; see `microtome networks`")
        if built.dimensions != self.look.ndim:
            raise RecipeError(f"network: {self.network_name} is for {built.dimensions} axes, the images have {self.look.ndim}")
        if self.start is not None:
            self.start.fill(built)
        _check_window(built, self._window)
        return prepared(built.to(self.crew.device), self.precision)

    def objective_of(self, network: Network) -> Dense:
        return Dense(
            network, self.heads, _losses(self.recipe.loss, [head.name for head in self.heads]), self.target.settings.get("ignore", _IGNORE)
        )

    def loop(self, planned: Planned) -> Loop:
        """The loop of the run."""
        return Loop(
            self.objective,
            self.network,
            self._fitting(planned.steps, planned.every),
            self.precision,
            self.crew,
            self.folder / "checkpoints",
        )

    def trial(self) -> Loop:
        """A loop that is thrown away, to measure how long a step takes."""
        network = self._built()
        return Loop(self.objective_of(network), network, self._fitting(1000, 1000), self.precision, self.crew, self.folder / "checkpoints")

    def _fitting(self, steps: int, every: int) -> Fitting:
        recipe = self.recipe
        schedule = {recipe.schedule: {}} if isinstance(recipe.schedule, str) else recipe.schedule
        return Fitting(steps, every, recipe.optimiser or {}, schedule or {}, recipe.accumulate, recipe.clip, recipe.average,
                       recipe.validation.patience, recipe.seed)  # fmt: skip

    # Validation

    @property
    def windows(self) -> Windows:
        """How the network goes over whole images."""
        *first, y, x = self._window
        side = max(y, x)
        if self.network.pads_inside and self.look.ndim == 2:
            side = max(side, _WHOLE)
        size = (*first, side, side)
        plane = 0 if self.network.margin else min(side // 4, 64)
        overlap = (*(min(plane, depth // 4) for depth in first), plane, plane)
        multiple = self.network.sizes.step if self.network.pads_inside else 0
        return Windows(size, overlap, multiple, self.network.margin, 4, self._scale)

    def validator(self) -> Validator:
        """Of the held-out images."""
        metric = str(self.recipe.validation.metric)
        drawn = self.source.held.names[: self.recipe.validation.pictures]
        return Validator(self.objective, self.cases, self.target.decode, self.decoding(), self.windows, self.precision,
                         self.crew.device, metric, self.held_loader, self.recipe.refine or (), self._draw, drawn)  # fmt: skip

    def decoding(self) -> dict[str, Any]:
        """Settings of the decoder that follow from the data."""
        if self.look.kind == "instance":
            return {}
        return {"values": tuple(entry.value for entry in self.look.classes if entry.role != "ignore")}

    def _draw(self, name: str, step: int, case: Case, mask: Mask) -> str:
        if name not in self._begun:
            write_case(self.folder, name, case.shown, case.truth)
            self._begun.add(name)
        return write_step(self.folder, name, step, case.shown, mask, case.truth)

    def close(self) -> None:
        """End the loaders' workers."""
        for name in ("loader", "held_loader"):
            if name in self.__dict__:
                getattr(self, name).close()


def _check_window(network: Network, window: tuple[int, ...]) -> None:
    """A network that pads nothing takes only some sizes: the window, which is what it gives, with its margin on every side."""
    for side in window:
        taken = side + 2 * network.margin
        if not network.pads_inside and taken not in network.sizes:
            near = " or ".join(str(legal - 2 * network.margin) for legal in network.sizes.near(taken) if legal > 2 * network.margin)
            raise RecipeError(
                f"window: {side} pixels of output need {taken} of input, which the network does not take; nearest windows: {near}"
            )


def _losses(document: Any, heads: list[str]) -> dict[str, WeightedSum]:
    """Of each head: a mapping by their names, or the same losses for all."""
    if isinstance(document, Mapping) and set(document) <= set(heads) and document:
        return {name: weighted_sum(parts, f"loss.{name}") for name, parts in document.items()}
    return {name: weighted_sum(document, "loss") for name in heads}
