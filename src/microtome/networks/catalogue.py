"""The catalogue of networks: it lists folders, imports a network's file when it is named, and builds it from plain data.

Nothing registers itself. A network is a file of its own name in one of `FOLDERS`, whose ``__all__`` names its class; an
installed plug-in adds networks by the entry-point group ``microtome.networks``.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from microtome.core import keywords
from microtome.core.errors import MissingExtra, RecipeError, did_you_mean
from microtome.core.parameters import Setting
from microtome.core.step import parameter_docs

if TYPE_CHECKING:
    from microtome.networks.network import Network

__all__ = ["FOLDERS", "build", "check", "load", "names", "places", "settings_of", "summary_line", "without_download"]

FOLDERS = ("networks/semantic", "networks/classification")

_NO_SETTINGS = ("channels_in", "outputs")
_OF_EXTRA = ("torch", "torchvision", "timm", "segmentation_models_pytorch", "safetensors", "onnx", "onnxscript")


@cache
def places() -> dict[str, str]:
    """Where each network is: its name to its module, or to ``module:Class`` for a plug-in's. Nothing is imported."""
    root = Path(__file__).parents[1]
    found = {}
    for folder in FOLDERS:
        for file in sorted((root / folder).glob("*.py")):
            if not file.name.startswith("_"):
                found[file.stem] = f"microtome.{folder.replace('/', '.')}.{file.stem}"
    for plugin in entry_points(group="microtome.networks"):
        found.setdefault(plugin.name, plugin.value)
    return found


def names() -> tuple[str, ...]:
    """The name of every network."""
    return tuple(places())


def summary_line(name: str) -> str:
    """The first line of the network's file, read without importing it: listing needs no torch.

    Examples
    --------
    >>> summary_line("fcn_same")
    'The same-resolution fully convolutional network: a plain stack of convolutions that never halves the image.'
    """
    spec = importlib.util.find_spec(places()[name].partition(":")[0])
    if spec is None or spec.origin is None:
        return ""
    doc = ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8")))
    return (doc or "").partition("\n")[0]


def load(name: str) -> type[Network]:
    """Import and return the class of this name.

    Raises
    ------
    RecipeError
        If there is none, with near spellings.
    MissingExtra
        If torch, or the library that holds the network, is not installed.

    Examples
    --------
    >>> load("unet").__name__
    'UNet'
    """
    if name not in places():
        raise RecipeError(f"unknown network {name!r}{did_you_mean(name, places())}")
    place, _, attribute = places()[name].partition(":")
    try:
        module = importlib.import_module(place)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in _OF_EXTRA:
            raise
        raise MissingExtra(f"network {name!r} needs {missing}: pip install 'microtome[deep]'") from None
    found: type[Network] = getattr(module, attribute or module.__all__[0])
    return found


def settings_of(network: type[Network]) -> dict[str, Setting]:
    """What a network's constructor may be told besides its channels and outputs, with ranges, defaults and descriptions."""
    about = parameter_docs(inspect.getdoc(network) or "")
    known = keywords.settings_of(network.__init__, _NO_SETTINGS)
    return {name: replace(setting, about=about.get(name, "")) for name, setting in known.items()}


def check(name: str, settings: Mapping[str, Any], place: str = "") -> dict[str, Any]:
    """Return the settings given to the network `name`, each checked; defaults stay with its constructor.

    Raises
    ------
    RecipeError
        Naming the setting's place, near spellings and what is allowed.
    """
    return keywords.check_settings(load(name).__init__, settings, place, name=name, leave_out=_NO_SETTINGS)


def build(name: str, *, channels_in: int, outputs: Mapping[str, int], seed: int = 0, place: str = "", **settings: Any) -> Network:
    """Build a network from plain data, as a recipe or a bundle's card holds it.

    Parameters
    ----------
    name : str
        One of `names`.
    channels_in : int
        Channels of the images.
    outputs : dict of str to int
        The channels of each named output, such as ``{"classes": 3}``.
    seed : int
        Of the first weights: the same seed, the same weights. Torch's own random state is left as it was.
    place : str
        Where the settings stand in a document, for error messages.
    **settings
        As `settings_of` lists them, and checked against it.

    Returns
    -------
    Network
        In training mode, float32, on torch's default device.

    Raises
    ------
    RecipeError
        If the name, a setting, the channels or an output is wrong.
    MissingExtra
        If a library is missing.

    Examples
    --------
    >>> unet = build("unet", channels_in=1, outputs={"classes": 3}, depth=4, root=8)
    >>> unet.expected_parameters(), unet.legal_sizes(100)
    (121051, (96, 104))
    """
    values = check(name, settings, place)
    _check_channels(channels_in, outputs, place or name)
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return load(name)(channels_in=channels_in, outputs=outputs, **values)


def without_download(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings for a network whose weights are at hand: none are fetched for it.

    >>> without_download({"encoder": "resnet18", "pretrained": True})
    {'encoder': 'resnet18', 'pretrained': False}
    """
    return {**settings, "pretrained": False} if "pretrained" in settings else dict(settings)


def _check_channels(channels_in: int, outputs: Mapping[str, int], place: str) -> None:
    if not isinstance(channels_in, int) or isinstance(channels_in, bool) or channels_in < 1:
        raise RecipeError(f"{place}.channels_in: found {channels_in!r}, expected a whole number from 1")
    if not isinstance(outputs, Mapping) or not outputs:
        raise RecipeError(f"{place}.outputs: found {outputs!r}, expected names with their channels, such as {{classes: 3}}")
    for output, channels in outputs.items():
        if not isinstance(output, str) or not output.isidentifier():
            raise RecipeError(f"{place}.outputs: {output!r} is no name; use letters, digits and _")
        if not isinstance(channels, int) or isinstance(channels, bool) or channels < 1:
            raise RecipeError(f"{place}.outputs.{output}: found {channels!r}, expected a whole number of channels from 1")
