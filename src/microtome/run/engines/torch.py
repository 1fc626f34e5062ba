"""PyTorch: the network itself, built again from the bundle's own account of it and its safetensors; in the extra ``deep``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError, MissingExtra, RecipeError
from microtome.core.kernels.bands import in_bands
from microtome.run.bundle_file import ARCHITECTURE, WEIGHTS, has_beside, read_beside

if TYPE_CHECKING:
    import torch

__all__ = ["Network", "build_network", "can_open", "open_network"]


def can_open(place: str) -> bool:
    """Whether a bundle holds what it takes to build the network at `place` again: its name with its settings, and its weights."""
    return has_beside(place, ARCHITECTURE) and has_beside(place, WEIGHTS)


def open_network(data: bytes, place: str, precision: str = "float32") -> Network:
    """Build the network again and fill it with its weights.

    Parameters
    ----------
    data : bytes
        The ONNX model; not used, as torch does not read it.
    place : str
        Where it lies: beside it are ``NAME.json`` and ``NAME.safetensors`` (or the bundle's one ``weights.safetensors``).
    precision : "float32" or "bfloat16"
        What convolutions and products of matrices compute in.

    Raises
    ------
    MissingExtra
        If torch is not installed.
    InputError
        If the bundle lacks one of these files, or they do not fit each other.
    RecipeError
        If the network is one in 8 bits, which torch does not build.
    """
    if precision == "int8":
        raise RecipeError(f"{place}: a network in 8 bits is computed by onnxruntime and openvino, not by torch")
    try:
        import torch
    except ModuleNotFoundError:
        raise MissingExtra("the engine torch needs PyTorch: pip install 'microtome[deep]'") from None
    network = build_network(place).eval()
    ndim = int(network.dimensions)
    formats = {2: torch.channels_last, 3: torch.channels_last_3d}
    return Network(network.to(memory_format=formats[ndim]), precision == "bfloat16", (None, int(network.channels_in), *(None,) * ndim))


def build_network(place: str) -> Any:
    """The bundle's network as torch has it, with its trained weights: what further training starts from.

    Parameters
    ----------
    place : str
        Of its ONNX model, such as ``a.zip/networks/main.onnx``.

    Returns
    -------
    microtome.networks.network.Network
        In training mode.

    Raises
    ------
    InputError
        If the bundle lacks one of the files, or they do not fit each other.
    RecipeError
        If the account names a network, or settings, that do not exist.
    """
    from microtome.networks.catalogue import build, without_download
    from microtome.networks.weights import load_weights

    name = Path(place).with_suffix(ARCHITECTURE).name
    try:
        told = json.loads(read_beside(place, ARCHITECTURE))
        settings = without_download(told["settings"])
        network = build(told["network"], channels_in=told["channels_in"], outputs=told["outputs"], place=name, **settings)
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, InputError) or type(error).__module__.startswith("microtome"):
            raise
        raise InputError(f"{place}: {name} must hold network, channels_in, outputs and settings: {error!r}") from None
    load_weights(network, read_beside(place, WEIGHTS), source=f"{place}: weights")
    return network


@dataclass(frozen=True, eq=False)
class Network:
    """A loaded network. Call it with windows (N, *window, C); it gives its outputs by name, (N, *window, L).

    Windows are shared among threads, each computed on one: torch's sums depend on how many threads share a convolution.

    Attributes
    ----------
    shape : tuple of int or None
        That its input (N, C, *window) must have; None: any number.
    """

    module: Any
    narrow: bool
    shape: tuple[int | None, ...]

    def __call__(self, windows: NDArray[np.float32]) -> Mapping[str, NDArray[np.float32]]:
        import torch

        whole = torch.get_num_threads()
        try:
            answers = in_bands(lambda first, past: self._answer(windows[first:past]), len(windows), 1)
        finally:
            torch.set_num_threads(whole)
        return {output: np.moveaxis(np.concatenate([one[output] for one in answers]), 1, -1) for output in answers[0]}

    def _answer(self, window: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        import torch

        torch.set_num_threads(1)
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=self.narrow):
            found: dict[str, torch.Tensor] = self.module(self._tensor(window))
        return {output: values.float().numpy() for output, values in found.items()}

    def _tensor(self, window: NDArray[np.float32]) -> torch.Tensor:
        """The window with its channels first in name and last in memory: as it lies, without a copy."""
        import torch

        plain = np.array(window, np.float32, order="C", copy=None)
        return torch.from_numpy(plain if plain.flags.writeable else plain.copy()).movedim(-1, 1)
