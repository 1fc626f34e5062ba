"""What training says while it goes on. The command line, the run folder and its page read these and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from microtome.core.events import Warned

__all__ = ["Choice", "Chosen", "Event", "Finished", "Planned", "Saved", "Stepped", "Stopped", "Validated", "Warned"]


@dataclass(frozen=True)
class Choice:
    """One thing that was settled before training.

    Attributes
    ----------
    place : str
        In the training recipe, such as ``"window"`` or ``"network.unet.root"``.
    value : plain data
    reason : str
        Why: what of the data led to it, or that the user said so.
    """

    place: str
    value: Any
    reason: str


@dataclass(frozen=True)
class Chosen:
    """Everything that was settled, with the reasons; the resolved training recipe as plain data."""

    choices: tuple[Choice, ...]
    document: Mapping[str, Any]


@dataclass(frozen=True)
class Planned:
    """How long training will be: decided once, then kept, also over a resume.

    Attributes
    ----------
    steps : int
        In all.
    every : int
        Steps between validations.
    reason : str
        The epochs asked for, or the seconds a step took and the time there is.
    """

    steps: int
    every: int
    reason: str


@dataclass(frozen=True)
class Stepped:
    """Some steps of training are done.

    Attributes
    ----------
    step, steps : int
        Done, and in all.
    epoch : float
        How often the data was gone through.
    loss : float
        The mean total over the steps since the last such event.
    parts : mapping of str to float
        Each loss of the sum, by head and name, in the same mean.
    rate : float
        The learning rate of the last step.
    seconds : float
        Of training so far, what came before it was resumed included.
    """

    step: int
    steps: int
    epoch: float
    loss: float
    parts: Mapping[str, float]
    rate: float
    seconds: float


@dataclass(frozen=True)
class Validated:
    """The held-out images were segmented whole, and scored.

    Attributes
    ----------
    step : int
    metric : str
        The one that decides which weights are kept.
    score : float
    best : bool
        Whether none was better so far.
    scores : mapping of str to float
        Of every metric.
    loss : float
        On the held-out images.
    images : mapping of str to float
        The deciding score of each image.
    pictures : mapping of str to str
        The cases that are drawn each time: their name, and the picture's path within the run folder.
    """

    step: int
    metric: str
    score: float
    best: bool
    scores: Mapping[str, float]
    loss: float
    images: Mapping[str, float] = field(default_factory=dict)
    pictures: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Saved:
    """A checkpoint lies on the disk, whole."""

    step: int
    path: Path


@dataclass(frozen=True)
class Stopped:
    """Training was stopped before its end, by the user or because nothing improved any more; the last state is saved."""

    step: int
    reason: str


@dataclass(frozen=True)
class Finished:
    """The model is written.

    Attributes
    ----------
    step : int
        The one whose weights it has.
    score : float
        On the held-out images, as it will run: with the settings of decoding that were fitted to them.
    bundle : Path
    seconds : float
    """

    step: int
    score: float
    bundle: Path
    seconds: float


Event = Chosen | Planned | Stepped | Validated | Saved | Stopped | Finished | Warned
