"""Weights as safetensors, in memory: no paths, no pickle."""

from __future__ import annotations

from collections.abc import Mapping

from safetensors import SafetensorError
from safetensors.torch import load as parse
from safetensors.torch import save
from torch import Tensor, nn

from microtome.core.errors import InputError
from microtome.core.events import warn

__all__ = ["dump_weights", "load_weights"]


def dump_weights(network: nn.Module) -> bytes:
    """The network's weights and running statistics as the bytes of a safetensors file. The same weights give the same bytes.

    Examples
    --------
    >>> from microtome.networks import build
    >>> network = build("fcn_same", channels_in=1, outputs={"classes": 2}, layers=1, width=2)
    >>> load_weights(network, dump_weights(network))
    ()
    """
    return save({name: tensor.detach().cpu().contiguous().clone() for name, tensor in network.state_dict().items()})


def load_weights(
    network: nn.Module, weights: bytes | Mapping[str, Tensor], *, source: str = "weights", partial: bool = False
) -> tuple[str, ...]:
    """Fill a network with weights that `dump_weights` made.

    Parameters
    ----------
    network : Module
        Filled where it lies; on an error nothing is changed.
    weights : bytes, or dict of str to Tensor
    source : str
        Where they come from, for messages.
    partial : bool
        Fill what fits by name and shape, leave the rest as it is and warn: for a network with other outputs or channels.

    Returns
    -------
    tuple of str
        The names that were left as they were; empty unless `partial`.

    Raises
    ------
    InputError
        If the bytes are no safetensors, or, unless `partial`, names or shapes differ. Also if nothing fits at all.
    """
    given = _parse(weights, source) if isinstance(weights, bytes) else dict(weights)
    wanted = network.state_dict()
    fitting = {name: tensor for name, tensor in given.items() if name in wanted and wanted[name].shape == tensor.shape}
    problems = [
        *(f"{name} is missing" for name in wanted if name not in given),
        *(
            f"{name} is {tuple(given[name].shape)}, the network has {tuple(wanted[name].shape)}"
            for name in wanted
            if name in given and name not in fitting
        ),
        *(f"{name} is not in the network" for name in given if name not in wanted),
    ]
    if problems and (not partial or not fitting):
        shown = "; ".join(problems[:3]) + (f"; and {len(problems) - 3} more" if len(problems) > 3 else "")
        raise InputError(f"{source}: does not fit {type(network).__name__}: {shown}. Build the network with the settings it was saved with")
    if problems:
        warn(
            f"{source}: {len(fitting)} of {len(wanted)} tensors fit and were taken; {'; '.join(problems[:3])}{' ...' * (len(problems) > 3)}"
        )
    network.load_state_dict(fitting, strict=False)
    return tuple(name for name in wanted if name not in fitting)


def _parse(weights: bytes, source: str) -> dict[str, Tensor]:
    try:
        return parse(weights)
    except SafetensorError as error:
        raise InputError(f"{source}: is not a safetensors file, or is damaged ({error})") from None
