"""From a trained network to a bundle: the recipe that runs it, the network as a file, and a card that says what it was trained on."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from microtome.core.events import collect_warnings
from microtome.core.raster import Image
from microtome.learn.objectives.dense import Dense
from microtome.networks.export import to_onnx
from microtome.networks.network import Network
from microtome.networks.parity import check_parity
from microtome.networks.weights import dump_weights
from microtome.run.bundle import Example, open_bundle, replayed, write_bundle
from microtome.run.tiles.whole import Windows

__all__ = ["Trained", "write_model"]

TOLERANCE = 0.99
"""The share of the example's pixels that must come out as they did, on any processor."""

_EXAMPLE = 256  # pixels a side


@dataclass(frozen=True, eq=False)
class Trained:
    """What a bundle is made of.

    Attributes
    ----------
    objective : Dense
    network : Network
        In float32, with the weights to keep.
    built : mapping
        What it was built with: ``{name: settings}``, for who trains it further.
    prepare : sequence
        Steps before it.
    windows : Windows
    decode : str
        The decoder step.
    settings : mapping
        Of decoding.
    refine : sequence
        Steps after it.
    facts : mapping
        For the head of the card.
    card : str
    about : str
    temperature : float or list of float
        Of the network's outputs.
    channel : str or int, optional
        The only one of a file's channels that it sees.
    """

    objective: Dense
    network: Network
    built: Mapping[str, Any]
    prepare: Sequence[Any]
    windows: Windows
    decode: str
    settings: Mapping[str, Any]
    refine: Sequence[Any]
    facts: Mapping[str, Any]
    card: str
    about: str
    temperature: float | list[float] = 1.0
    channel: str | int | None = None


def write_model(path: Path, trained: Trained, example: Image) -> Path:
    """Write the bundle, with a piece of `example` and the mask that the bundle itself makes of it.

    Raises
    ------
    RunError
        If torch gives no model, or one that says something else than the network.
    """
    data = to_onnx(trained.network)
    check_parity(trained.network, data)
    weights = dump_weights(trained.network)
    recipe = _recipe(trained)
    name, settings = next(iter(trained.built.items()))
    built = {"network": name, "channels_in": trained.network.channels_in, "outputs": dict(trained.network.outputs), "settings": settings}
    facts = {**trained.facts, "tolerance": TOLERANCE, "network": dict(trained.built)}
    piece = _piece(example)
    with tempfile.TemporaryDirectory(prefix="microtome-") as folder, collect_warnings():
        first = write_bundle(Path(folder) / "model.zip", recipe, {"main": data}, card=trained.card, facts=facts)
        mask = replayed(piece, open_bundle(first).recipe)
    return write_bundle(path, recipe, {"main": data}, card=trained.card, facts=facts, weights=weights, architectures={"main": built},
                        example=Example(piece, mask))  # fmt: skip


def _recipe(trained: Trained) -> dict[str, Any]:
    windows = trained.windows
    heads = trained.objective.heads
    network: dict[str, Any] = {
        "weights": "main", "output": [head.name for head in heads], "activation": [head.activation for head in heads],
        "layers": [layer for head in heads for layer in head.layers],
        "window": windows.size[-1], "overlap": windows.overlap[-1], "batch": windows.batch, "margin": windows.margin,
        "multiple": windows.multiple,
        "scale": list(windows.scale) if isinstance(windows.scale, tuple) else windows.scale,
    }  # fmt: skip
    if trained.temperature != 1:
        network["temperature"] = trained.temperature
    if trained.network.dimensions == 3:
        network["depth"] = windows.size[0]
    steps = [*trained.prepare, {"network": network}, {trained.decode: dict(trained.settings)}, *trained.refine]
    given = {} if trained.channel is None else {"input": {"channel": trained.channel}}
    return {"microtome": 1, "about": trained.about, **given, "steps": steps}


def _piece(image: Image) -> Image:
    """The middle of an image: enough to see that a bundle is sound."""
    cut = tuple(slice(max(0, (n - _EXAMPLE) // 2), max(0, (n - _EXAMPLE) // 2) + _EXAMPLE) for n in image.shape)
    return Image(image.pixels[cut].copy(), axes=image.axes, spacing=image.spacing, unit=image.unit, channels=image.channels)
