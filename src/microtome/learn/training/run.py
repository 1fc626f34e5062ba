"""A run's parts, put together from its recipe: samples prepared, loader, network, objective, validator, and the model at its end."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from microtome.core.errors import RecipeError
from microtome.core.result import Sample
from microtome.learn.data.loader import Loader
from microtome.learn.data.windows import Sampling
from microtome.learn.objectives.dense import Dense
from microtome.learn.objectives.teach import Teacher
from microtome.learn.training.batches import Batches
from microtome.learn.training.carry import Trained, write_model
from microtome.learn.training.crew import Crew
from microtome.learn.training.decoding import fit_decoding
from microtome.learn.training.events import Choice, Planned
from microtome.learn.training.look import Look
from microtome.learn.training.loop import Fitting, Loop
from microtome.learn.training.pictures import write_case, write_step
from microtome.learn.training.precision import choose, prepared
from microtome.learn.training.prepare import Prepare
from microtome.learn.training.prepare import prepared as as_network_sees
from microtome.learn.training.recipe import TrainingRecipe
from microtome.learn.training.source import Source
from microtome.learn.training.start import Start
from microtome.learn.training.validate import Case, Mask, Validator
from microtome.learn.training.windows import Windows
from microtome.losses.weighted_sum import WeightedSum, weighted_sum
from microtome.networks import build
from microtome.networks.network import Network
from microtome.targets.catalogue import Target

__all__ = ["Run"]

_IGNORE = 255


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
    """

    def __init__(
        self, source: Source, look: Look, recipe: TrainingRecipe, target: Target, crew: Crew, folder: Path, start: Start | None = None
    ) -> None:
        self.source, self.look, self.recipe, self.target, self.crew, self.folder = source, look, recipe, target, crew, folder
        self.start = start
        self.heads = target.heads(look.classes, look.ndim)
        self.precision = choose(crew.device, recipe.precision)
        name, settings = next(iter((recipe.network or {}).items()))
        self.network_name, self.network_settings = str(name), dict(settings or {})
        self._begun: set[str] = set()
        self.choices = (Choice("precision", self.precision.name, self.precision.reason),)
        self._prepare = Prepare(tuple(recipe.prepare or ()), recipe.scale or 1.0)

    # The data

    @cached_property
    def prepared_train(self) -> tuple[Sample, ...]:
        """The samples that windows are cut from."""
        return tuple(map(self._prepare, self.source.train))

    @cached_property
    def cases(self) -> tuple[Case, ...]:
        """The held-out images."""
        steps = self._prepare.steps
        return tuple(Case(one.name, one.image, as_network_sees(one.image, steps), one.truth) for one in self.source.held)

    @cached_property
    def channels(self) -> int:
        """Of an image as the network sees it."""
        return self.prepared_train[0].image.channel_count

    @cached_property
    def loader(self) -> Loader:
        """Of the training windows."""
        recipe = self.recipe
        return Loader(
            self.prepared_train, shape=self._window, batch=recipe.batch or 1, augment=recipe.augment or [], mix=recipe.mix,
            sampling=Sampling(**(recipe.sampling or {})), seed=recipe.seed, workers=2 if recipe.workers is None else recipe.workers,
            margin=self.network.margin, encode=self.teacher,
        )  # fmt: skip

    @cached_property
    def held_loader(self) -> Loader:
        """Of windows of the held-out images, as they are."""
        samples = tuple(map(self._prepare, self.source.held))
        batch = self.recipe.batch or 1
        return Loader(samples, shape=self._window, batch=batch, sampling=Sampling(windows=8 * batch), margin=self.network.margin,
                      encode=self.teacher)  # fmt: skip

    @cached_property
    def batches(self) -> Batches:
        """What the loop trains on."""
        return Batches(self.loader, self.crew.device, (self.crew.rank, self.crew.count))

    @property
    def teacher(self) -> Teacher:
        """What encodes windows."""
        return Teacher(self.target.name, self.target.settings, self.look.classes, self.recipe.pixel_weights)

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
        return self._objective(self.network)

    def _built(self) -> Network:
        outputs = {head.name: len(head.layers) for head in self.heads}
        built = build(
            self.network_name, channels_in=self.channels, outputs=outputs, seed=self.recipe.seed, place="network", **self.network_settings
        )
        if built.dimensions != self.look.ndim:
            raise RecipeError(f"network: {self.network_name} is for {built.dimensions} axes, the images have {self.look.ndim}")
        if self.start is not None:
            self.start.fill(built)
        return prepared(built.to(self.crew.device), self.precision)

    def _objective(self, network: Network) -> Dense:
        return Dense(network, self.heads, _losses(self.recipe.loss, [head.name for head in self.heads]), _IGNORE)

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
        return Loop(self._objective(network), network, self._fitting(1000, 1000), self.precision, self.crew, self.folder / "checkpoints")

    def _fitting(self, steps: int, every: int) -> Fitting:
        recipe = self.recipe
        schedule = {recipe.schedule: {}} if isinstance(recipe.schedule, str) else recipe.schedule
        return Fitting(steps, every, recipe.optimiser or {}, schedule or {}, recipe.accumulate, recipe.clip, recipe.average,
                       recipe.validation.patience, recipe.seed)  # fmt: skip

    # Validation, and the model

    @property
    def windows(self) -> Windows:
        """How the network goes over whole images."""
        size = self._window
        if self.network.pads_inside and self.look.ndim == 2:
            size = tuple(max(side, 512) for side in size)
        overlap = tuple(0 if self.network.margin else min(side // 4, 64) for side in size)
        multiple = self.network.sizes.step if self.network.pads_inside else 0
        return Windows(size, overlap, multiple, self.network.margin, 4, self.recipe.scale or 1.0)

    def validator(self) -> Validator:
        """Of the held-out images."""
        metric = str(self.recipe.validation.metric)
        drawn = tuple(case.name for case in self.cases[: self.recipe.validation.pictures])
        return Validator(self.objective, self.cases, self.target.decode, self._decoding(), self.windows, self.precision,
                         self.crew.device, metric, self.held_loader, self._draw, drawn)  # fmt: skip

    def _decoding(self) -> dict[str, Any]:
        """Settings of the decoder that follow from the data."""
        if self.look.kind == "instance":
            return {}
        return {"values": tuple(entry.value for entry in self.look.classes if entry.role != "ignore")}

    def _draw(self, name: str, step: int, case: Case, mask: Mask) -> str:
        if name not in self._begun:
            write_case(self.folder, name, case.shown, case.truth)
            self._begun.add(name)
        return write_step(self.folder, name, step, case.shown, mask, case.truth)

    def finish(self, loop: Loop) -> tuple[float, Path]:
        """Fit the decoding to the held-out images, and write the bundle; its score and its path."""
        validator = self.validator()
        network = loop.best()
        scores = [validator.scores(network, case) for case in self.cases]

        def score(settings: Mapping[str, Any]) -> float:
            masks = [validator.mask(one, **settings) for one in scores]
            return validator.judge(masks, self.cases).scores.get(validator.metric, 0.0)

        fitted = fit_decoding(self.target.decode, self._decoding(), score)
        facts = self._facts(fitted.after, validator.metric, loop)
        trained = Trained(
            self._objective(self._cpu(network)), self._cpu(network), {self.network_name: self.network_settings}, self.recipe.prepare or [],
            self.windows, self.target.decode.name, fitted.settings, facts, self._card(fitted.after, validator.metric), self._about(),
        )  # fmt: skip
        return fitted.after, write_model(self.folder / "model.zip", trained, self.source.held[0].image)

    def _cpu(self, network: Any) -> Network:
        found: Network = network.cpu().float()
        return found

    def _facts(self, score: float, metric: str, loop: Loop) -> dict[str, Any]:
        look = self.look
        facts: dict[str, Any] = {
            "images": look.images, "held_out": len(self.cases), "steps": loop.state.step, metric: round(score, 4),
            "target": {self.target.name: dict(self.target.settings)},
            "classes": [{"value": entry.value, "name": entry.name, "role": entry.role} for entry in look.classes],
        }  # fmt: skip
        if look.spacing is not None:
            facts |= {"spacing": list(look.spacing), "unit": look.unit}
        if len(look.diameters):
            facts |= {"diameter": round(look.diameter(50), 2), "diameter_range": [round(look.diameter(5), 2), round(look.diameter(95), 2)]}
        return facts

    def _about(self) -> str:
        return f"{self.network_name}, trained on {self.look.images} images with {', '.join(entry.name for entry in self.look.classes)}"

    def _card(self, score: float, metric: str) -> str:
        look = self.look
        kind = "objects" if look.kind == "instance" else "classes"
        return (
            f"# {self._about()}\n\n"
            f"Trained by Microtome on {look.images} labelled images in {look.groups} groups; {len(self.cases)} further images, of other "
            f"groups, decided which weights were kept and how scores are decoded. On these {metric} is {score:.3f}: it was chosen by them, "
            f"so images that had no part in it will score a little lower.\n\n"
            f"Labels: {kind}. Whoever passes this model on should say here where the images come from and under which licence.\n"
        )

    def close(self) -> None:
        """End the loaders' workers."""
        for name in ("loader", "held_loader"):
            if name in self.__dict__:
                getattr(self, name).close()


def _losses(document: Any, heads: list[str]) -> dict[str, WeightedSum]:
    """Of each head: a mapping by their names, or the same losses for all."""
    if isinstance(document, Mapping) and set(document) <= set(heads) and document:
        return {name: weighted_sum(parts, f"loss.{name}") for name, parts in document.items()}
    return {name: weighted_sum(document, "loss") for name in heads}
