"""A trained network as a step: image in, scores out, window by window."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.parameters import Range
from microtome.core.raster import Image, ScoreMap
from microtome.core.step import step
from microtome.core.tiling import Windowed

__all__ = ["network"]


@step(tiling=Windowed(), channels="joint")
def network(
    image: Image,
    *,
    weights: str,
    sha256: str = "",
    output: str = "",
    layers: tuple[str, ...] = (),
    activation: Literal["none", "softmax", "sigmoid"] = "softmax",
    window: Annotated[int, Range(8, 8192, unit="px")] = 256,
    overlap: Annotated[int, Range(0, 4096, unit="px")] = 64,
    depth: Annotated[int, Range(1, 1024, unit="px")] = 32,
    margin: Annotated[int, Range(0, 1024, unit="px")] = 0,
    batch: Annotated[int, Range(1, 256)] = 4,
    flips: bool = False,
) -> ScoreMap:
    """Apply a network to every window of an image and blend what it says.

    Parameters
    ----------
    image : Image
        Of as many channels as the network was trained on.
    weights : str
        The network's file: ``networks/main.onnx`` in a bundle's recipe, or a path.
    sha256 : str
        Its hash; a file that has another is refused. Empty: any file.
    output : str
        Which of the network's outputs; empty for the only one.
    layers : tuple of str
        What each channel of the output is.
    activation : {"none", "softmax", "sigmoid"}
        What turns the output into scores.
    window, overlap : int
        Side of the windows and how far neighbours overlap, along y and x.
    depth : int
        Of the windows of a volume along z; neighbours overlap by a quarter of it.
    margin : int
        What the network takes off each side of its input, if it pads nothing.
    batch : int
        Windows at once.
    flips : bool
        Also show each window mirrored along every axis, and take the mean (test-time augmentation): slower, a little surer.

    Returns
    -------
    ScoreMap
        One layer a channel of the output, over the same pixels.

    Raises
    ------
    InputError
        If the file is missing, changed or no network, or the image has another number of channels.
    """
    from microtome.run.tiles.stitch import over_windows

    run = _opened(weights, sha256)
    pixels = image.pixels.astype(np.float32, copy=False)
    pixels = pixels if image.has_channels else pixels[..., None]
    if run.channels not in (None, pixels.shape[-1]):
        raise InputError(f"{weights}: takes images of {run.channels} channel{'s' * (run.channels != 1)}, this one has {pixels.shape[-1]}")
    size = (window,) * 2 if image.ndim == 2 else (depth, window, window)
    over = (min(overlap, window // 2),) * 2 if image.ndim == 2 else (depth // 4, *(min(overlap, window // 2),) * 2)
    ask = partial(_scores, run, output, activation, flips, weights)
    scores = over_windows(pixels, ask, window=size, overlap=over, margin=margin, batch=batch)
    names = layers or tuple(str(k) for k in range(scores.shape[-1]))
    if len(names) != scores.shape[-1]:
        raise InputError(f"{weights}: gives {scores.shape[-1]} layers, the recipe names {len(names)}: {', '.join(names)}")
    return ScoreMap(scores, **{**image.geometry(), "axes": image.axes.rstrip("c") + "c"}, layers=names)


@lru_cache(maxsize=4)
def _opened(weights: str, expected: str) -> Any:
    from microtome.run.bundle_file import read_member, sha256, split_member
    from microtome.run.engines.onnxruntime import open_network

    data = read_member(*split_member(weights))
    if expected and sha256(data) != expected:
        raise InputError(f"{weights}: has changed since its bundle was made (its sha256 differs); get the bundle again")
    return open_network(data, weights)


def _scores(run: Any, output: str, activation: str, flips: bool, place: str, windows: NDArray[np.float32]) -> NDArray[np.float32]:
    if not flips:
        return _activated(_answer(run, output, place, windows), activation)
    axes = tuple(range(1, windows.ndim - 1))
    turns = [tuple(axis for bit, axis in enumerate(axes) if turn >> bit & 1) for turn in range(1 << len(axes))]
    total = sum(np.flip(_activated(_answer(run, output, place, np.flip(windows, turn)), activation), turn) for turn in turns)
    return np.asarray(total / np.float32(len(turns)), np.float32)


def _answer(run: Any, output: str, place: str, windows: NDArray[np.float32]) -> NDArray[np.float32]:
    found: Mapping[str, NDArray[np.float32]] = run(windows)
    if not output and len(found) == 1:
        return next(iter(found.values()))
    if output not in found:
        raise InputError(f"{place}: has no output {output!r}; it has {', '.join(found)}")
    return found[output]


def _activated(values: NDArray[np.float32], activation: str) -> NDArray[np.float32]:
    if activation == "softmax":
        shifted = np.exp(values - values.max(axis=-1, keepdims=True))
        return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True), np.float32)
    return np.asarray(1 / (1 + np.exp(-values)), np.float32) if activation == "sigmoid" else values
