"""Optimisers: who moves the weights. A recipe names one with its settings; weight decay spares biases and normalisation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import torch
from torch import nn
from torch.optim import Optimizer

from microtome.core.errors import RecipeError, did_you_mean
from microtome.core.keywords import check_settings
from microtome.core.parameters import Range

__all__ = ["OPTIMISERS", "adamw", "check_optimiser", "optimiser_of", "sgd"]


def adamw(
    module: nn.Module,
    *,
    rate: Annotated[float, Range(above=0, search=(1e-5, 1e-2), log=True)] = 1e-3,
    weight_decay: Annotated[float, Range(0, search=(1e-6, 0.1), log=True)] = 0.01,
    betas: Annotated[tuple[float, float], Range(0, 1)] = (0.9, 0.999),
) -> Optimizer:
    """Adam with decoupled weight decay.

    Parameters
    ----------
    module : nn.Module
    rate : float
        The learning rate: about how far a weight moves in a step.
    weight_decay : float
        What share of itself each kernel loses in a step, times `rate`.
    betas : pair of float
        How much of the running means of the gradient and of its square is kept in a step.

    References
    ----------
    I. Loshchilov, F. Hutter, arXiv:1711.05101.
    """
    return torch.optim.AdamW(_groups(module, weight_decay), lr=rate, betas=betas, fused=_one_device(module))


def sgd(
    module: nn.Module,
    *,
    rate: Annotated[float, Range(above=0, search=(1e-4, 1), log=True)] = 0.01,
    momentum: Annotated[float, Range(0, 1)] = 0.9,
    nesterov: bool = True,
    weight_decay: Annotated[float, Range(0, search=(1e-6, 0.01), log=True)] = 1e-4,
) -> Optimizer:
    """Stochastic gradient descent with momentum.

    Parameters
    ----------
    module : nn.Module
    rate : float
        The learning rate: how far a weight moves for a gradient of 1.
    momentum : float
        How much of a step is made again in the next one.
    nesterov : bool
        Whether the gradient counts as if that part had been made already.
    weight_decay : float
        This many times its kernel is added to a kernel's gradient.

    References
    ----------
    I. Sutskever, J. Martens, G. Dahl, G. Hinton, ICML 2013, section 2.
    """
    return torch.optim.SGD(_groups(module, weight_decay), lr=rate, momentum=momentum, nesterov=nesterov and momentum > 0)


OPTIMISERS: Mapping[str, Callable[..., Optimizer]] = {"adamw": adamw, "sgd": sgd}


def optimiser_of(document: Mapping[str, Any], module: nn.Module, place: str = "optimiser") -> Optimizer:
    """Build the optimiser that a recipe names, ``{adamw: {rate: 0.001}}``.

    Raises
    ------
    RecipeError
        With the place, near spellings and what is allowed.

    Examples
    --------
    >>> optimiser_of({"sgd": {"rate": 0.1}}, nn.Linear(2, 1)).param_groups[0]["lr"]
    0.1
    """
    name, settings = _named(document, place)
    return OPTIMISERS[name](module, **settings)


def check_optimiser(document: Mapping[str, Any], place: str = "optimiser") -> None:
    """Check what a recipe says of its optimiser.

    Raises
    ------
    RecipeError
        With the place, near spellings and what is allowed.
    """
    try:
        optimiser_of(document, nn.Linear(1, 1), place)
    except ValueError as error:
        if isinstance(error, RecipeError):
            raise
        raise RecipeError(f"{place}: {error}") from None


def _named(document: Mapping[str, Any], place: str) -> tuple[str, dict[str, Any]]:
    if not isinstance(document, Mapping) or len(document) != 1:
        raise RecipeError(f"{place}: found {document!r}, expected one of {', '.join(OPTIMISERS)} with its settings")
    name, given = next(iter(document.items()))
    if name not in OPTIMISERS:
        raise RecipeError(f"{place}: unknown optimiser {name!r}{did_you_mean(str(name), OPTIMISERS)}")
    return name, check_settings(OPTIMISERS[name], given or {}, f"{place}.{name}")


def _groups(module: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Kernels shrink; biases and the two numbers a channel of normalisation do not."""
    trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
    kernels = [parameter for parameter in trained if parameter.ndim > 1]
    others = [parameter for parameter in trained if parameter.ndim <= 1]
    groups = [{"params": kernels, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]


def _one_device(module: nn.Module) -> bool:
    return all(parameter.is_floating_point() for parameter in module.parameters())
