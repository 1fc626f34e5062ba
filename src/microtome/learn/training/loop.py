"""The loop: steps, validations and checkpoints, as a generator of events. It knows an objective's turns, and nothing of what they are."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from microtome.core.errors import RunError
from microtome.learn.objectives.objective import Objective
from microtome.learn.training.average import Average
from microtome.learn.training.batches import Drawn
from microtome.learn.training.checkpoint import State, load_checkpoint, restore, save_checkpoint
from microtome.learn.training.crew import Crew, LostProcess
from microtome.learn.training.events import Event, Saved, Stepped, Stopped, Validated
from microtome.learn.training.optimisers import optimiser_of
from microtome.learn.training.precision import Precision, autocast
from microtome.learn.training.schedules import schedule_of

__all__ = ["Fitting", "Loop", "Stream", "Validate"]

Validate = Callable[[nn.Module, int], Validated]
"""From the averaged network and the step to its score; `best` is settled by the loop."""


class Stream(Protocol):
    """Batches without an end, in an order that follows from the seed alone."""

    per_epoch: int

    def after(self, taken: int) -> Iterator[Drawn]:
        """All but the first `taken`."""


@dataclass(frozen=True)
class Fitting:
    """How the weights are moved.

    Attributes
    ----------
    steps : int
        In all.
    every : int
        Steps between validations.
    optimiser, schedule : mapping
        As a recipe names them.
    accumulate : int
        Batches a step.
    clip : float
        The greatest norm of all gradients together; 0: no limit.
    average : float
        What remains of the running average of the weights at a step; 0: no average.
    patience : int
        Validations without a better score after which training stops; 0: it never does.
    seed : int
    report : int
        Steps between `Stepped` events.
    """

    steps: int
    every: int
    optimiser: Mapping[str, Any]
    schedule: Mapping[str, Any]
    accumulate: int = 1
    clip: float = 1.0
    average: float = 0.999
    patience: int = 0
    seed: int = 0
    report: int = 10


class Loop:
    """A run of training: its networks, their optimisers and where they are.

    Parameters
    ----------
    objective : Objective
        Its networks lie on the crew's device.
    network : Module
        The one that is averaged, validated and kept.
    fitting : Fitting
    precision : Precision
    crew : Crew
    folder : Path
        Checkpoints go to ``last.safetensors`` and ``best.safetensors`` in it.
    """

    def __init__(self, objective: Objective, network: nn.Module, fitting: Fitting, precision: Precision, crew: Crew, folder: Path) -> None:
        self.fitting, self.precision, self.crew, self.folder = fitting, precision, crew, folder
        self.state = State()
        self._own = objective
        self._shared = objective.wrap(crew.wrap) if crew.count > 1 else objective
        self._network = network
        self.average = Average(network, fitting.average)
        self._optimisers: list[Optimizer] = [optimiser_of(fitting.optimiser, turn.module) for turn in objective.turns]
        self._rates = [[group["lr"] for group in optimiser.param_groups] for optimiser in self._optimisers]
        self._schedule = schedule_of(fitting.schedule)

    def hold_rate(self, rate: float) -> None:
        """Train at this rate from here on, whatever the schedule says."""
        self._rates = [[rate] * len(rates) for rates in self._rates]
        self._schedule = schedule_of("constant")

    def step(self, number: int, drawn: list[Drawn]) -> dict[str, float]:
        """Move the weights once, by the batches given; the losses, ``total`` first.

        Raises
        ------
        RunError
            If a loss or a gradient is not finite: nothing was moved.
        """
        torch.manual_seed(self.fitting.seed * 1_000_003 + number)  # what drops out follows from the step alone
        said: dict[str, float] = {"total": 0.0}
        for turn, optimiser, rates in zip(self._shared.turns, self._optimisers, self._rates, strict=True):
            factor = self._schedule(number, self.fitting.steps)
            for group, rate in zip(optimiser.param_groups, rates, strict=True):
                group["lr"] = rate * factor
            optimiser.zero_grad(set_to_none=True)
            for batch in drawn:
                with autocast(self.precision):
                    found = turn.loss(batch.tensors)
                loss = found.total / len(drawn)
                if not math.isfinite(value := loss.item()):
                    raise RunError(self._not_finite("the loss", value, number, drawn))
                loss.backward()  # type: ignore[no-untyped-call]
                said["total"] += value
                for name, part in found.parts.items():
                    said[name] = said.get(name, 0.0) + part.item() / len(drawn)
            norm = nn.utils.clip_grad_norm_(turn.module.parameters(), self.fitting.clip or math.inf).item()
            if not math.isfinite(norm):
                raise RunError(self._not_finite("the gradient", norm, number, drawn))
            optimiser.step()
        self.average.update(number)
        return said

    def run(self, batches: Stream, validate: Validate, *, stop: Callable[[], bool] = lambda: False) -> Iterator[Event]:
        """Train to the end, or until `stop` says so; every state on the way that is saved can be gone on from.

        Raises
        ------
        RunError
            If a loss is not finite, or another process of the crew is lost; the last good state is saved.
        """
        began = time.monotonic() - self.state.seconds
        source = batches.after(self.state.step * self.fitting.accumulate)
        sums: dict[str, float] = {}
        since = self.state.step
        try:
            while self.state.step < self.fitting.steps:
                drawn = [next(source) for _ in range(self.fitting.accumulate)]
                said = self._one_step(drawn)
                self.state = replace(self.state, seconds=time.monotonic() - began)
                sums = {name: sums.get(name, 0.0) + value for name, value in said.items()}
                done = self.state.step == self.fitting.steps
                if self.state.step % self.fitting.report == 0 or done:
                    yield self._stepped(sums, self.state.step - since, batches)
                    sums, since = {}, self.state.step
                if self.state.step % self.fitting.every == 0 or done:
                    yield from self._validated(validate)
                    self.state = replace(self.state, seconds=time.monotonic() - began)
                    yield from self.save()
                if not done and (reason := self._reason_to_stop(stop)):
                    yield from self.save()
                    yield Stopped(self.state.step, reason)
                    return
        except LostProcess as error:
            raise RunError(f"{error}; {self._kept()}") from error
        except (RunError, GeneratorExit):
            if self.crew.first:
                self._save()
            raise
        finally:
            source.close()  # type: ignore[attr-defined]

    def save(self) -> Iterator[Event]:
        """Write ``last.safetensors``."""
        if self.crew.first:
            yield Saved(self.state.step, self._save())

    def resume(self) -> None:
        """Go on from ``last.safetensors``.

        Raises
        ------
        InputError
            If there is none, or it is of another network.
        """
        path = self.folder / "last.safetensors"
        self.state, tensors, plain = load_checkpoint(path)
        restore(tensors, plain, self._modules(), self._optimisers, str(path))

    def best(self) -> nn.Module:
        """The network whose validation was best; the last where there was none."""
        path = self.folder / "best.safetensors"
        if self.state.best is not None and path.exists():
            _, tensors, _ = load_checkpoint(path)
            restore(tensors, [], {"network": self.average.module}, [], str(path))
        return self.average.module

    def _one_step(self, drawn: list[Drawn]) -> dict[str, float]:
        """A step of all processes: done, or as if it had not begun."""
        seen = [buffer.clone() for buffer in self._statistics]
        try:
            with self.crew.together():
                said = self.step(self.state.step, drawn)
        except RunError:
            for buffer, before in zip(self._statistics, seen, strict=True):
                buffer.copy_(before)
            raise
        self.state = replace(self.state, step=self.state.step + 1)
        return dict(zip(said, self.crew.mean(list(said.values())), strict=True))

    @property
    def _statistics(self) -> list[Tensor]:
        """What a forward pass changes: the running statistics of normalisation."""
        return [buffer for turn in self._own.turns for buffer in turn.module.buffers()]

    def _kept(self) -> str:
        """Save what there is, where this process is the one to do so; what is kept, in words."""
        if not self.crew.first:
            return "the last checkpoint is kept: start all of them again with --resume"
        self._save()
        return f"step {self.state.step} is saved: start all of them again with --resume"

    def _validated(self, validate: Validate) -> Iterator[Event]:
        found: Validated | None = validate(self.average.module, self.state.step) if self.crew.first else None
        score = self.crew.from_first([found.score if found else 0.0])[0]
        best = self.state.best is None or score > self.state.best
        state = replace(self.state, best=score, best_step=self.state.step) if best else self.state
        if best and self.crew.first:
            save_checkpoint(self.folder / "best.safetensors", state, {"network": self.average.module}, [])
        self.state = state  # only now: what the disk refused is not the best
        if found is not None:
            yield replace(found, best=best)

    def _reason_to_stop(self, stop: Callable[[], bool]) -> str:
        if self.crew.mean([float(stop())])[0] > 0:
            return "asked to stop"
        waited = (self.state.step - self.state.best_step) // self.fitting.every
        if self.fitting.patience and self.state.step % self.fitting.every == 0 and waited >= self.fitting.patience:
            return f"no better score in {waited} validations"
        return ""

    def _stepped(self, sums: Mapping[str, float], count: int, batches: Stream) -> Stepped:
        means = {name: value / count for name, value in sums.items()}
        rate = self._optimisers[0].param_groups[0]["lr"]
        epoch = self.state.step * self.fitting.accumulate / batches.per_epoch
        total = means.pop("total")
        return Stepped(self.state.step, self.fitting.steps, epoch, total, means, rate, self.state.seconds)

    def _save(self) -> Path:
        path = self.folder / "last.safetensors"
        save_checkpoint(path, self.state, self._modules(), self._optimisers)
        return path

    def _modules(self) -> dict[str, nn.Module]:
        return {**{turn.name: turn.module for turn in self._own.turns}, "average": self.average.module}

    def _not_finite(self, what: str, value: float, number: int, drawn: list[Drawn]) -> str:
        names = ", ".join(dict.fromkeys(name for batch in drawn for name in batch.names))
        return (f"step {number + 1}: {what} is {value}, with windows of {names}. Nothing was moved by it and the state before is saved. "
                "A smaller rate (--set optimiser.adamw.rate=...), a lower --set clip=..., or --precision float32 usually helps; "
                "look also at those images' values with microtome check")  # fmt: skip
