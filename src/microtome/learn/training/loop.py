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

__all__ = ["ASKED", "Fitting", "Loop", "Stream", "Validate"]

ASKED = "asked to stop"
_VALIDATED = "validated"  # of a state's facts: the step of the last validation

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
    save_after : float
        Seconds after which the state is saved between validations too. When it is saved does not change what is trained.
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
    save_after: float = 180.0


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
        self._saved_step, self._saved_at = -1, 0.0

    def hold_rate(self, rate: float) -> None:
        """Train at this rate from here on, whatever the schedule says."""
        self._rates = [[rate] * len(rates) for rates in self._rates]
        self._schedule = schedule_of("constant")

    def step(self, number: int, drawn: list[Drawn]) -> dict[str, float]:
        """Move the weights once, by the batches given; the losses, ``total`` first.

        Raises
        ------
        RunError
            If a loss or a gradient is not finite: the turn it is of, and those after it, moved nothing.
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
        self._saved_at = time.monotonic()
        began = self._saved_at - self.state.seconds
        source = batches.after(self.state.step * self.fitting.accumulate)
        sums: dict[str, float] = {}
        since = self.state.step
        try:
            yield from self._kept_up(validate, began)  # a run may have been broken off before a validation was over,
            reason = self._nothing_better()  # or after its last one
            while not reason and not self._done:
                drawn = [next(source) for _ in range(self.fitting.accumulate)]
                said = self._one_step(drawn)
                self.state = replace(self.state, seconds=time.monotonic() - began)
                sums = {name: sums.get(name, 0.0) + value for name, value in said.items()}
                if self.state.step % self.fitting.report == 0 or self._done:
                    yield self._stepped(sums, self.state.step - since, batches)
                    sums, since = {}, self.state.step
                yield from self._kept_up(validate, began)
                reason = "" if self._done else self._reason_to_stop(stop)
            if reason:
                if self._saved_step != self.state.step:
                    yield from self.save()
                yield Stopped(self.state.step, reason)
        except LostProcess as error:
            raise RunError(f"{error}; {self._kept()}") from error
        except (RunError, GeneratorExit):
            if self.crew.first:
                self._save()
            raise
        finally:
            source.close()  # type: ignore[attr-defined]

    @property
    def _done(self) -> bool:
        return self.state.step >= self.fitting.steps

    def _kept_up(self, validate: Validate, began: float) -> Iterator[Event]:
        """Validate where it is due, and save what was reached then, or some minutes after it was saved last."""
        step = self.state.step
        due = step > 0 and (step % self.fitting.every == 0 or self._done) and self.state.facts.get(_VALIDATED) != step
        if due:
            yield from self._validated(validate)
            self.state = replace(self.state, seconds=time.monotonic() - began)
        if due or time.monotonic() - self._saved_at >= self.fitting.save_after:
            yield from self.save()

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
        self._saved_step = self.state.step

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
        state = replace(self.state, facts={**self.state.facts, _VALIDATED: self.state.step})
        state = replace(state, best=score, best_step=state.step) if best else state
        if best and self.crew.first:
            save_checkpoint(self.folder / "best.safetensors", state, {"network": self.average.module}, [])
        self.state = state  # only now: what the disk refused is not the best
        if found is not None:
            yield replace(found, best=best)

    def _reason_to_stop(self, stop: Callable[[], bool]) -> str:
        if self.crew.mean([float(stop())])[0] > 0:
            return ASKED
        return self._nothing_better()

    def _nothing_better(self) -> str:
        if self._done:
            return ""
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
        self._saved_step, self._saved_at = self.state.step, time.monotonic()
        return path

    def _modules(self) -> dict[str, nn.Module]:
        return {**{turn.name: turn.module for turn in self._own.turns}, "average": self.average.module}

    def _not_finite(self, what: str, value: float, number: int, drawn: list[Drawn]) -> str:
        names = ", ".join(dict.fromkeys(name for batch in drawn for name in batch.names))
        return (f"step {number + 1}: {what} is {value}, with windows of {names}. Nothing was moved by it and the state before is saved. "
                "A smaller rate (--set optimiser.adamw.rate=...), a lower --set clip=..., or --precision float32 usually helps; "
                "look also at those images' values with microtome check")  # fmt: skip
