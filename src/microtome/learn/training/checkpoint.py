"""A checkpoint: everything a run needs to go on as if it had never stopped, as one safetensors file. Nothing in it is code."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from microtome.core.errors import InputError
from microtome.io.whole import whole_file

__all__ = ["State", "bytes_needed", "load_checkpoint", "restore", "save_checkpoint"]

FORMAT = 1


@dataclass
class State:
    """Where a run is.

    Attributes
    ----------
    step : int
        Steps done.
    seconds : float
        Of training so far.
    best : float or None
        The best validation score.
    best_step : int
    facts : dict
        Plain data to keep besides: the step of the last validation.
    """

    step: int = 0
    seconds: float = 0.0
    best: float | None = None
    best_step: int = 0
    facts: dict[str, Any] = field(default_factory=dict)


def save_checkpoint(path: Path, state: State, modules: Mapping[str, nn.Module], optimisers: Sequence[Optimizer]) -> None:
    """Write a checkpoint; an older one at this path is there until the new one is whole.

    Raises
    ------
    RunError
        If the disk is full, or the place cannot be written to.
    """
    tensors: dict[str, Tensor] = {}
    for name, module in modules.items():
        tensors |= {f"{name}/{key}": value for key, value in module.state_dict().items()}
    plain: list[Any] = []
    for number, optimiser in enumerate(optimisers):
        document = optimiser.state_dict()
        numbers: dict[str, dict[str, Any]] = {}
        for place, values in document["state"].items():
            tensors |= {f"optimiser.{number}/{place}/{key}": value for key, value in values.items() if isinstance(value, Tensor)}
            numbers[str(place)] = {key: value for key, value in values.items() if not isinstance(value, Tensor)}
        plain.append({"groups": document["param_groups"], "numbers": numbers})
    whole = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    about = {
        "format": FORMAT, "step": state.step, "seconds": state.seconds, "best": state.best, "best_step": state.best_step,
        "facts": state.facts, "optimisers": plain, "checksum": _checksum(whole),
    }  # fmt: skip
    with whole_file(path) as temporary:
        _write(whole, temporary, {"microtome": json.dumps(about)})


def _write(tensors: dict[str, Tensor], path: Path, about: dict[str, str]) -> None:
    """safetensors hides the system's error in its own; what is wrong with the place is told by the system."""
    path.touch()
    mode = path.stat().st_mode  # as for every other file; safetensors makes its own for the owner alone
    try:
        save_file(tensors, path, metadata=about)
        path.chmod(mode)
    except SafetensorError as error:
        code = next((int(word.strip(")")) for word in str(error).split() if word.strip(")").isdigit()), 0)
        raise OSError(code, str(error)) from None


def _checksum(tensors: Mapping[str, Tensor]) -> int:
    """CRC-32 over all numbers, by name: safetensors itself has none, and a flipped bit would train on unseen."""
    found = 0
    for name in sorted(tensors):
        numbers: Any = tensors[name].reshape(-1).view(torch.uint8).numpy()
        found = zlib.crc32(numbers, found)
    return found


def bytes_needed(modules: Sequence[nn.Module], moments: int = 2) -> int:
    """About how large a checkpoint of these networks is, with `moments` numbers of the optimiser a weight and one of the average."""
    weights = sum(value.numel() * value.element_size() for module in modules for value in module.state_dict().values())
    return weights * (2 + moments)


def load_checkpoint(path: Path) -> tuple[State, dict[str, Tensor], list[Any]]:
    """Read a checkpoint: where the run was, its tensors, and the plain part of its optimisers.

    Raises
    ------
    InputError
        If it is missing, damaged, or of a newer format.
    """
    if not path.exists():
        raise InputError(f"{path}: there is no checkpoint; this run was stopped before its first, so begin anew without --resume")
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {}).get("microtome", "null"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping, though it looks like one
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(
            f"{path}: is no checkpoint, or is damaged ({error}); begin anew in another folder, or put it back from a copy"
        ) from None
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        found = about.get("format") if isinstance(about, dict) else "none"
        raise InputError(f"{path}: is a checkpoint of format {found}; this version reads {FORMAT}")
    if _checksum(tensors) != about.get("checksum"):
        raise InputError(f"{path}: is no checkpoint, or is damaged (its numbers are not those that were written); begin anew in another "
                         "folder, or put it back from a copy")  # fmt: skip
    return State(about["step"], about["seconds"], about["best"], about["best_step"], about["facts"]), tensors, about["optimisers"]


def restore(
    tensors: Mapping[str, Tensor], plain: Sequence[Any], modules: Mapping[str, nn.Module], optimisers: Sequence[Optimizer], source: str
) -> None:
    """Fill networks and optimisers from a checkpoint.

    Raises
    ------
    InputError
        If it is of another network.
    """
    for name, module in modules.items():
        own = {key.removeprefix(f"{name}/"): value for key, value in tensors.items() if key.startswith(f"{name}/")}
        wanted = module.state_dict()
        if {key: value.shape for key, value in own.items()} != {key: value.shape for key, value in wanted.items()}:
            raise InputError(f"{source}: is of another network than train.yaml beside it; was that changed?")
        module.load_state_dict(own)
    for number, (optimiser, part) in enumerate(zip(optimisers, plain, strict=True)):
        state: dict[int, dict[str, Any]] = {int(place): dict(values) for place, values in part["numbers"].items()}
        for key, value in tensors.items():
            head, _, rest = key.partition("/")
            if head == f"optimiser.{number}":
                place, _, field_name = rest.partition("/")
                state.setdefault(int(place), {})[field_name] = value
        given = [{key: value for key, value in group.items() if key != "params"} for group in optimiser.param_groups]
        if [set(group) - {"params"} for group in part["groups"]] != [set(group) for group in given]:
            raise InputError(f"{source}: is of another optimiser than train.yaml beside it names; was that changed?")
        optimiser.load_state_dict({"state": state, "param_groups": part["groups"]})
        for group, own in zip(optimiser.param_groups, given, strict=True):
            group.update(own)  # train.yaml may have been changed: what it says holds
        for parameter, values in optimiser.state.items():
            for key, value in values.items():
                if isinstance(value, Tensor) and value.shape == parameter.shape:  # laid out as its weights
                    values[key] = torch.empty_like(parameter.detach()).copy_(value)
